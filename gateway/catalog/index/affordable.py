"""Which costs of a snapshot our money at each supplier suffices for.

What is worked out stays equal until it changes what can be sold, so a purchase that leaves enough changes no answer:
not the money stands in it, but the highest cost of that supplier that the money suffices for. With many costs close
together each purchase would still move that, and the version of the catalogue with it, so that nobody's cache would
ever hit: of those it goes down in steps of ``STEP``. Up to so much of the last money is not shown for sale then;
orders go by the money itself.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import msgspec
import numpy as np

from gateway.catalog.index.layout import Array
from gateway.catalog.index.overlay import Overlay, OverlayState, state_of
from gateway.catalog.index.snapshot import Snapshot
from gateway.kit.freshness import FreshnessBounds
from gateway.suppliers.spendable_rules import Funds, available_funds, highest_affordable_cost

EXACT = 64  # a supplier with no more distinct costs than that moves the version no more often
STEP = Fraction(21, 20)


class Short(NamedTuple):
    """Rows of suppliers that our money does not suffice for, by their cost: those above ``most`` of their supplier."""

    most: Array

    def rows(self, snapshot: Snapshot) -> Array:
        """For each row whether it is one."""
        return np.asarray(snapshot.cost > self.most.take(snapshot.supplier))


def standing_in(snapshot: Snapshot, overlay: Overlay, now: datetime, bounds: FreshnessBounds) -> OverlayState:
    """What an overlay means for a snapshot at a moment."""
    made = state_of(overlay, snapshot.mode, now, bounds)
    return msgspec.structs.replace(made, affordable=affordable_costs(snapshot, overlay.funds))


def affordable_costs(snapshot: Snapshot, funds: tuple[Funds, ...]) -> tuple[tuple[str, int], ...]:
    """Suppliers that have something dearer than our money there suffices for, with the highest cost that it does."""
    whole = snapshot.whole_costs
    found: list[tuple[str, int]] = []
    for known in funds:
        if not whole or known.supplier not in snapshot.suppliers:
            continue
        tolerance = snapshot.tolerance.get(known.supplier, Decimal(0))
        left = available_funds(known, snapshot.rates, tolerance)
        if left is None:
            continue
        end = bisect_right(whole, highest_affordable_cost(left, tolerance, snapshot.scale))
        if end < len(whole) and (most := _highest_below(snapshot, known.supplier, end)) is not None:
            found.append((known.supplier, most))
    return tuple(sorted(found))


def _highest_below(snapshot: Snapshot, supplier: str, end: int) -> int | None:
    """The step at or below the first ``end`` distinct costs, -1 for none; None when the supplier has no other costs."""
    last, steps = snapshot.memo(("steps", supplier), lambda: _steps(snapshot, supplier))
    if last < end:
        return None
    at = bisect_left(steps, end)
    return steps[at - 1] if at else -1


def _steps(snapshot: Snapshot, supplier: str) -> tuple[int, list[int]]:
    """A supplier's highest distinct cost (-1 for none), and the costs at which what is shown for sale may end."""
    found = snapshot.cost[snapshot.supplier == snapshot.suppliers.index(supplier)]
    costs: list[int] = np.flatnonzero(np.bincount(found[found >= 0])).tolist()
    if len(costs) <= EXACT:
        return (costs[-1] if costs else -1), costs
    whole, steps, at = snapshot.whole_costs, [], 0
    while at < len(costs):
        steps.append(costs[at])
        at = max(at + 1, bisect_left(costs, bisect_left(whole, whole[costs[at]] * STEP)))
    return costs[-1], steps


def short(snapshot: Snapshot, standing_now: OverlayState) -> Short | None:
    """What a standing keeps from sale for want of money; None when that is nothing."""
    if not standing_now.affordable:
        return None
    most = np.full(len(snapshot.suppliers), np.iinfo(np.int32).max, dtype=np.int32)
    for name, cost in standing_now.affordable:
        if name in snapshot.suppliers:
            most[snapshot.suppliers.index(name)] = cost
    return Short(most)
