"""The PikaSim sandbox over HTTP, as its page describes the supplier, and the client's walk through it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from aiohttp import ClientSession

from providers.pikasim import MANIFEST
from providers.pikasim.sandbox import routes
from providers.simulator import Fault, FaultKind, SandboxWorld, Trigger, TriggerKind
from schemas.errors import NotFound, SupplierError, UnreadableAnswer
from schemas.plan import Offer
from tests.kit.receiver import receiving
from tests.providers.shop import Shop, amount_of, open_shop

KEY = {"X-API-Key": MANIFEST.sandbox_settings["api_key"]}


@pytest.fixture
async def http(shop: Shop) -> AsyncIterator[ClientSession]:
    async with ClientSession(base_url=f"{shop.provider.transport.base_url}/") as session:
        yield session


async def codes(http: ClientSession, **query: str) -> set[str]:
    async with http.get("packages", params={"limit": "200", **query}, headers=KEY) as answer:
        return {package["packageCode"] for package in (await answer.json())["data"]["packages"]}


@pytest.mark.parametrize("headers", [{}, {"X-API-Key": "wrong"}, {"Authorization": KEY["X-API-Key"]}])
async def test_without_the_key_nothing_is_told(http: ClientSession, headers: dict[str, str]) -> None:
    async with http.get("packages", headers=headers) as answer:
        assert answer.status == 401
        assert await answer.json() == {"success": False, "error": "Invalid or missing API key"}


async def test_a_page_is_50_packages_unless_asked_and_200_at_most(http: ClientSession, world: SandboxWorld) -> None:
    listed = sum(item.visible and item.in_stock for item in world.items("pikasim"))
    for asked, limit in (({}, 50), ({"limit": "7"}, 7), ({"limit": "5000"}, 200)):
        async with http.get("packages", params={**asked, "page": "2"}, headers=KEY) as answer:
            data = (await answer.json())["data"]
            assert len(data["packages"]) == limit
            assert data["pagination"] == {"page": 2, "limit": limit, "total": listed, "pages": -(-listed // limit)}


async def test_every_answer_says_what_is_left_of_the_rate(http: ClientSession, world: SandboxWorld) -> None:
    world.enforce_rate_limits = True
    async with http.get("account", headers=KEY) as first, http.get("balance", headers=KEY) as second:
        assert first.headers["X-RateLimit-Limit"] == "60"
        left = [int(answer.headers["X-RateLimit-Remaining"]) for answer in (first, second)]
        assert left in ([59, 58], [59, 59])  # the same minute, or the next one
        assert (await second.json())["data"]["balance"] == 1_000_000


async def test_only_the_events_that_were_asked_for_are_notified(http: ClientSession, world: SandboxWorld) -> None:
    async def order(reference: str) -> None:
        body = {"packageCode": "JP-1GB-7D", "externalOrderId": reference}
        async with http.post("orders", json=body, headers=KEY) as answer:
            assert answer.status == 201

    simulator = world.simulator("pikasim")
    simulator.delivery_seconds = 0
    async with receiving() as hook:
        wanted = {"webhookUrl": hook.url, "webhookEvents": ["order.failed"]}
        async with http.put("webhook", json=wanted, headers=KEY) as answer:
            assert (await answer.json())["data"] == wanted
        await order("DELIVERED")
        simulator.triggers.add(Trigger(TriggerKind.FAILED_AFTER_PROCESSING))
        await order("FAILED")
        ((_, body),) = await hook.until(1)
        assert msgspec.json.decode(body)["data"]["externalOrderId"] == "FAILED"
        async with http.put("webhook", json={"webhookUrl": hook.url}, headers=KEY) as answer:
            assert answer.status == 200
        await order("DELIVERED-TOO")
        _, (_, body) = await hook.until(2)
        assert msgspec.json.decode(body)["event"] == "esim.provisioned"


async def test_the_days_of_an_esim_do_not_run_before_it_is_installed(http: ClientSession, world: SandboxWorld) -> None:
    world.simulator("pikasim").delivery_seconds = 0
    async with http.post("orders", json={"packageCode": "JP-1GB-7D"}, headers=KEY) as answer:
        assert answer.status == 201
    (esim,) = world.simulator("pikasim").esims()

    async def shown() -> list[str | None]:
        texts = []
        for path in (f"esims/{esim.iccid}", f"esims/{esim.iccid}/usage"):
            async with http.get(path, headers=KEY) as answer:
                texts.append((await answer.json())["data"]["expireTime"])
        return texts

    assert await shown() == [None, None]
    async with http.post(f"_sandbox/esims/{esim.iccid}", json={"profile": "downloaded"}) as answer:
        assert answer.status == 200
    assert await shown() == [None, None]
    began = datetime.now(UTC)
    async with http.post(f"_sandbox/esims/{esim.iccid}", json={"profile": "installed"}) as answer:
        assert answer.status == 200
    first, second = await shown()
    assert first == second
    assert first is not None
    ends = datetime.fromisoformat(first)
    assert began - timedelta(milliseconds=1) <= ends - timedelta(days=7) <= datetime.now(UTC)
    async with http.post(f"_sandbox/esims/{esim.iccid}", json={"used_mb": 100}) as answer:
        assert answer.status == 200
    assert await shown() == [first, first]


def test_its_webhooks_are_signed_as_openssl_signs() -> None:
    # printf %s BODY | openssl dgst -sha256 -hmac pikasim-sandbox-webhook-secret
    body = b'{"event":"order.failed","data":{"orderId":"65a4f8ca"}}'
    webhooks = routes.RULES.webhooks
    assert webhooks is not None
    assert webhooks.sign(MANIFEST.sandbox_settings["webhook_secret"], {}, body, datetime.now(UTC)) == {
        "X-Webhook-Signature": "8321bdee6227e0920326adc9800341025f2df78790d55e5c068800251baf4e47"
    }


@pytest.mark.parametrize(
    "query", [{"page": "0"}, {"page": "x"}, {"limit": "-1"}, {"privacy": "some"}, {"minData": "a"}]
)
async def test_a_query_that_is_wrong_is_a_400(http: ClientSession, query: dict[str, str]) -> None:
    async with http.get("packages", params=query, headers=KEY) as answer:
        assert answer.status == 400
        assert not (await answer.json())["success"]


async def test_the_filters_of_the_page_narrow_the_list(http: ClientSession, world: SandboxWorld) -> None:
    items = {item.key: item for item in world.items("pikasim")}
    japan = await codes(http, country="jp")
    assert {"JP-1GB-7D", "JP-5GB-30D"} <= japan
    assert all("JP" in items[code].countries for code in japan)
    assert {items[code].days for code in await codes(http, country="JP", duration="7")} == {7}
    small = await codes(http, country="JP", maxData="1")
    assert small
    assert all((items[code].mb or 9999) <= 1024 for code in small)
    large = await codes(http, country="JP", minData="20")
    assert large
    assert all(items[code].unlimited or (items[code].mb or 0) >= 20 * 1024 for code in large)
    europe = await codes(http, region="europe")
    assert europe
    assert {items[code].region for code in europe} == {"Europe"}
    private, standard = (
        await codes(http, country="JP", privacy="max"),
        await codes(http, country="JP", privacy="standard"),
    )
    assert private | standard == japan
    assert not private & standard


async def test_a_regional_package_names_all_its_countries(shop: Shop, world: SandboxWorld) -> None:
    offers = {offer.supplier_plan_id: offer for offer in (await shop.walk()).offers}
    clean = [item for item in world.items("pikasim") if item.key in offers]
    assert len(clean) > 1000
    for item in clean:
        found = offers[item.key]
        assert (found.coverage, found.validity.days, found.data.mb) == (item.countries, item.days, amount_of(item))
        assert set(found.networks) == set(item.networks)


async def test_a_sold_out_package_is_neither_listed_nor_told(shop: Shop, world: SandboxWorld) -> None:
    before = await shop.walk()
    assert isinstance(await shop.provider.plan("JP-1GB-7D"), Offer)
    world.set_stock("pikasim", "JP-1GB-7D", 0)
    assert set(before.keys) - set((await shop.walk()).keys) == {"JP-1GB-7D"}
    with pytest.raises(NotFound):
        await shop.provider.plan("JP-1GB-7D")


async def test_one_package_is_told_at_its_price_of_now(shop: Shop, world: SandboxWorld) -> None:
    world.set_price("pikasim", "JP-1GB-7D", Decimal("3.21"))
    found = await shop.provider.plan("JP-1GB-7D")
    assert isinstance(found, Offer)
    assert str(found.cost) == "3.21 USD"


async def test_another_package_than_the_one_asked_for_is_no_answer(shop: Shop) -> None:
    shop.tamper = lambda _request, body: body.replace(b"JP-1GB-7D", b"JP-1GB-8D")
    with pytest.raises(UnreadableAnswer, match="another package"):
        await shop.provider.plan("JP-1GB-7D")


@pytest.mark.parametrize("kind", [FaultKind.WRONG_TOTAL, FaultKind.EMPTY_PAGES, FaultKind.VANISH_MIDWAY])
async def test_a_walk_that_is_not_whole_ends_in_an_error(shop: Shop, world: SandboxWorld, kind: FaultKind) -> None:
    world.add_fault("pikasim", Fault(kind))
    with pytest.raises(SupplierError) as caught:
        await shop.walk()
    assert caught.value.supplier == shop.provider.name


async def test_a_page_that_fails_leaves_no_request_behind(world: SandboxWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is bad however often it is asked for: a read that was too slow on a busy machine is asked again."""
    async with open_shop(MANIFEST, world) as shop:
        running: Counter[str] = Counter()
        read = shop.provider.transport.read

        async def counted(path: str, *arguments: Any, **options: Any) -> Any:
            running[path] += 1
            try:
                return await read(path, *arguments, **options)
            finally:
                running[path] -= 1

        monkeypatch.setattr(shop.provider.transport, "read", counted)
        shop.tamper = lambda request, body: b"<html>" if request.query.get("page") == "3" else body
        with pytest.raises(UnreadableAnswer):
            await shop.walk()
        assert running == {"/packages": 0}
        shop.tamper = None
        assert (await shop.walk()).offers


