"""The API on real PostgreSQL and Valkey, with a small catalogue that a test can change."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient

from gateway.access.key_rows import create_key
from gateway.api import state
from gateway.api.keyring import Keyring
from gateway.app import make_app
from gateway.catalog.browse import Catalog
from gateway.catalog.index import Index
from gateway.catalog.index.build import Terms
from gateway.catalog.index.overlay import Overlay, SupplierState
from gateway.catalog.publish import publish
from gateway.kit.log import AccessLog
from gateway.kit.pool import Pool
from gateway.kit.settings import Settings, load
from gateway.pricing.price_rules import PriceRule, Rates
from gateway.pricing.pricing_rules import only
from gateway.pricing.rate_files import shipped
from schemas.page import Page
from schemas.plan import Features
from tests.kit.answers import read
from tests.kit.gateway_server import GatewayServer
from tests.kit.made_up_market import Item, Market, offer
from tests.kit.sandboxed import Town, stock_from
from tests.kit.secret_keys import SECRET_KEY
from tests.kit.shelf import stock
from tests.kit.working import waking

KNOWN = Features(
    hotspot=True, phone_number=True, kyc_required=False, usage=True, refundable=False, not_exit_countries=("CN", "HK")
)
ITEMS = [
    Item("a", offer("JP1", cost="5.00")),
    Item("b", offer("JP1", cost="4.50", five_g="JP")),
    Item("a", offer("JP3", mb=3072, cost="9.00")),
    Item("b", offer("JPKR", countries="JP KR", mb=3072, days=10, cost="11.00", operator="{} Docomo", features=KNOWN)),
    Item("a", offer("FR1", countries="FR", cost="3.00", stock=0)),
    Item("b", offer("FR2", countries="FR", mb=2048, cost="4.00")),
]


class StandingCatalog:
    """A catalogue that changes only when a test says so."""

    loaded = True
    degraded: tuple[str, ...] = ()

    def __init__(self, items: list[Item]) -> None:
        self.markets = {mode: _market(items, mode) for mode in ("live", "test")}
        self.indexes: dict[str, Index] = {}
        self.refreshed = 0
        self.rebuild()

    def rebuild(self) -> None:
        self.indexes = {mode: market.index(datetime.now(UTC)) for mode, market in self.markets.items()}

    def index(self, mode: str, _storefront_id: str | None = None) -> Index:
        return self.indexes[mode]

    async def refresh(self) -> None:
        self.refreshed += 1

    async def refresh_wholly(self) -> None:
        self.refreshed += 1

    async def close(self) -> None:
        return


def _market(items: list[Item], mode: str) -> Market:
    now = datetime.now(UTC)
    # The live catalogue lacks the last item, so that a test can tell the two apart.
    market = Market(list(items if mode == "test" else items[:-1]), mode)
    rates = Rates("USD", {rate.currency: rate.rate for rate in shipped("USD")})
    market.terms, market.rules = Terms(rates), only(PriceRule())
    states = tuple(
        SupplierState(name, mode, last_good_at=now - timedelta(minutes=1), last_sync_state="ok") for name in "abc"
    )
    market.overlay = Overlay(states)
    return market


@dataclass
class Api:
    """A running API and what a test needs to talk to it."""

    client: TestClient[Any, Any]
    pool: Pool
    catalog: StandingCatalog
    lines: list[bytes]
    key: str = ""

    @property
    def keyring(self) -> Keyring:
        return self.client.app[state.KEYRING]

    async def make_key(self, *scopes: str, mode: Any = "test", **more: Any) -> str:
        made = await create_key(self.pool, storefront="shop", mode=mode, scopes=scopes or ("storefront",), **more)
        return made.key

    def with_key(self, key: str) -> Api:
        return replace(self, key=key)

    async def ask(self, method: str, path: str, **more: Any) -> ClientResponse:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        headers |= more.pop("headers", {})
        return await self.client.request(method, path, headers=headers, **more)

    async def get(self, path: str, **more: Any) -> ClientResponse:
        return await self.ask("GET", path, **more)

    async def read(self, path: str, kind: Any = Any, status: int = 200) -> Any:
        return await read(await self.get(path), kind, status)

    async def rows(self, path: str, limit: int = 200, kind: Any = Any) -> list[Any]:
        """Every row of a list, page by page."""
        found: list[Any] = []
        path, cursor = f"{path}{'&' if '?' in path else '?'}limit={limit}", ""
        for _ in range(200):
            page = await self.read(path + cursor, Page[kind])
            found += page.data
            assert page.has_more == (page.next_cursor is not None)
            if not page.has_more:
                return found
            cursor = f"&cursor={page.next_cursor}"
        raise AssertionError("the list does not end")

    async def post(self, path: str, **more: Any) -> ClientResponse:
        return await self.ask("POST", path, **more)


MakeApi = Callable[..., Awaitable[Api]]


@pytest.fixture
async def make_api(database_url: str, redis_url: str, pool: Pool, tmp_path: Any) -> AsyncIterator[MakeApi]:
    """Start an API with settings of its own, on a catalogue that stands still.

    ``own_catalog`` is the one that it would open by itself, ``published`` one with these items, ``synced`` with those
    of the configured suppliers. With ``scopes`` it has a key that has them.
    """
    clients = []
    workers = AsyncExitStack()

    async def start(
        items: list[Item] = ITEMS,
        *,
        published: bool = False,
        synced: bool = False,
        own_catalog: bool = False,
        scopes: Sequence[str] = (),
        **settings: Any,
    ) -> Api:
        given: dict[str, Any] = {
            "database_url": database_url,
            "redis_url": redis_url,
            "state_dir": tmp_path,
            "secret_key": [SECRET_KEY],
        }
        made = load(**(given | settings))
        if synced:
            await stock_from(pool, made)
        elif published:
            await stock(pool, items, mode="test")
            await publish(pool, None, made)
        catalog = StandingCatalog(items)

        async def open_standing(_settings: Settings, _pool: Any, _redis: Any) -> Any:
            return catalog

        lines: list[bytes] = []
        opened = Catalog.open if synced or published or own_catalog else open_standing
        app = make_app(made, access_log=AccessLog(lines.append), open_catalog=opened)
        client = TestClient(GatewayServer(app))
        await client.start_server()
        clients.append(client)
        if synced:
            await workers.enter_async_context(waking(app[state.DEPS]))
        api = Api(client, pool, catalog, lines)
        return api.with_key(await api.make_key(*scopes)) if scopes else api

    yield start
    await workers.aclose()
    for client in clients:
        await client.close()


@pytest.fixture
async def api(make_api: MakeApi) -> Api:
    """An API and a storefront's test key."""
    return await make_api(scopes=["storefront"])


