"""How the shop does today: orders, revenue, margin and success, beside the same weekday a week before."""

from __future__ import annotations

import asyncio
from datetime import datetime

import msgspec

from gateway.access.key_rows import Mode
from gateway.orders import sales_rows
from gateway.orders.rules.sales import (
    AttemptCounts,
    ComparedSpans,
    DaySales,
    Sales,
    SalesLine,
    best,
    spans,
    total_of,
    whole_days,
)
from gateway.pricing.rates import rates_now
from gateway.suppliers.deps import Deps

# A fortnight of a busy shop is much to read, and changes only where an old order does: a refund shows so much later.
PAST_DAYS_SECONDS = 300.0


class SupplierSales(msgspec.Struct, frozen=True):
    """What one supplier sold, and the attempts at it that ended.

    An order counts for the supplier of its last attempt; an attempt that failed before counts for the one that failed.
    """

    line: SalesLine
    today: AttemptCounts
    before: AttemptCounts


class ShopSales(msgspec.Struct, frozen=True, kw_only=True):
    """A mode's sales. Amounts are in ``base``. ``week_ago`` is that day from end to end.

    ``days`` end with today. Those before it may be as old as ``PAST_DAYS_SECONDS``.
    """

    base: str
    spans: ComparedSpans
    today: Sales
    before: Sales
    week_ago: DaySales
    days: list[DaySales]
    suppliers: list[SupplierSales]
    countries: list[SalesLine]


async def shop_sales(deps: Deps, mode: Mode, now: datetime, most: int) -> ShopSales:
    """The sales up to ``now``, with the ``most`` suppliers and countries that sold most."""
    pool, base, when = deps.pool, deps.settings.base_currency, spans(now)
    rates = await rates_now(pool, deps.settings)
    today, before, days, ended_today, ended_before = await asyncio.gather(
        sales_rows.grouped(pool, mode, base, when.today, rates.worth),
        sales_rows.grouped(pool, mode, base, when.before, rates.worth),
        deps.remembered.get(
            ("sales by day", mode, base, when.past),
            PAST_DAYS_SECONDS,
            lambda: sales_rows.by_day(pool, mode, base, when.past),
        ),
        sales_rows.attempts_ended(pool, mode, when.today),
        sales_rows.attempts_ended(pool, mode, when.before),
    )
    total, day = total_of(today), when.today.since.date()
    listed = whole_days({**days, day: DaySales(day, total.orders, total.revenue)}, day)
    none = AttemptCounts()
    return ShopSales(
        base=base,
        spans=when,
        today=total,
        before=total_of(before),
        week_ago=next(day for day in listed if day.day == when.before.since.date()),
        days=listed,
        suppliers=[
            SupplierSales(line, ended_today.get(line.name or "", none), ended_before.get(line.name or "", none))
            for line in best(today, before, "supplier", most)
        ],
        countries=best(today, before, "country", most),
    )
