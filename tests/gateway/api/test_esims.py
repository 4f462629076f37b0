"""eSIMs over the API, and the traveller's page."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from gateway.api import state
from gateway.api.examples import example_of
from gateway.inventory.esims import record
from gateway.inventory.traveller_link_rules import PAGE, PICTURE, url_of
from providers.loader import load_manifests
from schemas.api import Plan
from schemas.esim import DataUsage, EsimStatus, ProfileState, ServiceState
from tests.gateway.inventory.test_delivery_rules import drawn, read
from tests.kit.sold import CODE, ICCID, SEAL, sold


def deps(api):
    return api.client.app[state.DEPS]


async def seen(api, esim, **changes):
    at = datetime.now(UTC)
    fields = {
        "iccid": esim.iccid,
        "profile_state": ProfileState.ENABLED,
        "service_state": ServiceState.ACTIVE,
        "observed_at": at,
        "data": DataUsage(10240, 1536, 8704),
    }
    return await record(deps(api), esim.id, EsimStatus(**(fields | changes)))


# -- the API -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["id", "iccid"])
async def test_an_esim_is_told_with_its_state_data_and_age(api, by):
    esim = await sold(api.pool)
    await seen(api, esim)
    answer = await api.get(f"/v1/esims/{getattr(esim, by)}")
    told = await answer.json()
    assert answer.status == 200
    assert (told["id"], told["iccid"], told["order_id"]) == (esim.id, ICCID, esim.order_id)
    assert (told["profile_state"], told["service_state"]) == ("enabled", "active")
    assert told["data"] == {"total_mb": 10240, "used_mb": 1536, "remaining_mb": 8704}
    assert told["observed_at"]
    usage = await (await api.get(f"/v1/esims/{getattr(esim, by)}/usage")).json()
    assert usage == {"data": told["data"], "observed_at": told["observed_at"]}


async def test_an_esim_tells_what_its_supplier_says_of_the_line(api):
    esim = await sold(api.pool)
    names = ("apn", "msisdn", "imsi")
    shown = await (await api.get(f"/v1/esims/{esim.id}")).json()
    assert [shown[name] for name in names] == [None, None, None]
    await seen(api, esim, apn="internet", msisdn="+882912345678", imsi="901011234567890")
    shown = await (await api.get(f"/v1/esims/{esim.id}")).json()
    assert [shown[name] for name in names] == ["internet", "+882912345678", "901011234567890"]


async def test_an_esim_must_be_installed_by_a_day_that_its_plan_states(api):
    bought = datetime(2026, 11, 20, 10, tzinfo=UTC)
    limited = await sold(api.pool, at=bought, plan=example_of(Plan, {"features": {"install_within_days": 60}}))
    shown = await (await api.get(f"/v1/esims/{limited.id}")).json()
    assert shown["install_by"] == "2027-01-19T10:00:00Z"
    free = await sold(
        api.pool, plan=example_of(Plan, {"features": {"install_within_days": None}}), iccid="89" + "1" * 17
    )
    assert (await (await api.get(f"/v1/esims/{free.id}")).json())["install_by"] is None


async def test_nothing_of_it_but_the_order_and_the_pictures_shows_the_activation_code(api):
    esim = await sold(api.pool)
    await seen(api, esim)
    for path in ("", f"/{esim.id}", f"/{esim.id}/usage"):
        body = await (await api.get(f"/v1/esims{path}")).text()
        assert CODE not in body
        assert "K2-1QW34" not in body


@pytest.mark.parametrize("by", ["id", "iccid"])
async def test_the_pictures_decode_to_the_activation_code(api, by):
    esim = await sold(api.pool)
    png = await api.get(f"/v1/esims/{getattr(esim, by)}/qr.png")
    svg = await api.get(f"/v1/esims/{getattr(esim, by)}/qr.svg")
    assert (png.content_type, svg.content_type) == ("image/png", "image/svg+xml")
    assert read(await png.read()) == CODE
    assert read(drawn(await svg.read())) == CODE
    assert png.headers["Cache-Control"] == "private, no-store"


async def test_a_picture_is_bytes_to_who_accepts_nothing_else(api):
    esim = await sold(api.pool)
    for accept, kind in (("application/octet-stream",) * 2, ("image/png, application/octet-stream", "image/png")):
        answer = await api.get(f"/v1/esims/{esim.id}/qr.png", headers={"Accept": accept})
        assert (answer.status, answer.content_type) == (200, kind)
        assert read(await answer.read()) == CODE


async def test_an_esim_of_which_nothing_was_told_yet_answers_unknown_and_its_usage_503(api):
    esim = await sold(api.pool)
    answer = await api.get(f"/v1/esims/{esim.id}")
    shown = await answer.json()
    assert (answer.status, shown["profile_state"], shown["service_state"]) == (200, "unknown", "unknown")
    assert (shown["data"], shown["observed_at"], shown["can_topup"]) == (None, None, None)
    usage = await api.get(f"/v1/esims/{esim.id}/usage")
    assert (usage.status, (await usage.json())["code"]) == (503, "unavailable")
    assert "Retry-After" in usage.headers


PATHS = ("", "/usage", "/qr.svg", "/qr.png", "/topup-plans")


async def test_what_is_not_there_is_404(api):
    for name in ("esim_" + "0" * 24, "8999901000000000009", "nonsense", "a" * 3000):
        for path in PATHS:
            answer = await api.get(f"/v1/esims/{name}{path}")
            assert (name, path, answer.status) == (name, path, 404)
            assert (await answer.json())["code"] == "not_found"


async def test_another_storefront_s_esim_is_not_there_nor_is_one_of_the_other_mode(api):
    other = await sold(api.pool, owner="other shop")
    live = await sold(api.pool, mode="live", iccid="8944500102198765440")
    for name in (other.id, other.iccid, live.id, live.iccid):
        for path in PATHS:
            assert (path, (await api.get(f"/v1/esims/{name}{path}")).status) == (path, 404)
    assert (await (await api.get("/v1/esims")).json())["data"] == []


async def test_the_list_goes_on_page_by_page_newest_first(api):
    at = datetime.now(UTC)
    made = [await sold(api.pool, at=at - timedelta(minutes=n), iccid=f"89445001021987654{n:02}") for n in range(5)]
    assert [esim["id"] for esim in await api.rows("/v1/esims", 2)] == [esim.id for esim in made]


async def test_a_cursor_of_nowhere_leads_to_the_end_of_the_list(api):
    await sold(api.pool)
    other = await sold(api.pool, owner="other shop")
    for cursor in ("00", "ff", other.id.encode().hex()):
        page = await (await api.get(f"/v1/esims?cursor={cursor}")).json()
        assert (page["data"], page["has_more"]) == ([], False)


async def test_a_cancelled_esim_has_no_pictures(api):
    esim = await sold(api.pool, status="cancelled")
    assert (await api.get(f"/v1/esims/{esim.id}/qr.png")).status == 410


async def test_an_esim_whose_supplier_cannot_tell_answers_200_and_its_usage_501(make_api, sandbox):
    manifest = load_manifests()["beppay"]
    settings = {**manifest.sandbox_settings, "provider": "beppay", "base_url": sandbox.urls["beppay"], "mode": "test"}
    api = await make_api(suppliers={"beppay": settings}, scopes=["storefront"])
    esim = await sold(api.pool, supplier="beppay")
    for name in (esim.id, esim.iccid):
        answer = await api.get(f"/v1/esims/{name}", headers={"Cache-Control": "no-cache"})
        shown = await answer.json()
        assert (answer.status, shown["id"], shown["iccid"]) == (200, esim.id, esim.iccid)
        assert (shown["profile_state"], shown["service_state"]) == ("unknown", "unknown")
        assert (shown["data"], shown["expires_at"], shown["observed_at"]) == (None, None, None)
        assert shown["can_topup"] is False
    assert (await (await api.get("/v1/esims")).json())["data"] == [shown]
    answer = await api.get(f"/v1/esims/{esim.id}/usage")
    problem = await answer.json()
    assert (answer.status, problem["code"]) == (501, "not_supported")
    assert problem["detail"] == "esim_status: the usage of this eSIM cannot be read"
    assert read(await (await api.get(f"/v1/esims/{esim.id}/qr.png")).read()) == CODE


# -- the page ------------------------------------------------------------------------------------------------------


class Requests(HTMLParser):
    """Everything that a browser would fetch for a page by itself, and what it links to."""

    def __init__(self, text):
        super().__init__()
        self.fetched, self.links, self.tags = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for name, value in attributes:
            if tag == "a" and name == "href":
                self.links.append(value)
            elif name in {"src", "srcset", "href", "data", "action", "poster", "xlink:href", "background"}:
                self.fetched.append(value)


def page_of(esim):
    return url_of(PAGE.token(SEAL, esim.id, datetime.now(UTC), 30))


async def test_a_traveller_gets_the_page_without_a_key_and_its_picture_installs(api):
    esim = await sold(api.pool)
    answer = await api.with_key("").get(page_of(esim))
    text = await answer.text()
    assert (answer.status, answer.content_type) == (200, "text/html")
    assert read(drawn(re.search(r'role="img"[^>]*>(<svg.*?</svg>)', text, re.DOTALL)[1].encode())) == CODE
    for shown in ("smdp.example.com", "K2-1QW34-ABCDE", "1 GB", "7 days", "Japan"):
        assert shown in text


async def test_the_page_says_what_is_known_of_the_plan_and_of_the_line(api):
    facts = {"voice_minutes": 100, "sms_count": 50, "hotspot": False, "kyc_required": True, "install_within_days": 60}
    at = datetime.now(UTC)
    esim = await sold(api.pool, at=at, plan=example_of(Plan, {"features": facts}))
    await seen(api, esim, apn="internet", msisdn="+882912345678")
    text = await (await api.get(page_of(esim))).text()
    last = at + timedelta(days=60)
    for shown in (
        "Calls included: 100 minutes.",
        "Text messages included: 50.",
        "Its data cannot be shared with other devices.",
        "Keep your passport ready",
        f"Install it by {last:%B} {last.day}, {last.year}.",
        '(APN) of the travel line to: <code dir="ltr">internet</code>',
        "Phone number <bdi>+882912345678</bdi>",
    ):
        assert shown in text


async def test_the_page_is_silent_about_what_is_not_known(api):
    plan = example_of(Plan)
    plan["features"] = {"topup": True}
    text = await (await api.get(page_of(await sold(api.pool, plan=plan)))).text()
    for word in ("APN", "Phone number", "passport", "shared with", "included", "Install it by", "Data left"):
        assert word not in text


async def test_the_page_asks_for_nothing_but_its_own_manifest(api):
    esim = await sold(api.pool)
    page = page_of(esim)
    text = await (await api.get(page)).text()
    found = Requests(text)
    fetched = [link for link in found.fetched if link != "data:," and not link.startswith("#")]
    assert fetched == [f"{page.removeprefix('/e/')}/app.webmanifest?lang=en"]
    assert not {"iframe", "form", "img", "object"} & set(found.tags)
    assert {link.split("?")[0] for link in found.links if not link.startswith("?")} == {
        "https://esimsetup.apple.com/esim_qrcode_provisioning",
        "https://esimsetup.android.com/esim_qrcode_provisioning",
    }
    assert "url(" not in text
    assert "@import" not in text


async def test_the_page_is_kept_by_nobody_and_tells_nobody_where_one_came_from(api):
    headers = (await api.get(page_of(await sold(api.pool)))).headers
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in headers["X-Robots-Tag"]
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")


async def test_the_policy_lets_exactly_the_page_s_own_style_and_script_in(api):
    from base64 import b64encode
    from hashlib import sha256

    answer = await api.get(page_of(await sold(api.pool)))
    text, policy = await answer.text(), answer.headers["Content-Security-Policy"]
    for name in ("style", "script"):
        (own,) = re.findall(rf"<{name}>(.*?)</{name}>", text, re.DOTALL)
        assert f"{name}-src 'sha256-{b64encode(sha256(own.encode()).digest()).decode()}';" in policy
    assert "style=" not in text
    assert not re.search(r"<[^>]+\son[a-z]+\s*=", text)


async def test_an_address_that_is_wrong_or_over_shows_nothing(api):
    esim = await sold(api.pool)
    long_ago = PAGE.token(SEAL, esim.id, datetime.now(UTC) - timedelta(days=40), 30)
    unknown = PAGE.token(SEAL, "esim_" + "0" * 24, datetime.now(UTC), 30)
    good = PAGE.token(SEAL, esim.id, datetime.now(UTC), 30)
    for token in (long_ago, unknown, good[:-1] + ("A" if good[-1] != "A" else "B"), esim.id, "x", "%00"):
        answer = await api.get(f"/e/{token}")
        assert answer.status == 404
        assert "K2-1QW34" not in await answer.text()


@pytest.mark.parametrize("how", ["cancelled", "revoked", "no code"])
async def test_an_esim_that_cannot_be_installed_has_no_page(api, how):
    esim = await sold(
        api.pool, status="cancelled" if how == "cancelled" else "fulfilled", code=None if how == "no code" else CODE
    )
    if how == "revoked":
        await seen(api, esim, service_state=ServiceState.REVOKED)
    answer = await api.get(page_of(esim))
    assert answer.status == 410
    assert "K2-1QW34" not in await answer.text()


@pytest.mark.parametrize(("name", "kind"), [("svg_url", "image/svg+xml"), ("png_url", "image/png")])
async def test_a_picture_by_its_link_needs_no_key_and_any_page_may_show_it(api, name, kind):
    esim = await sold(api.pool)
    links = await (await api.get(f"/v1/esims/{esim.id}/qr-links")).json()
    answer = await api.with_key("").get(links[name])
    assert (answer.status, answer.content_type) == (200, kind)
    assert await answer.read() == await (await api.get(f"/v1/esims/{esim.id}/qr.{name[:3]}")).read()
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    ends = datetime.fromisoformat(links["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < ends <= timedelta(minutes=61)


async def test_a_picture_s_link_ends_and_opens_nothing_else(api):
    esim = await sold(api.pool)
    now = datetime.now(UTC)
    over, good = (PICTURE.token(SEAL, esim.id, now - timedelta(minutes=ago), 60) for ago in (62, 0))
    page = PAGE.token(SEAL, esim.id, now, 30)
    for path in (f"/e/{over}.png", f"/e/{page}.png", f"/e/{good}", f"/e/{good}.gif"):
        answer = await api.get(path)
        assert answer.status == 404, path
        assert "K2-1QW34" not in await answer.text()


async def test_a_cancelled_esim_has_no_picture(api):
    esim = await sold(api.pool, status="cancelled")
    assert (await api.get(f"/v1/esims/{esim.id}/qr-links")).status == 410
    token = PICTURE.token(SEAL, esim.id, datetime.now(UTC), 60)
    assert (await api.get(f"/e/{token}.svg")).status == 410


async def test_a_traveller_is_told_in_words_when_the_page_cannot_be_shown_now(make_api):
    api = await make_api(database_url="postgresql://127.0.0.1:1/none")
    answer = await api.get(url_of(PAGE.token(SEAL, "esim_" + "0" * 24, datetime.now(UTC), 30)))
    text = await answer.text()
    assert (answer.status, answer.content_type, answer.headers["Retry-After"]) == (503, "text/html", "30")
    assert "in a minute" in text
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")


async def test_a_supplier_s_words_stay_text(api):
    nasty = "<script>alert(1)</script>{{7*7}}"
    plan = example_of(Plan, {"name": nasty, "countries": [], "data": {"declared": nasty}})
    text = await (await api.get(page_of(await sold(api.pool, plan=plan)))).text()
    assert "<script>alert" not in text
    assert "{{7*7}}" in text
    assert "&lt;script&gt;" in text


async def test_a_code_that_wants_a_confirmation_code_says_so(api):
    esim = await sold(api.pool, code=CODE + "$$1")
    assert "asked for a confirmation code" in await (await api.get(page_of(esim))).text()


async def test_the_address_never_stands_in_the_log(api):
    esim = await sold(api.pool)
    address = page_of(esim)
    await api.get(address)
    await asyncio.sleep(0)
    api.client.app[state.ACCESS_LOG].flush()
    lines = b"".join(api.lines).decode()
    assert "/e/{token}" in lines
    assert address.removeprefix("/e/") not in lines
