"""The traveller's page in its languages, as its storefront made it look, and what a phone keeps of it."""

import base64
import re
from datetime import UTC, datetime, timedelta

import pytest

from gateway.api import state
from gateway.inventory.esims import record
from gateway.inventory.traveller_link_rules import PAGE, PICTURE, url_of
from gateway.travellers.languages import LANGUAGES, texts_in
from schemas.esim import DataUsage, EsimCoverage, EsimStatus, ProfileState, ServiceState
from tests.gateway.travellers.test_appearance_rules import picture, text
from tests.kit.sold import SEAL, sold, storefront

SETTINGS = "/v1/ops/storefronts/{}/traveller-settings"


def page_of(esim):
    return url_of(PAGE.token(SEAL, esim.id, datetime.now(UTC), 30))


async def seen(api, esim, **changes):
    fields = {
        "iccid": esim.iccid,
        "profile_state": ProfileState.ENABLED,
        "service_state": ServiceState.ACTIVE,
        "observed_at": datetime.now(UTC),
        "data": DataUsage(10240, 1536, 8704),
    }
    return await record(api.client.app[state.DEPS], esim.id, EsimStatus(**(fields | changes)))


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_page_is_in_each_language_and_links_to_all(api, language):
    esim = await sold(api.pool)
    answer = await api.get(f"{page_of(esim)}?lang={language}")
    page, texts = await answer.text(), texts_in(language)
    assert answer.headers["Content-Language"] == language
    assert f'<html lang="{language}" dir="{texts.direction}">' in page
    assert texts("When you arrive") in page
    assert texts.country("JP") in page
    assert re.findall(r'href="\?lang=(\w+)"', page) == list(LANGUAGES)


async def test_the_browser_s_language_is_taken_where_none_is_asked_for_also_when_there_is_no_page(api):
    esim = await sold(api.pool)
    for path in (page_of(esim), "/e/nothing"):
        page = await (await api.get(path, headers={"Accept-Language": "nl,pl;q=0.9"})).text()
        assert '<html lang="pl" dir="ltr">' in page


async def test_the_page_shows_what_is_left_the_networks_and_until_when_it_is_valid(api):
    esim = await sold(api.pool)
    coverage = (EsimCoverage("JP", "Docomo"), EsimCoverage("JP", "SoftBank"), EsimCoverage("KR", "KT"))
    await seen(api, esim, coverage=coverage, expires_at=datetime(2027, 1, 2, tzinfo=UTC))
    page = (await (await api.get(page_of(esim))).text()).replace("\xa0", " ")
    for shown in ("8.5 GB of 10 GB left", "<bdi>Docomo, SoftBank</bdi>", "<bdi>KT</bdi>", "January 2, 2027"):
        assert shown in page


async def test_an_old_state_is_asked_for_anew_by_the_worker_once_the_page_is_seen(api):
    esim = await sold(api.pool)
    at = "SELECT next_poll_at <= now() FROM esims WHERE id = $1"
    await seen(api, esim)
    await api.get(page_of(esim))
    assert not await api.pool.fetchval(at, esim.id)
    await api.pool.execute("UPDATE esims SET observed_at = now() - interval '11 minutes' WHERE id = $1", esim.id)
    await api.get(page_of(esim))
    assert await api.pool.fetchval(at, esim.id)


async def test_a_storefront_s_name_logo_colours_and_topup_link_are_on_its_own_pages_alone(api):
    ops = api.with_key(await api.make_key("ops"))
    esim, other = await sold(api.pool), await sold(api.pool, owner="other shop", iccid="89" + "1" * 17)
    wanted = {
        "shop_name": "Sunny <eSIM>",
        "accent_color": "#FFCC00",
        "header_color": "#102030",
        "logo": text(picture()),
        "topup_url": "https://shop.example.com/top?e={esim_id}&l={language}",
    }
    changed = await ops.ask("PATCH", SETTINGS.format(esim.storefront_id), json=wanted)
    assert changed.status == 200, await changed.text()
    shown = await (await ops.get(SETTINGS.format(esim.storefront_id))).json()
    assert shown == await changed.json()
    assert shown | wanted | {"accent_color": "#ffcc00"} == shown
    answer = await api.get(page_of(esim) + "?lang=de")
    page = await answer.text()
    assert f'<img src="data:image/png;base64,{base64.b64encode(picture()).decode()}" alt="Sunny &lt;eSIM&gt;">' in page
    assert f'href="https://shop.example.com/top?e={esim.id}&amp;l=de"' in page
    assert ":root{--act:#ffcc00;--on-act:#000000}:root{--shop:#102030;--on-shop:#ffffff}" in page
    assert "Sunny" not in await (await api.get(page_of(other))).text()
    await seen(api, esim, can_topup=False)
    assert "shop.example.com" not in await (await api.get(page_of(esim))).text()
    cleared = await (await ops.ask("PATCH", SETTINGS.format(esim.storefront_id), json={"logo": ""})).json()
    assert (cleared["logo"], cleared["shop_name"]) == (None, "Sunny <eSIM>")
    actions = await api.pool.fetch("SELECT action, detail FROM audit_log ORDER BY id DESC LIMIT 2")
    assert {row["action"] for row in actions} == {"storefront.traveller_settings"}
    assert wanted["logo"] not in str([row["detail"] for row in actions])


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("accent_color", "red", 422),
        ("logo", text(b"<svg/>"), 409),
        ("topup_url", "http://shop.example.com", 409),
        ("topup_url", "https://shop.example.com/{who}", 409),
        ("shop_name", "a\nb", 422),
    ],
)
async def test_what_cannot_be_is_refused_and_pointed_at(ops, name, value, status):
    shop = await storefront(ops.pool)
    answer = await ops.ask("PATCH", SETTINGS.format(shop), json={name: value})
    problem = await answer.json()
    assert (answer.status, problem["errors"][0]["pointer"]) == (status, f"/{name}")
    assert (await (await ops.get(SETTINGS.format(shop))).json())["updated_at"] is None


async def test_the_worker_s_scope_and_the_manifest_are_of_this_one_page(api):
    esim = await sold(api.pool)
    page = page_of(esim)
    worker = await api.get(f"{page}/worker.js")
    assert (worker.status, worker.content_type) == (200, "text/javascript")
    assert worker.headers["Service-Worker-Allowed"] == page
    assert "K2-1QW34" not in await worker.text()
    manifest = await (await api.get(f"{page}/app.webmanifest?lang=ar")).json(content_type="application/manifest+json")
    token = page.rpartition("/")[2]
    assert (manifest["scope"], manifest["start_url"]) == (f"../{token}", f"../{token}?lang=ar")
    assert (manifest["name"], manifest["dir"]) == ("اليابان · 1 غ.ب", "rtl")
    now = datetime.now(UTC)
    wrong = (PICTURE.token(SEAL, esim.id, now, 60), PAGE.token(SEAL, esim.id, now - timedelta(days=40), 30))
    for token in wrong:
        for name in ("worker.js", "app.webmanifest"):
            assert (await api.get(f"/e/{token}/{name}")).status == 404


async def test_the_scope_has_the_path_under_which_travellers_reach_the_gateway(make_api):
    api = await make_api(scopes=["storefront"], esim={"page_base_url": "https://esim.example.com/go/"})
    page = page_of(await sold(api.pool))
    worker = await api.get(f"{page}/worker.js")
    assert worker.headers["Service-Worker-Allowed"] == f"/go{page}"
