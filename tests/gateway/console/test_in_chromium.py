"""The console in a real browser: read by axe, used by keys, and without any script."""

from importlib import resources

import pytest
from playwright.async_api import expect

from benchmarks.console_places import is_of_storefront
from tests.gateway.console.conftest import PASSWORD
from tests.gateway.console.test_every_page import poison, walked

pytestmark = pytest.mark.browser

_AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
_READ = """rules => axe.run(document, {resultTypes: ["violations"], ...(rules ? {runOnly: rules} : {})})
    .then(found => found.violations.map(each => [each.id, each.impact, each.nodes.length, each.nodes.slice(0, 3).map(
        node => node.html.slice(0, 200) + " :: " + node.any.map(any => any.message).join("; "))]))"""
_TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Rows are alike, and axe takes its time for each.
_FEW_ROWS = "document.querySelectorAll('tbody').forEach(body => [...body.rows].slice(6).forEach(row => row.remove()))"


async def read_by_axe(page, *rules):
    """What axe finds serious."""
    found = await page.evaluate(_READ, list(rules) or None)
    return [each for each in found if each[1] in {"serious", "critical"}]


@pytest.mark.xdist_group("busy")
async def test_every_page_reads_well_fits_and_runs_nothing_that_others_wrote(busy_console, open_busy_page):
    await poison(busy_console)
    of_staff, of_storefront = await open_busy_page(busy_console.admin), await open_busy_page(busy_console.storefront)
    wrong = []
    for name, address in (await walked(busy_console)).items():
        if name.endswith(".toml"):
            continue
        page = of_storefront if is_of_storefront(address) else of_staff
        await page.set_viewport_size({"width": 390, "height": 844})
        await page.emulate_media(color_scheme="light")
        await page.goto(address)
        if (over := await page.evaluate(_TOO_WIDE)) > 0:
            wrong.append((name, "wider than a phone", over))
        await page.set_viewport_size({"width": 1280, "height": 860})
        if (over := await page.evaluate(_TOO_WIDE)) > 0:
            wrong.append((name, "wider than the screen", over))
        await page.evaluate(_FEW_ROWS)
        await page.evaluate(_AXE)
        wrong += [(name, "light", each) for each in await read_by_axe(page)]
        await page.emulate_media(color_scheme="dark")
        wrong += [(name, "dark", each) for each in await read_by_axe(page, "color-contrast")]
        if await page.evaluate("window.broken"):
            wrong.append((name, "ran what others wrote"))
    assert not wrong, "\n".join(map(str, wrong))


async def test_everything_can_be_reached_by_keys(console, open_page):
    page = await open_page(console.admin, "/console/audit")
    await page.keyboard.press("/")
    await expect(page.locator("input[name=q]").first).to_be_focused()
    await page.keyboard.press("Escape")
    await page.keyboard.press("g")
    await page.keyboard.press("w")
    await page.wait_for_url("**/console/users")
    await page.keyboard.press("?")
    await expect(page.locator("dialog#keys")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("g")
    await page.keyboard.press("p")
    await page.wait_for_url("**/console/prices*")
    for _ in range(2):
        await page.keyboard.press("j")
    await page.keyboard.press("k")
    row = page.locator("[data-row].at")
    await expect(row).to_have_count(1)
    wanted = await row.locator("a[href]").first.get_attribute("href")
    await page.keyboard.press("Enter")
    await page.wait_for_url(lambda url: url.endswith(wanted.replace("&amp;", "&")))


async def test_without_scripts_tables_forms_and_the_phones_menu_work(console, open_page):
    page = await open_page(None, "/console", scripts=False, phone=True)
    await page.get_by_label("Name").fill("admin")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_url("**/console")
    await page.locator("summary", has_text="Menu").click()
    await page.locator("details.pages").get_by_role("link", name="Administration").click()
    await page.get_by_role("navigation", name="Administration").get_by_role("link", name="Users").click()
    await page.wait_for_url("**/console/users")
    await page.get_by_label("Name", exact=True).fill("with space")
    await page.get_by_role("button", name="Create user").click()
    await expect(page.locator(".error").first).to_be_visible()
    await expect(page.get_by_label("Name", exact=True)).to_have_value("with space")
    await page.get_by_label("Name", exact=True).fill("somebody")
    await page.get_by_role("button", name="Create user").click()
    await expect(page.locator(".once")).to_be_visible()
    await page.locator("header.top .switch").get_by_role("button", name="live").click()
    await expect(page.locator("header.top button.live")).to_have_attribute("aria-pressed", "true")
    await page.goto("/console/audit")
    await page.get_by_label("Action").fill("user.created")
    await page.get_by_role("button", name="Show").click()
    await page.wait_for_url("**/console/audit?*action=user.created*")
    await expect(page.locator("tbody tr")).to_have_count(1)
    await page.locator("details.person summary").click()
    await page.locator("details.person").get_by_role("button", name="dark").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")


async def test_a_changed_filter_applies_at_once_and_a_dangerous_button_asks(console, open_page):
    page = await open_page(console.admin, "/console/users")
    question = page.get_by_role("dialog")
    await page.get_by_role("button", name="Disable viewer").click()
    await expect(question).to_contain_text("Disable viewer?")
    await page.keyboard.press("Escape")
    await expect(question).to_be_hidden()
    assert (await console.viewer.get("/console", follow=False)).status == 200
    await page.get_by_role("button", name="Disable viewer").click()
    await question.get_by_role("button", name="Disable").click()
    await expect(page.locator("main")).to_contain_text("is disabled")
    assert (await console.viewer.get("/console", follow=False)).status == 303


async def test_a_whole_table_is_sorted_by_its_heads_and_one_that_goes_on_is_not(console, open_page):
    page = await open_page(console.admin, "/console/users")
    names = page.locator("tbody tr th")
    before = await names.all_inner_texts()
    head = page.get_by_role("columnheader", name="Name")
    await head.get_by_role("button").click()
    await expect(head).to_have_attribute("aria-sort", "ascending")
    assert await names.all_inner_texts() == sorted(before)
    await head.get_by_role("button").click()
    assert await names.all_inner_texts() == sorted(before, reverse=True)
    await console.pool.execute(
        "INSERT INTO audit_log (actor, action, object) SELECT 'a', 'key.created', 'key:1' FROM generate_series(1, 200)"
    )
    await page.goto("/console/audit")
    await expect(page.get_by_role("columnheader").first).to_be_visible()
    await expect(page.locator("button.sort")).to_have_count(0)
