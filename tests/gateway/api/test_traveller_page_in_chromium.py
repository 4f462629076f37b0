"""The traveller's page in a real browser: nothing cut off in any language, there without internet, read by axe."""

from datetime import UTC, datetime

import pytest
from playwright.async_api import expect

from gateway.api import state
from gateway.inventory.esims import record
from gateway.inventory.traveller_link_rules import PAGE, url_of
from gateway.travellers.languages import LANGUAGES, texts_in
from schemas.esim import DataUsage, EsimCoverage, EsimStatus, ProfileState, ServiceState
from tests.gateway.api.test_traveller_page import SETTINGS
from tests.gateway.console.test_in_chromium import _AXE, _TOO_WIDE, read_by_axe
from tests.gateway.travellers.test_appearance_rules import picture, text
from tests.kit.chromium import chromium
from tests.kit.sold import CODE, SEAL, sold

pytestmark = pytest.mark.browser

_OPEN_ALL = "document.querySelectorAll('details').forEach(each => { each.open = true })"
# Every element that holds text of its own: whether it is wider than its room, or runs out of the window.
_CUT_OFF = """() => {
    const found = [], width = document.documentElement.clientWidth
    for (const element of document.querySelectorAll("body *")) {
        const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim())
        if (!own || element.closest("script, style, select, svg") || !element.getClientRects().length) continue
        const box = element.getBoundingClientRect()
        let room = element  // text in a line has the room of the block around it
        while (!room.clientWidth) room = room.parentElement
        const wide = room.scrollWidth > room.clientWidth, high = room.scrollHeight > room.clientHeight + 1
        if (wide || high || box.left < -1 || box.right > width + 1) found.push(element.outerHTML.slice(0, 120))
    }
    return found
}"""


@pytest.fixture
async def browser():
    async with chromium() as new_page:
        yield new_page


@pytest.fixture
async def esim(api):
    """An eSIM in use, of a storefront that made its page its own."""
    made = await sold(api.pool)
    ops = api.with_key(await api.make_key("ops"))
    await ops.ask(
        "PATCH",
        SETTINGS.format(made.storefront_id),
        json={
            "shop_name": "Sunny eSIM",
            "header_color": "#102030",
            "logo": text(picture(size=(200, 60))),
            "topup_url": "https://shop.example.com/top?e={esim_id}",
        },
    )
    status = EsimStatus(
        made.iccid,
        ProfileState.ENABLED,
        ServiceState.ACTIVE,
        datetime.now(UTC),
        DataUsage(10240, 1536, 8704),
        apn="internet.example",
        msisdn="+882912345678",
        expires_at=datetime(2027, 1, 2, tzinfo=UTC),
        coverage=(EsimCoverage("JP", "Docomo"), EsimCoverage("KR", "KT")),
    )
    return await record(api.client.app[state.DEPS], made.id, status)


def page_of(esim):
    return url_of(PAGE.token(SEAL, esim.id, datetime.now(UTC), 30))


def site_of(api):
    return f"http://127.0.0.1:{api.client.port}"


@pytest.mark.long
async def test_no_text_is_cut_off_in_any_language_and_axe_finds_nothing_serious(api, browser, esim):
    page = await browser(site_of(api), phone=True)
    wrong = []
    for language in LANGUAGES:
        await page.goto(f"{page_of(esim)}?lang={language}")
        await page.evaluate(_OPEN_ALL)
        await expect(page.get_by_text(texts_in(language)("Can my phone do it?"))).to_be_visible()
        for width in (320, 390, 1280):
            await page.set_viewport_size({"width": width, "height": 844})
            wrong += [(language, width, each) for each in await page.evaluate(_CUT_OFF)]
            if (over := await page.evaluate(_TOO_WIDE)) > 0:
                wrong.append((language, width, over))
        if language in {"en", "ar"}:
            await page.evaluate(_AXE)
            wrong += [(language, "axe", each) for each in await read_by_axe(page)]
            await page.emulate_media(color_scheme="dark")
            wrong += [(language, "dark", each) for each in await read_by_axe(page, "color-contrast")]
            await page.emulate_media(color_scheme="light")
    assert not wrong, "\n".join(map(str, wrong))


