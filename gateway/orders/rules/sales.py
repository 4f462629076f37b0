"""What the orders of a span came to, and how that compares with the same weekday a week before. Pure.

Days are UTC days. An order counts on the day on which it was placed. Its revenue counts once it was delivered: its
price less what the storefront got back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

import msgspec

CHART_DAYS = 14
_WEEK = timedelta(days=7)
_NOTHING = Decimal(0)

By: TypeAlias = Literal["supplier", "country"]


class SalesSpan(NamedTuple):
    """From a moment on, up to another that is not in it any more."""

    since: datetime
    until: datetime


class ComparedSpans(NamedTuple):
    """Today up to now, the same weekday before up to the same time, and the days of the chart before today."""

    today: SalesSpan
    before: SalesSpan
    past: SalesSpan


class SalesRow(msgspec.Struct, frozen=True, kw_only=True):
    """Orders of one supplier or one country that stand alike. Amounts are in base currency.

    Every order is in one row of suppliers and in one of countries. ``name`` is None for orders without a supplier yet,
    or of plans that cover several countries or none. ``delivered``: they were delivered at some time. ``margin`` is of
    the orders whose cost is known; ``unknown_costs`` are those with revenue whose cost is not.
    """

    by: By
    name: str | None
    status: str
    delivered: bool
    orders: int
    revenue: Decimal
    margin: Decimal
    unknown_costs: int


class Sales(msgspec.Struct, frozen=True, kw_only=True):
    """Orders together; amounts are in base currency. What is neither succeeded nor failed is open."""

    orders: int = 0
    succeeded: int = 0
    failed: int = 0
    revenue: Decimal = _NOTHING
    margin: Decimal = _NOTHING
    unknown_costs: int = 0

    @property
    def success_rate(self) -> Decimal | None:
        """The share that succeeded of the orders that ended; None while none has."""
        return share(self.succeeded, self.succeeded + self.failed)

    @property
    def margin_share(self) -> Decimal | None:
        """The margin as a share of the revenue; None without revenue, and where a cost is not known."""
        return None if self.unknown_costs else share(self.margin, self.revenue)


class SalesLine(msgspec.Struct, frozen=True):
    """What one supplier or country sold today, and a week before."""

    name: str | None
    today: Sales
    before: Sales


class DaySales(NamedTuple):
    """The orders of one day, and what they were sold for."""

    day: date
    orders: int
    revenue: Decimal


class AttemptCounts(NamedTuple):
    """Purchases and top-ups that ended at one supplier."""

    succeeded: int = 0
    failed: int = 0

    @property
    def success_rate(self) -> Decimal | None:
        """The share that succeeded; None while none has ended."""
        return share(self.succeeded, self.succeeded + self.failed)


def spans(now: datetime) -> ComparedSpans:
    """The spans that belong to a moment in UTC."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight - timedelta(days=CHART_DAYS - 1)
    return ComparedSpans(SalesSpan(midnight, now), SalesSpan(midnight - _WEEK, now - _WEEK), SalesSpan(first, midnight))


def share(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """A part of a whole, 0.25 for a quarter; None of nothing."""
    return Decimal(part) / Decimal(whole) if whole else None


def change(now: Decimal | int, before: Decimal | int) -> Decimal | None:
    """By which share something grew, -0.1 for a tenth less; None where nothing was before."""
    return share(Decimal(now) - Decimal(before), abs(Decimal(before)))


def summed(rows: Iterable[SalesRow]) -> Sales:
    """These rows together."""
    total = Sales()
    for row in rows:
        outcome = _outcome(row)
        total = Sales(
            orders=total.orders + row.orders,
            succeeded=total.succeeded + (row.orders if outcome == "succeeded" else 0),
            failed=total.failed + (row.orders if outcome == "failed" else 0),
            revenue=total.revenue + row.revenue,
            margin=total.margin + row.margin,
            unknown_costs=total.unknown_costs + row.unknown_costs,
        )
    return total


def total_of(rows: Sequence[SalesRow]) -> Sales:
    """All orders together: those of all suppliers."""
    return summed(row for row in rows if row.by == "supplier")


def best(today: Sequence[SalesRow], before: Sequence[SalesRow], by: By, most: int) -> list[SalesLine]:
    """The suppliers or countries that sold most, today or a week before: who sells no more stands there too."""
    now, then = _named(today, by), _named(before, by)
    lines = [SalesLine(name, now.get(name, Sales()), then.get(name, Sales())) for name in now | then]
    return sorted(lines, key=_rank)[:most]


def whole_days(found: Mapping[date, DaySales], last: date, count: int = CHART_DAYS) -> list[DaySales]:
    """So many days up to the last one, the first first; those without orders too."""
    days = (last - timedelta(days=count - 1 - n) for n in range(count))
    return [found.get(day, DaySales(day, 0, _NOTHING)) for day in days]


def _outcome(row: SalesRow) -> Literal["succeeded", "failed", "open"]:
    # A cancelled order was delivered and taken back, or never delivered and refunded by the supplier.
    if row.status in {"fulfilled", "cancel_pending"} or (row.status == "cancelled" and row.delivered):
        return "succeeded"
    return "failed" if row.status in {"failed", "cancelled"} else "open"


def _named(rows: Sequence[SalesRow], by: By) -> dict[str | None, Sales]:
    groups: dict[str | None, list[SalesRow]] = {}
    for row in rows:
        if row.by == by:
            groups.setdefault(row.name, []).append(row)
    return {name: summed(group) for name, group in groups.items()}


def _rank(line: SalesLine) -> tuple[Decimal, int, str]:
    return -max(line.today.revenue, line.before.revenue), -max(line.today.orders, line.before.orders), line.name or ""
