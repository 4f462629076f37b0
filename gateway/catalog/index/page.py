"""One query being answered: the rows that stand for the plans of a list, in its order.

Where the offers of a plan are alike to the filter, what stands for each plan is known beforehand and is a condition as
the others are. Else each row that will do is a candidate, and those that stand for their plan under the filter stay.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gateway.catalog.index.amounts import counted, per_gb
from gateway.catalog.index.filters import Filter
from gateway.catalog.index.layout import Array
from gateway.catalog.index.query import InStock
from gateway.catalog.index.row_order import Condition, order_of, sort_keys
from gateway.catalog.index.snapshot import Snapshot
from gateway.catalog.index.stock import Stands, Stock, standing
from gateway.catalog.index.views import NULL, PriceView, Within

FEW = 1024  # so many rows are looked at one by one rather than as bits


class After(NamedTuple):
    """Where to go on: behind this sort key and, among equal keys, from this plan number on."""

    key: int
    plan: int


class Found(NamedTuple):
    """Rows, each of them what stands for its plan, and how many offers of it could be sold."""

    rows: Array
    counts: Array

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, which: Array | slice) -> Found:
        """Some of them."""
        return Found(self.rows[which], self.counts[which])


class Search:
    """A filter over a snapshot, with prices and with what can be sold. ``within`` is what ``max_price`` allows."""

    def __init__(
        self,
        snapshot: Snapshot,
        view: PriceView,
        stock: Stock,
        found: Filter,
        in_stock: InStock,
        within: Within | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.view = view
        self.stock = stock
        self.filter = found
        self.in_stock = in_stock
        self.within = within
        # What stands is the cheapest that can be sold: where prices ascend with rows, no other is within its price.
        self.alike = not found.differs and (within is None or (in_stock is InStock.TRUE and view.even))
        mask = stock.mask(in_stock, standing=self.alike)
        self.conditions = [Condition((self.alike, in_stock, stock.key), mask.take), *found.conditions]
        self.priced = [] if within is None else [Condition(None, within.holds)]

    def first(self, sort: str, after: After | None, need: int) -> Found:
        """The next plans, at most ``need`` of them, in order; those without a sort value come last."""
        rows = self._listed(FEW)
        if rows is None and not self._moved(sort):
            return self._walk(sort, after, need)
        found = self.stand(self.rows() if rows is None else rows)
        keys, plans = sort_keys(self.view, sort, self.filter.days, found.rows), self.snapshot.plan.take(found.rows)
        ahead = np.ones(len(keys), dtype=np.bool_)
        if after is not None:
            ahead = (keys > after.key) | ((keys == after.key) & (plans >= after.plan))
        if len(keys) > need:
            ahead &= keys <= np.partition(np.where(ahead, keys, NULL), need)[need]
        at = np.flatnonzero(ahead)
        return found.take(at.take(np.lexsort((plans.take(at), keys.take(at)))[:need]))

    def rows(self) -> Array:
        """All rows that meet the filter, in no order, of any plan those alone that stand for it where that is known."""
        rows = self._listed(self.snapshot.rows)
        if rows is None:
            order = order_of(self.view, "price")
            parts = order.matches([*self.conditions, *self.priced], 0, self.snapshot.rows, self.snapshot.rows)
            rows = np.concatenate([order.rows[:0], *parts])
        return rows

    def narrow(self, rows: Array, known: Condition | None = None) -> Array:
        """Those of the rows that meet the filter; they meet the ``known`` condition."""
        for condition in (*self.conditions, *self.priced):
            if condition is not known:
                rows = rows.compress(condition.holds(rows))
        return rows

    def stand(self, rows: Array) -> Found:
        """Those of the rows that stand for their plan."""
        plans = self.snapshot.plan.take(rows)
        if self.alike and self.within is None:
            return Found(rows, self.stock.all.counts.take(plans))
        plans, owner = np.unique(plans, return_inverse=True)
        stands = self.standing(plans, self.in_stock)
        at = np.flatnonzero(stands.rows.take(owner) == rows)
        return Found(rows.take(at), stands.counts.take(owner.take(at)))

    def standing(self, plans: Array, in_stock: InStock) -> Stands:
        """What stands for each of these plans under the filter."""
        return standing(self.snapshot, plans, self.stock.live, in_stock, self._will)

    def _will(self, rows: Array) -> Array:
        mask = self.filter.offers(self.snapshot, rows)
        return mask if self.within is None else mask & self.within.holds(rows)

    def _moved(self, sort: str) -> bool:
        """Whether the days asked for give some plans another sort value than they have by themselves."""
        values = {"data": counted, "price_per_gb": per_gb}.get(sort.removeprefix("-"))
        if values is None or self.filter.days is None:
            return False
        differ = values(self.snapshot, self.filter.days) != values(self.snapshot, None)
        return bool(differ.compress(self.filter.kinds).any())

    def _listed(self, most: int) -> Array | None:
        """The rows that meet the filter, where some condition lists few."""
        lists = [condition for condition in self.filter.conditions if condition.rows is not None]
        shortest = min(lists, key=lambda condition: condition.size, default=None)
        if shortest is None or shortest.rows is None or shortest.size > most:
            return None
        return self.narrow(shortest.rows(), shortest)

    def _walk(self, sort: str, after: After | None, need: int) -> Found:
        """The same along the order, which holds what it is asked for as bits."""
        order, conditions = order_of(self.view, sort), self.conditions
        start, end = 0 if after is None else order.place(*after), self.snapshot.rows
        if self.within is not None and sort == "price":
            end = order.place(self.within.minor + 1, 0)
        elif self.within is not None and sort == "-price":
            start, end = max(start, order.place(-self.within.minor, 0)), order.place(NULL, 0)
        else:
            conditions = [*conditions, *self.priced]
        found = Found(order.rows[:0], self.stock.all.counts[:0])
        for rows in order.matches(conditions, start, end, need):
            part = self.stand(rows[: need - len(found)] if self.alike else rows)
            found = part if not len(found) else Found(*(np.concatenate(both) for both in zip(found, part, strict=True)))
            if len(found) >= need:
                break
        return found.take(slice(need))