@pytest.fixture
async def ops(make_api: MakeApi) -> Api:
    """An API and an operator's test key."""
    return await make_api(scopes=["ops"])


@dataclass
class Shop:
    """An API that sells what the sandboxes sell, with a storefront's key and an operator's."""

    api: Api
    ops: Api
    town: Town

    async def plan(self, place: str = "country=BV&triggers=true", **words: Any) -> dict[str, Any]:
        """The cheapest plan for a filter."""
        query = "&".join([place, *(f"{name}={value}" for name, value in words.items())])
        return (await (await self.api.get(f"/v1/plans?limit=1&{query}")).json())["data"][0]

    async def order(self, body: Any, key: str = "", *, wait: int = 30, api: Api | None = None) -> ClientResponse:
        headers = {"Idempotency-Key": key or f"key-{next(_keys)}", "Prefer": f"wait={wait}"}
        return await (api or self.api).post("/v1/orders", json=body, headers=headers)


_keys = itertools.count(1)


@pytest.fixture
async def shop(make_api: MakeApi, suppliers: Town) -> Shop:
    """A shop that sells what the sandboxes sell."""
    api = await make_api(synced=True, suppliers=suppliers.accounts())
    return Shop(
        api.with_key(await api.make_key("storefront")),
        api.with_key(await api.make_key("storefront", "ops", "routing")),
        suppliers,
    )
