"""Which offer stands for a plan: the cheapest that can be sold, or else the cheapest whose price is not suspect.

Rows are numbered selectable ones first, so among rows that cannot be sold now the lowest number is not the cheapest:
some of them could be sold when the snapshot was made, others could not. Those are compared by a key of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import NamedTuple

import numpy as np

from gateway.catalog.index.build import WHY_NOT
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
_FEW = 16  # changes of one row in so many are worked in; more make everything anew


class Stands(NamedTuple):
    """Of each plan the row that stands for it, how many offers could be sold, and the last row of these.

    Rows are ``NONE`` where there is none.
    """

    rows: Array
    counts: Array
    last: Array


class Stock:
    """What can be sold of a snapshot now: ``live`` says it of each row. ``all`` is what stands for each plan.

    With ``only``, a mask of rows, there are no other offers. Worked out from what was there ``before``, where little
    changed. ``key`` names it for what is remembered of it.
    """

    def __init__(
        self, snapshot: Snapshot, live: Array, key: Hashable, before: Stock | None = None, only: Array | None = None
    ) -> None:
        live = live if only is None else live & only
        self.snapshot = snapshot
        self.live = live
        self.key = key
        plans = np.arange(snapshot.plans)
        self.all: Stands = Stands(*(np.empty(snapshot.plans, dtype=np.int32) for _ in Stands._fields))
        if before is not None and before.snapshot is snapshot:
            changed = np.flatnonzero(before.live != live)
            if len(changed) * _FEW < snapshot.rows:
                plans = np.unique(snapshot.plan.take(changed))
                for column, known in zip(self.all, before.all, strict=True):
                    column[:] = known
        will = None if only is None else only.take
        for column, found in zip(self.all, standing(snapshot, plans, live, InStock.ANY, will), strict=True):
            column[plans] = found
        self._masks: dict[tuple[InStock, bool], Array] = {}

    def counts(self, plans: Array, end: int) -> Array:
        """How many offers of each of these plans can be sold, of the rows below ``end``."""
        counts = self.all.counts.take(plans)
        more = np.flatnonzero(self.all.last.take(plans) >= end)
        if len(more):
            rows, begins, _ = _offers(self.snapshot, plans.take(more))
            counts[more] = np.add.reduceat(self.live.take(rows) & (rows < end), begins, dtype=np.int64)
        return counts

    def mask(self, in_stock: InStock, *, standing: bool) -> Array:
        """Of each row whether it can be in a list of this kind; with ``standing``, as what stands for its plan."""
        found = self._masks.get((in_stock, standing))
        if found is None:
            found = np.ones(self.snapshot.rows, dtype=np.bool_)
            if standing:
                found[:] = False
                found[self.all.rows.compress(self.all.rows >= 0)] = True
            if in_stock is not InStock.ANY:
                found &= self.live if in_stock is InStock.TRUE else ~self.live
            self._masks[in_stock, standing] = found
        return found


def standing(
    snapshot: Snapshot, plans: Array, live: Array, in_stock: InStock, will: Callable[[Array], Array] | None = None
) -> Stands:
    """What stands for each of the plans among those of its offers that ``will`` do; None: all of them."""
    rows, begins, counts = _offers(snapshot, plans)
    rows = rows.astype(np.int64)
    allowed = np.ones(len(rows), dtype=np.bool_) if will is None else will(rows)
    sold = allowed & live.take(rows)
    alive = np.add.reduceat(sold, begins, dtype=np.int64)
    last = np.maximum.reduceat(np.where(sold, rows, NONE), begins)
    best = np.minimum.reduceat(np.where(sold, rows, _NOWHERE), begins)
    if in_stock is InStock.TRUE:
        return Stands(np.where(best == _NOWHERE, NONE, best), alive, last)
    unsold = np.flatnonzero(np.repeat(alive == 0, counts) & allowed)
    if len(unsold):
        owners = np.repeat(np.arange(len(plans)), counts).take(unsold)
        np.minimum.at(best, owners, _unsold_key(snapshot, rows.take(unsold)))
    keyed = np.flatnonzero((best >= _NOT_SOLD) & (best != _NOWHERE))
    found = np.where(best == _NOWHERE, NONE, best)
    found[keyed] = snapshot.by_key.take(best[keyed] & ((1 << _RANK_BITS) - 1))
    if in_stock is InStock.FALSE:
        found = np.where(alive > 0, NONE, found)
    return Stands(found, alive, last)


def _offers(snapshot: Snapshot, plans: Array) -> tuple[Array, Array, Array]:
    """The rows of each plan, one plan after the other, and where those of each begin and how many they are."""
    first, end = snapshot.plan_rows_at.take(plans), snapshot.plan_rows_at.take(plans + 1)
    counts = end - first
    return snapshot.plan_rows.take(spans(first, end)), np.cumsum(counts) - counts, counts


def _unsold_key(snapshot: Snapshot, rows: Array) -> Array:
    """What orders rows that cannot be sold: suspect ones last, then by cost, supplier and supplier_plan_id."""
    costs = snapshot.cost[rows].astype(np.int64)
    suspect = (snapshot.why[rows].astype(np.int64) >> _SUSPECT_PRICE) & 1
    cost = np.where(costs < 0, _NO_COST, costs) << _RANK_BITS
    return np.asarray(_NOT_SOLD | (suspect << _SUSPECT_BIT) | cost | snapshot.key_rank[rows])
