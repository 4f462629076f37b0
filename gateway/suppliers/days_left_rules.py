"""How long our money at a supplier lasts, at the pace at which it was spent lately."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal

LOOKBACK = timedelta(days=14)
MOST_DAYS = Decimal(9999)
_SHORTEST = Decimal(1)


def spent_per_day(spent: Decimal, first_at: datetime | None, now: datetime) -> Decimal | None:
    """What a day costs: ``spent`` since ``LOOKED_BACK``, over those days, or over fewer when the first was later.

    ``first_at`` is the first purchase of all; None, or nothing spent, gives None.
    """
    if first_at is None or spent <= 0:
        return None
    seconds = min(now - first_at, LOOKBACK).total_seconds()
    return spent / max(_SHORTEST, Decimal(str(seconds)) / 86_400)


def days_left(spendable: Decimal, per_day: Decimal | None) -> Decimal | None:
    """Days until the money is gone, to a tenth, at most ``MOST_DAYS``; 0 when it is, None when nothing is spent."""
    if spendable <= 0:
        return Decimal(0)
    if per_day is None or per_day <= 0:
        return None
    return min(spendable / per_day, MOST_DAYS).quantize(Decimal("0.1"), ROUND_DOWN)
