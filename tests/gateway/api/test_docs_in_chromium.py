"""The documentation in a real browser: read in the light, in the dark and on a phone, searched, and tried."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import expect

from gateway.api.docs.static_site import write_site
from gateway.app import documents
from tests.gateway.console.test_in_chromium import _AXE, _TOO_WIDE, read_by_axe
from tests.kit.chromium import chromium

pytestmark = pytest.mark.browser

# Each kind of page, and those with the widest tables, code and pictures.
PAGES = (
    "/docs", "/docs/guides/tutorial", "/docs/api", "/docs/sandbox", "/docs/reference/catalog", "/docs/reference/orders",
    "/docs/reference/events", "/docs/errors", "/errors/no_stock", "/docs-ops", "/docs-ops/reference/pricing",
    "/docs/console",
)  # fmt: skip
# Operations are alike, and so are the things in answers; axe takes its time for each.
_FEW_OPERATIONS = "[...document.querySelectorAll('.operation')].slice(4, -2).forEach(part => part.remove())"


@pytest.mark.parametrize(
    ("path", "operation", "elsewhere"),
    [
        ("/docs/reference/quotes", "POST /v1/quotes", "/v1/ops/jobs"),
        ("/docs-ops/reference/operations", "GET /v1/ops/jobs", "/v1/quotes"),
    ],
)
async def test_a_page_has_the_operations_of_its_readers(api, path, operation, elsewhere):
    async with chromium() as new_page:
        page = await new_page(str(api.client.make_url("/")))
        await page.goto(path)
        await expect(page.locator(".call").filter(has_text=operation.split()[1]).first).to_be_visible()
        assert await page.locator(".call").filter(has_text=elsewhere).count() == 0


async def test_every_kind_of_page_reads_well_and_fits(api):
    wrong = []
    async with chromium() as new_page:
        page = await new_page(str(api.client.make_url("/")))
        for path in PAGES:
            await page.set_viewport_size({"width": 390, "height": 844})
            await page.emulate_media(color_scheme="light")
            await page.goto(path)
            if (over := await page.evaluate(_TOO_WIDE)) > 0:
                wrong.append((path, "wider than a phone", over))
            await page.set_viewport_size({"width": 1280, "height": 860})
            if (over := await page.evaluate(_TOO_WIDE)) > 0:
                wrong.append((path, "wider than the screen", over))
            await page.evaluate(_FEW_OPERATIONS)
            await page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
            await page.evaluate(_AXE)
            wrong += [(path, "light", each) for each in await read_by_axe(page)]
            await page.emulate_media(color_scheme="dark")
            wrong += [(path, "dark", each) for each in await read_by_axe(page, "color-contrast")]
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize(
    ("words", "title", "address"),
    [
        ("Idempotency-Key", "Buy once with the Idempotency-Key", "/docs/guides/idempotency"),
        ("refund", "Refunds", "/docs/checkouts#refunds"),
        ("no_stock", "no_stock", "/errors/no_stock"),
    ],
)
async def test_the_search_finds(api, words, title, address):
    async with chromium() as new_page:
        page = await new_page(str(api.client.make_url("/")))
        await page.goto("/docs/guides/tutorial")
        await page.keyboard.press("/")
        await page.keyboard.type(words)
        found = page.locator(".found a").filter(has=page.get_by_text(title, exact=True))
        await expect(found.first).to_be_visible()
        await found.first.click()
        await page.wait_for_url(f"**{address}")


async def test_an_operation_is_tried_with_a_test_key_and_with_no_other(api):
    async with chromium() as new_page:
        page = await new_page(str(api.client.make_url("/")))
        await page.goto("/docs/reference/quotes")
        form = page.locator("#create_quote .try")
        await form.locator("summary").first.click()
        key, answer = form.locator("[data-key]"), form.locator("output")
        await key.fill("gw_live_0123456789")
        await form.get_by_role("button", name="Send POST").click()
        await expect(answer).to_contain_text("live key")
        await key.fill(api.key)
        await form.locator("textarea").fill('{"countries": ["JP"], "data_mb": 1024}')
        await form.get_by_role("button", name="Send POST").click()
        await expect(answer.locator(".badge")).to_have_text("201")
        await expect(answer.locator("pre").last).to_contain_text('"expires_at"')
        await expect(answer.locator("details pre")).to_contain_text("x-request-id")
        # The key goes with the reader to other pages, and does not outlive the tab.
        await page.goto("/docs/reference/catalog")
        form = page.locator("#list_plans .try")
        await form.locator("summary").first.click()
        await expect(form.locator("[data-key]")).to_have_value(api.key)
        await form.get_by_label("country").first.fill("ZZ")
        await form.get_by_role("button", name="Send GET").click()
        await expect(form.locator("output .badge")).to_have_text("422")
        assert await page.evaluate("localStorage.getItem('gateway-key')") is None


async def test_the_pages_as_files_send_requests_to_a_gateway_that_allows_it(make_api, tmp_path):
    write_site(tmp_path, {path: document.body for path, document in documents().items()})
    files = web.Application()
    files.router.add_static("/", tmp_path)
    async with TestServer(files) as server, chromium() as new_page:
        site = str(server.make_url("")).rstrip("/")
        api = await make_api(scopes=["storefront"], cors_origins=[site])
        page = await new_page("http://127.0.0.1")
        await page.goto(f"{site}/index.html")
        await page.wait_for_url("**/docs.html")
        await page.locator(".side").get_by_role("link", name="Quotes").click()
        form = page.locator("#create_quote .try")
        await form.locator("summary").first.click()
        await form.get_by_label("Gateway").fill(str(api.client.make_url("/")))
        await form.locator("[data-key]").fill(api.key)
        await form.locator("textarea").fill('{"countries": ["JP"], "data_mb": 1024}')
        await form.get_by_role("button", name="Send POST").click()
        await expect(form.locator("output .badge")).to_have_text("201")
        await page.locator("input[type=search]").fill("no_stock")
        await page.locator(".found a").first.click()
        await page.wait_for_url("**/errors/no_stock.html")


async def test_the_reader_s_theme_and_language_are_kept(api):
    async with chromium() as new_page:
        page = await new_page(str(api.client.make_url("/")))
        await page.goto("/docs")
        await page.get_by_role("button", name="curl").first.click()
        await page.locator("button.theme").click()
        await page.locator("button.theme").click()
        await page.goto("/docs/guides/idempotency")
        await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        await expect(page.locator(".sample[data-language=curl]").first).to_be_visible()
        await expect(page.locator(".sample[data-language=Python]").nth(1)).to_be_hidden()


async def test_without_scripts_everything_can_be_read(api):
    async with chromium() as new_page:
        page = await new_page(str(api.client.make_url("/")), scripts=False, phone=True)
        await page.goto("/docs/guides/idempotency")
        assert await page.locator(".sample:visible").count() == await page.locator(".sample").count()
        await page.locator("details.pages > summary").click()
        await page.locator("details.pages").get_by_role("link", name="Orders").first.click()
        await expect(page.locator("h1")).to_contain_text("Orders")