async def test_a_text_that_is_cut_off_is_found(api, browser, esim):
    page = await browser(site_of(api), phone=True)
    await page.goto(page_of(esim))
    assert await page.evaluate(_CUT_OFF) == []
    await page.evaluate("document.querySelector('h1').style.cssText = 'white-space: nowrap; width: 4rem'")
    assert len(await page.evaluate(_CUT_OFF)) >= 1


async def test_a_page_that_was_opened_once_opens_without_internet_and_asks_nobody_else(api, browser, esim):
    page = await browser(site_of(api), phone=True)
    asked = []
    page.context.on("request", lambda request: asked.append(request.url))
    address = f"{page_of(esim)}?lang=de"
    await page.goto(address)
    await expect(
        page.get_by_text(texts_in("de")("Saved on this phone: this page also opens without internet."))
    ).to_be_visible()
    await page.wait_for_function("navigator.serviceWorker.controller !== null")
    await page.context.set_offline(True)
    await page.reload()
    await expect(page.get_by_text(CODE)).to_be_visible()
    await page.goto(page_of(esim) + "?lang=fr")  # not kept in this language: better than nothing
    await expect(page.get_by_text(CODE)).to_be_visible()
    await page.context.set_offline(False)
    assert {url.removeprefix(site_of(api)).partition("?")[0] for url in asked if not url.startswith("data:")} <= {
        page_of(esim), f"{page_of(esim)}/worker.js", f"{page_of(esim)}/app.webmanifest"
    }  # fmt: skip
    kept = await page.evaluate(
        "caches.keys().then(names => Promise.all(names.map(name => caches.open(name).then(cache => cache.keys()))))"
        ".then(lists => lists.flat().map(request => new URL(request.url).pathname))"
    )
    assert set(kept) == {page_of(esim)}
    other = await sold(api.pool, iccid="89" + "1" * 17)
    await page.goto(page_of(other))
    assert await page.evaluate("navigator.serviceWorker.getRegistration().then(found => found?.scope ?? '')") in {
        "", site_of(api) + page_of(other)
    }  # fmt: skip


async def test_a_page_that_is_gone_is_forgotten_by_the_phone(api, browser, esim):
    page = await browser(site_of(api), phone=True)
    await page.goto(page_of(esim))
    await page.wait_for_function("navigator.serviceWorker.controller !== null")
    await page.reload()
    await api.pool.execute("UPDATE orders SET status = 'cancelled' WHERE id = $1", esim.order_id)
    await page.reload()
    await expect(page.get_by_text("This eSIM cannot be installed")).to_be_visible()
    await page.wait_for_function("caches.keys().then((names) => names.length === 0)")


async def test_a_traveller_who_names_the_phone_is_answered_and_without_scripts_the_rest_is_there(api, browser, esim):
    page = await browser(site_of(api), phone=True)
    await page.goto(page_of(esim))
    for model, answer in (
        ("iPhone 15", "Yes, this model can use an eSIM."),
        ("Galaxy S20", "That depends on where the phone was sold."),
        ("iPhone 8", "No, this model has no eSIM."),
        ("My phone is not in the list", "We do not know."),
    ):
        await page.get_by_label("Choose your phone").select_option(label=model)
        await expect(page.locator("[data-verdict]:visible")).to_have_count(1)
        await expect(page.locator("[data-verdict]:visible")).to_contain_text(answer)
    bare = await browser(site_of(api), scripts=False)
    await bare.goto(page_of(esim))
    await expect(bare.get_by_text("Can my phone do it?")).to_be_hidden()
    await expect(bare.get_by_text(CODE)).to_be_visible()


async def test_a_phone_can_put_the_page_among_its_apps(api, browser, esim):
    page = await browser(site_of(api), phone=True)
    await page.goto(f"{page_of(esim)}?lang=de")
    devtools = await page.context.new_cdp_session(page)
    manifest = await devtools.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert manifest["url"] == f"{site_of(api)}{page_of(esim)}/app.webmanifest?lang=de"
    found = await devtools.send("Page.getInstallabilityErrors")
    # A browser's context of a test is one that keeps nothing.
    assert {each["errorId"] for each in found["installabilityErrors"]} <= {"in-incognito"}