async def test_a_walk_is_whole_although_pages_came_too_late_and_were_asked_for_again(world: SandboxWorld) -> None:
    world.add_fault("pikasim", Fault(FaultKind.SLOW, after=2, calls=2, seconds=600))
    listed = {item.key for item in world.items("pikasim") if item.visible and item.in_stock}
    async with open_shop(MANIFEST, world, timeout_seconds=5) as shop:
        walk = await shop.walk()
    assert set(walk.keys) == listed
    assert len(walk.keys) == len(listed)


@pytest.mark.no_cover  # other tests run the same lines
@pytest.mark.parametrize("page", range(1, 7))
async def test_no_walk_is_whole_without_one_of_its_pages(shop: Shop, world: SandboxWorld, page: int) -> None:
    """Neither a page in HTML nor one with a package less, nor another page in its place, is taken for it."""
    listed = sum(item.visible and item.in_stock for item in world.items("pikasim"))
    assert -(-listed // 200) == 6

    def shorter(body: bytes) -> bytes:
        answer = msgspec.json.decode(body)
        answer["data"]["packages"].pop()
        return msgspec.json.encode(answer)

    def another(body: bytes) -> bytes:
        answer = msgspec.json.decode(body)
        answer["data"]["pagination"]["page"] = page % 6 + 1
        return msgspec.json.encode(answer)

    for spoil in (lambda _body: b"<html>", shorter, another):
        shop.tamper = lambda request, body, spoil=spoil: spoil(body) if request.query.get("page") == str(page) else body
        with pytest.raises(UnreadableAnswer):
            await shop.walk()


async def test_a_walk_that_is_left_early_stops_asking(shop: Shop, world: SandboxWorld) -> None:
    walk = shop.provider.catalog()
    await anext(walk)
    await anext(walk)
    await walk.aclose()
    assert world.calls("pikasim")["/packages"] <= 5
