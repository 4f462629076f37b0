"""The BepPay sandbox over HTTP, as its page describes the supplier, and the client's walk through it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web

from providers.beppay import MANIFEST
from providers.simulator import Fault, FaultKind, SandboxWorld
from schemas.errors import UnreadableAnswer
from tests.providers.shop import Shop, amount_of

KEY = MANIFEST.sandbox_settings["api_key"]
PRIVATE = ["balance", "keys", "esim/orders", "virtual-numbers/orders"]


@pytest.fixture
async def http(shop: Shop) -> AsyncIterator[ClientSession]:
    async with ClientSession(base_url=f"{shop.provider.transport.base_url}/api/partner/") as session:
        yield session


@pytest.mark.parametrize("path", ["esim/plans", "virtual-numbers/countries", "virtual-numbers/tiers"])
async def test_the_catalogue_is_public(http: ClientSession, path: str) -> None:
    async with http.get(path) as answer:
        body = await answer.json()
        assert (answer.status, body["success"]) == (200, True)
        assert body["total"] == len(body["data"]) > 0


@pytest.mark.parametrize("path", PRIVATE)
async def test_what_is_not_the_catalogue_takes_the_key_in_either_header(http: ClientSession, path: str) -> None:
    for headers in ({"Authorization": f"Bearer {KEY}"}, {"X-API-Key": KEY}):
        async with http.get(path, headers=headers) as answer:
            assert answer.status == 200
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"X-API-Key": "wrong"}):
        async with http.get(path, headers=headers) as answer:
            assert answer.status == 401
            assert await answer.json() == {"success": False, "error": "Invalid or missing API key"}


async def test_a_key_does_not_open_the_dashboard(http: ClientSession) -> None:
    async with http.get("../auth/me", headers={"X-API-Key": KEY}) as answer:
        assert answer.status == 401
        assert (await answer.json())["error"] == "Not authenticated"


async def test_the_key_does_not_travel_where_it_is_not_needed(shop: Shop) -> None:
    sent: list[str] = []

    def watch(request: web.Request, body: bytes) -> bytes:
        sent.extend(f"{name}: {value}" for name, value in request.headers.items())
        return body

    shop.tamper = watch
    await shop.walk()
    assert sent
    assert not [line for line in sent if KEY in line]


async def test_every_plan_is_read_as_it_was_meant(shop: Shop, world: SandboxWorld) -> None:
    offers = {offer.supplier_plan_id: offer for offer in (await shop.walk()).offers}
    clean = [item for item in world.items("beppay") if item.key in offers]
    assert len(clean) > 1000
    for item in clean:
        found = offers[item.key]
        assert found.cost is not None
        assert (found.coverage, found.validity.days, found.cost.amount) == (item.countries, item.days, item.price)
        assert (found.data.mb, found.data.unlimited, found.visible) == (amount_of(item), item.unlimited, item.visible)


async def test_hidden_plans_are_listed_as_hidden(shop: Shop, world: SandboxWorld) -> None:
    hidden = {item.key for item in world.items("beppay") if not item.visible}
    assert hidden
    assert {offer.supplier_plan_id for offer in (await shop.walk()).offers if not offer.visible} == hidden


async def test_a_total_that_differs_from_the_rows_is_a_warning(shop: Shop, world: SandboxWorld) -> None:
    world.add_fault("beppay", Fault(FaultKind.WRONG_TOTAL))
    pages = [page async for page in shop.provider.catalog()]
    rows = len(world.items("beppay"))
    warnings = [warning for page in pages for warning in page.warnings]
    assert warnings == [f"total says {rows + 137}, the list has {rows} plans"]
    assert sum(len(page.offers) + len(page.set_aside) for page in pages) == rows
    assert {page.total for page in pages} == {rows}


async def test_an_empty_list_of_many_plans_is_no_list(shop: Shop) -> None:
    shop.tamper = lambda _request, _body: json.dumps({"success": True, "data": [], "total": 1520}).encode()
    with pytest.raises(UnreadableAnswer, match="1520"):
        await shop.walk()
    shop.tamper = lambda _request, _body: json.dumps({"success": True, "data": [], "total": 0}).encode()
    assert (await shop.walk()).accounted == 0
