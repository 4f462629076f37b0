"""Which offer stands for a plan: the cheapest that can be sold, or else the cheapest there was."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gateway.core.catalog.filters import Filter
from gateway.core.catalog.intern import spans
from gateway.core.catalog.layout import Array
from gateway.core.catalog.query import InStock
from gateway.core.catalog.snapshot import Snapshot

NONE = -1
_DEAD = 1 << 62
_NOWHERE = (1 << 63) - 1
_NO_COST = (1 << 29) - 1
_ROW_BITS = 32


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
    costs = snapshot.cost[rows].astype(np.int64)
    last = _DEAD | (np.where(costs < 0, _NO_COST, costs) << _ROW_BITS) | rows
    key = np.where(live, rows, np.where(will, last, _NOWHERE))
    best = np.minimum.reduceat(key, begins)
    found_rows = np.where(best == _NOWHERE, NONE, best & ((1 << _ROW_BITS) - 1))
    if in_stock is InStock.FALSE:
        found_rows = np.where(alive > 0, NONE, found_rows)
    return Stands(found_rows, alive)
