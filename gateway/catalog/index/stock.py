"""Which offer stands for a plan: the cheapest that can be sold, or else the cheapest whose price is not suspect.

Rows are numbered selectable ones first, so among rows that cannot be sold now the lowest number is not the cheapest:
some of them could be sold when the snapshot was made, others could not. Those are compared by a key of their own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gateway.catalog.index.build import WHY_NOT
from gateway.catalog.index.filters import Filter
from gateway.catalog.index.intern import spans
from gateway.catalog.index.layout import Array
from gateway.catalog.index.query import InStock
from gateway.catalog.index.snapshot import Snapshot
from schemas.plan import WhyNot

NONE = -1
_NOWHERE = (1 << 63) - 1
# The key of a row that cannot be sold, above every row number: from the highest bit down this mark, whether its price
# is suspect, its cost (the highest where it has none), and its place in the order of supplier and supplier_plan_id.
_NOT_SOLD = 1 << 62
_SUSPECT_BIT = 61
_NO_COST = (1 << 29) - 1
_RANK_BITS = 32
_SUSPECT_PRICE = WHY_NOT.index(WhyNot.SUSPECT_PRICE)


class Blocked(NamedTuple):
    """Rows that the overlay keeps out of the selection: as a mask, and listed."""

    mask: Array
    rows: Array


class Stands(NamedTuple):
    """Of each plan the row that stands for it (``NONE`` when there is none), and how many offers could be sold."""

    rows: Array
    counts: Array


def standing(snapshot: Snapshot, plans: Array, found: Filter, blocked: Blocked | None, in_stock: InStock) -> Stands:
    """What stands for each of the plans under a filter; ``plans`` are all of the right coverage and kind."""
    first, end = snapshot.plan_rows_at[plans], snapshot.plan_rows_at[plans + 1]
    rows = snapshot.plan_rows[spans(first, end)].astype(np.int64)
    if not len(rows):
        return Stands(np.full(len(plans), NONE), np.zeros(len(plans), dtype=np.int64))
    counts = end - first
    begins = np.cumsum(counts) - counts
    will = found.offers(snapshot, rows)
    live = will & (rows < snapshot.sold_end)
    if blocked is not None:
        live &= ~blocked.mask[rows]
    alive = np.add.reduceat(live, begins, dtype=np.int64)
    if in_stock is InStock.TRUE:
        best = np.minimum.reduceat(np.where(live, rows, _NOWHERE), begins)
        return Stands(np.where(best == _NOWHERE, NONE, best), alive)
    key = np.where(live, rows, np.where(will, _unsold_key(snapshot, rows), _NOWHERE))
    best = np.minimum.reduceat(key, begins)
    found_rows = np.where(best == _NOWHERE, NONE, best)
    unsold = np.flatnonzero((best >= _NOT_SOLD) & (best != _NOWHERE))
    found_rows[unsold] = snapshot.by_key[best[unsold] & ((1 << _RANK_BITS) - 1)]
    if in_stock is InStock.FALSE:
        found_rows = np.where(alive > 0, NONE, found_rows)
    return Stands(found_rows, alive)


def _unsold_key(snapshot: Snapshot, rows: Array) -> Array:
    """What orders rows that cannot be sold: suspect ones last, then by cost, supplier and supplier_plan_id."""
    costs = snapshot.cost[rows].astype(np.int64)
    suspect = (snapshot.why[rows].astype(np.int64) >> _SUSPECT_PRICE) & 1
    cost = np.where(costs < 0, _NO_COST, costs) << _RANK_BITS
    return np.asarray(_NOT_SOLD | (suspect << _SUSPECT_BIT) | cost | snapshot.key_rank[rows])
