"""What changed at the suppliers: pages of the feed, and what it comes to since a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from gateway.kit.pages import PageRequest, price_of, write_cursor
from gateway.kit.pool import Pool
from gateway.kit.settings import Settings
from gateway.prices import change_rows
from gateway.prices.change_rows import SORTS, Place
from gateway.prices.change_rules import EVENT_KINDS, ChangeFilter, move
from gateway.pricing.rates import rates_now
from schemas.api_changes import Change, ChangeSummary, CountryChanges, SupplierChanges
from schemas.money import Money
from schemas.page import Page

# A page looks at so many rows at first, then at more, until it is full or has looked at enough.
_CHUNKS = (500, 3_000, 6_000)
SUMMED = 5_000  # a summary by country looks at so many of the newest changes
LARGEST, _AMONG = 10, 4_000  # so many that moved furthest, among so many of the newest prices
_NAME = 300


async def feed(pool: Pool, settings: Settings, wanted: ChangeFilter, page_request: PageRequest) -> Page[Change]:
    """A page of changes, the newest first or as it is sorted. It may be short, even empty, although it ``has_more``."""
    rates = await rates_now(pool, settings)
    offers = None if wanted.plan_id is None else await change_rows.offers_of(pool, wanted.plan_id)
    key, position = SORTS.key(page_request), SORTS.position(page_request)
    if offers == [] or position is None:
        return Page.complete([])
    place = Place(*position) if position else None
    found: list[dict[str, Any]] = []
    for scan_limit in _CHUNKS if wanted.picks else (page_request.fetch,):
        left = page_request.fetch - len(found)
        chunk = await change_rows.chunk(
            pool,
            wanted,
            rates.worth,
            after=place,
            scan_limit=max(scan_limit, left),
            limit=left,
            offers=offers,
            oldest_first=page_request.sort is not None,
        )
        found += chunk.rows
        place = chunk.edge
        if place is None or len(found) == page_request.fetch:
            break
    page = page_request.page(found, key).map(lambda row: present(row, rates.base))
    if page.has_more or place is None:
        return page
    return Page(page.data, has_more=True, next_cursor=write_cursor(*key(asdict(place))))


async def summary(
    pool: Pool,
    settings: Settings,
    since: datetime,
    *,
    mode: str | None = None,
    suppliers: tuple[str, ...] = (),
) -> ChangeSummary:
    """What changed since then: for each supplier over all its syncs, for each country over the newest changes."""
    rates = await rates_now(pool, settings)
    wanted = ChangeFilter(since=since, mode=mode, suppliers=suppliers)
    (countries, seen), largest, of_suppliers = await asyncio.gather(
        change_rows.by_country(pool, wanted, rates.worth, SUMMED),
        largest_moves(pool, settings, wanted, LARGEST),
        change_rows.by_supplier(pool, since, mode, suppliers),
    )
    return ChangeSummary(
        since=since,
        until=datetime.now(UTC),
        suppliers=[SupplierChanges(**row) for row in of_suppliers],
        countries=[CountryChanges(**row) for row in countries],
        largest=largest,
        looked_at=seen,
        complete=seen < SUMMED,
    )


async def largest_moves(pool: Pool, settings: Settings, wanted: ChangeFilter, limit: int) -> list[Change]:
    """The costs that moved furthest by share, among the newest 4,000 that are wanted."""
    moved = msgspec.structs.replace(wanted, kinds=frozenset({"up", "down"}))
    rates = await rates_now(pool, settings)
    rows = await change_rows.largest(pool, moved, rates.worth, _AMONG, limit)
    return [present(row, rates.base) for row in rows]


async def by_supplier(pool: Pool, since: datetime, mode: str | None) -> list[SupplierChanges]:
    """What the syncs of each supplier since then came to."""
    return [SupplierChanges(**row) for row in await change_rows.by_supplier(pool, since, mode, ())]


async def suppliers_of(pool: Pool, mode: str | None) -> list[str]:
    """The names of all suppliers, or of those in one mode, also of those that are configured no longer."""
    return await change_rows.suppliers(pool, mode)


def present(row: Mapping[str, Any], base: str) -> Change:
    """A row of the feed as the API writes it."""
    event = row["event"]
    moved = move(_in(row["old_base"], base), _in(row["new_base"], base))
    return Change(
        at=row["at"],
        kind=moved.kind if event is None else EVENT_KINDS[event],
        supplier=row["supplier"],
        supplier_plan_id=row["supplier_plan_id"],
        plan_id=row["plan_id"],
        offer_id=row["offer_id"],
        name=None if row["name"] is None else row["name"][:_NAME],
        old=price_of(_in(row["old"], row["old_currency"])),
        new=price_of(_in(row["new"], row["new_currency"])),
        amount=price_of(moved.amount) if event is None else None,
        percent=percent_of(moved.share) if event is None else None,
        stock={"in_stock": "in", "out_of_stock": "out"}.get(event),  # type: ignore[arg-type]
        back=event == "back",
        sync_run_id=row["sync_run_id"],
    )


def percent_of(share: Decimal | float | None) -> float | None:
    """A share (0.1) as a percentage (10.0) with two digits."""
    return None if share is None else round(float(share) * 100, 2)


def _in(amount: Decimal | None, currency: str | None) -> Money | None:
    return None if amount is None or currency is None else Money(amount, currency)
