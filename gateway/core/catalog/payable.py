"""Which costs of a snapshot our money at each supplier suffices for.

What is worked out stays equal until it changes what can be sold, so a purchase that leaves enough changes no answer:
not the money stands in it, but the highest cost of that supplier that the money suffices for.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import msgspec
import numpy as np

from gateway.core.catalog.layout import Array
from gateway.core.catalog.overlay import Overlay, Standing, standing
from gateway.core.catalog.snapshot import Snapshot
from gateway.core.freshness import FreshnessBounds
from gateway.core.spendable import Purse, most_payable, room


class Short(NamedTuple):
    """Rows of suppliers that our money does not suffice for, by their cost: those above ``most`` of their supplier."""

    most: Array

    def rows(self, snapshot: Snapshot) -> Array:
        """For each row whether it is one."""
        return np.asarray(snapshot.cost > self.most.take(snapshot.supplier))


def standing_in(snapshot: Snapshot, overlay: Overlay, now: datetime, bounds: FreshnessBounds) -> Standing:
    """What an overlay means for a snapshot at a moment."""
    made = standing(overlay, snapshot.mode, now, bounds)
    return msgspec.structs.replace(made, payable=payable(snapshot, overlay.purses))


def payable(snapshot: Snapshot, purses: tuple[Purse, ...]) -> tuple[tuple[str, int], ...]:
    """Suppliers that have something dearer than our money there suffices for, with the highest cost that it does."""
    whole = snapshot.whole_costs
    found: list[tuple[str, int]] = []
    for purse in purses:
        if not whole or purse.supplier not in snapshot.suppliers:
            continue
        tolerance = snapshot.tolerance.get(purse.supplier, Decimal(0))
        left = room(purse, snapshot.rates, tolerance)
        if left is None:
            continue
        end = bisect_right(whole, most_payable(left, tolerance, snapshot.scale))
        if end < len(whole) and (most := _highest_below(snapshot, purse.supplier, end)) is not None:
            found.append((purse.supplier, most))
    return tuple(sorted(found))


def _highest_below(snapshot: Snapshot, supplier: str, end: int) -> int | None:
    """The highest of the first ``end`` distinct costs that a supplier has, -1 for none; None when it has no other."""

    def look() -> tuple[int | None]:
        costs = snapshot.cost[snapshot.supplier == snapshot.suppliers.index(supplier)]
        return (int(costs[costs < end].max(initial=-1)) if (costs >= end).any() else None,)

    return snapshot.memo(("payable", supplier, end), look)[0]


def short(snapshot: Snapshot, standing_now: Standing) -> Short | None:
    """What a standing keeps from sale for want of money; None when that is nothing."""
    if not standing_now.payable:
        return None
    most = np.full(len(snapshot.suppliers), np.iinfo(np.int32).max, dtype=np.int32)
    for name, cost in standing_now.payable:
        if name in snapshot.suppliers:
            most[snapshot.suppliers.index(name)] = cost
    return Short(most)
