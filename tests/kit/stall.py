"""A small supplier for tests of the sync: a real shop over HTTP, whose shelves a test fills and spoils."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, ClassVar

import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.kit.pool import Pool
from gateway.kit.settings import Settings, load
from gateway.suppliers import supplier_rows
from gateway.suppliers.accounts import Account
from gateway.sync.run import run_sync
from providers.contract import Capability, CatalogPage, Manifest, Provider, SupplierSettings
from providers.kit.rate_limiter import MemoryRateLimiter
from providers.loader import open_provider
from providers.page_reader import Reader
from schemas.errors import UnreadableAnswer
from schemas.money import Money
from schemas.plan import DataAllowance, Features, Offer, SetAside, SetAsideReason, Validity, nominal_mb


@dataclass(frozen=True)
class Thing:
    """One item on a shelf."""

    id: str
    cost: str | None = "5.00"
    country: str = "JP"
    mb: int | None = 1024
    days: int = 7
    stock: int | None = None
    currency: str = "USD"
    name: str = "a plan"
    visible: bool = True
    sms: int | None = None


@dataclass
class Stall:
    """What the shop has, and how it misbehaves."""

    things: list[Thing] = field(default_factory=list)
    unmappable: list[str] = field(default_factory=list)
    other_products: int = 0
    page_size: int = 5
    html: bool = False
    vanish_after_page: int | None = None
    status: int = 200
    hold: asyncio.Event | None = None
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    requests: int = 0

    def reprice(self, id_: str, cost: str | None) -> None:
        self.change(id_, cost=cost)

    def change(self, id_: str, **fields: Any) -> None:
        self.things = [replace(t, **fields) if t.id == id_ else t for t in self.things]

    def drop(self, *ids: str) -> None:
        self.things = [t for t in self.things if t.id not in ids]

    def times(self, factor: str) -> None:
        self.things = [replace(t, cost=str(Decimal(t.cost) * Decimal(factor))) for t in self.things if t.cost]

    async def page(self, request: web.Request) -> web.Response:
        self.requests += 1
        self.reached.set()
        if self.hold is not None:
            await self.hold.wait()
        number = int(request.query["page"])
        if self.html:
            return web.Response(text="<html>maintenance</html>", content_type="text/html")
        if self.status != 200 or (self.vanish_after_page is not None and number > self.vanish_after_page):
            return web.Response(status=self.status if self.status != 200 else 503)
        at = (number - 1) * self.page_size
        rows = [{k: getattr(t, k) for k in Thing.__dataclass_fields__} for t in self.things[at : at + self.page_size]]
        last = at + self.page_size >= len(self.things)
        aside = self.unmappable if last else []
        return web.json_response({"things": rows, "unmappable": aside, "total": len(self.things), "last": last})


class Row(msgspec.Struct):
    id: str
    cost: str | None
    country: str
    mb: int | None
    days: int
    stock: int | None
    currency: str
    name: str
    visible: bool
    sms: int | None = None


class Page(msgspec.Struct):
    things: list[Row]
    unmappable: list[str]
    total: int
    last: bool


class StallProvider(Provider):
    async def catalog(self) -> AsyncIterator[CatalogPage]:  # type: ignore[override]
        number, last = 0, False
        while not last:
            number += 1
            page = await self.transport.read("/things", Page, params={"page": str(number)})
            if not page.things and not page.last:
                raise UnreadableAnswer("an empty page")
            last = page.last
            yield CatalogPage(
                offers=tuple(_offer(row) for row in page.things),
                set_aside=tuple(
                    SetAside(id_, f"thing {id_}", SetAsideReason.NO_VALIDITY, "no days", b'{"days": null}')
                    for id_ in page.unmappable
                ),
                total=page.total,
            )


class RawPage(msgspec.Struct):
    things: list[msgspec.Raw]
    last: bool


class RecallingProvider(Provider):
    """Reads items one by one, and none that a sync recalls."""

    read: ClassVar[list[str]] = []

    async def catalog(self) -> AsyncIterator[CatalogPage]:  # type: ignore[override]
        reader = Reader(self._item, lambda raw: msgspec.json.decode(raw, type=Row).id, self.recall)
        number, last = 0, False
        while not last:
            number += 1
            page = await self.transport.read("/things", RawPage, params={"page": str(number)})
            last = page.last
            yield reader(page.things).page

    def _item(self, raw: msgspec.Raw) -> Offer:
        offer = _offer(msgspec.json.decode(raw, type=Row))
        self.read.append(offer.supplier_plan_id)
        return offer


def _offer(row: Row) -> Offer:
    mb = None if row.mb is None else nominal_mb(row.mb)
    data = DataAllowance(mb, "unlimited" if row.mb is None else f"{row.mb} MB", unlimited=row.mb is None)
    cost = None if row.cost is None else Money.of(row.cost, row.currency)
    features = Features(sms_count=row.sms)
    offer = Offer(row.id, row.name, (row.country,), data, Validity(row.days), cost, features=features)
    return msgspec.structs.replace(offer, stock=row.stock, visible=row.visible)


def manifest(name: str = "stall", provider: type[Provider] = StallProvider) -> Manifest:
    return Manifest(name, name.title(), frozenset({Capability.CATALOG}), SupplierSettings, provider)


def shelf(count: int, **fields: Any) -> list[Thing]:
    """So many different plans, by number: alike enough to have one cost, of which one more day makes no other."""
    return [Thing(f"p{n:03}", days=30 + n, **fields) for n in range(count)]


@dataclass
class Market:
    """Several stalls, open, with their accounts in the database."""

    pool: Pool
    settings: Settings
    accounts: dict[str, Account]
    stalls: dict[str, Stall]

    async def fetch(self, sql: str, *args: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.pool.fetch(sql, *args)]

    async def one(self, sql: str, *args: Any) -> Any:
        return await self.pool.fetchval(sql, *args)


@asynccontextmanager
async def market(
    pool: Pool,
    state_dir: Any,
    stalls: dict[str, Stall],
    *,
    providers: dict[str, str] | None = None,
    of: type[Provider] = StallProvider,
    **sync: Any,
) -> AsyncIterator[Market]:
    """Open the stalls. ``providers`` gives a stall another provider's name than its own."""
    settings = load(state_dir=str(state_dir), sync=sync) if sync else load(state_dir=str(state_dir))
    accounts: dict[str, Account] = {}
    servers: list[TestServer] = []
    for name, stall in stalls.items():
        app = web.Application()
        app.router.add_get("/things", stall.page)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        sort = manifest((providers or {}).get(name, name), of)
        limiter = MemoryRateLimiter(name)
        account = SupplierSettings(provider=sort.name, base_url=str(server.make_url("")), timeout_seconds=5)
        accounts[name] = Account(name, sort, account, open_provider(sort, name, account, limiter), limiter)
    await supplier_rows.register(
        pool, [supplier_rows.Configured(a.name, a.manifest.name, a.settings.mode) for a in accounts.values()]
    )
    try:
        yield Market(pool, settings, accounts, stalls)
    finally:
        for account in accounts.values():
            await account.provider.close()
        for server in servers:
            await server.close()


@asynccontextmanager
async def synced_stall(
    pool: Pool, state_dir: Any, things: list[Thing], **options: Any
) -> AsyncIterator[tuple[Stall, Market]]:
    """The market of one stall, "a", that was synced once."""
    stall = Stall(things)
    async with market(pool, state_dir, {"a": stall}, **options) as m:
        await run_sync(pool, m.accounts, m.settings)
        yield stall, m


def parts(run: Any) -> dict[str, Any]:
    return {part.supplier: part for part in run.suppliers}


def ids(rows: Iterable[dict[str, Any]]) -> list[str]:
    return sorted(row["supplier_plan_id"] for row in rows)
