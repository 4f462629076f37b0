"""One query being answered: the rows that stand for the plans of a list, in its order.

Where the offers of a plan are alike to the filter, what stands for each plan is known beforehand and is a condition as
the others are. Else each row that will do is a candidate, and those that stand for their plan under the filter stay.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import cached_property
from typing import NamedTuple

import numpy as np

from gateway.catalog.index.amounts import counted, per_gb, times
from gateway.catalog.index.featured import Featured
from gateway.catalog.index.filters import Filter
from gateway.catalog.index.layout import Array
from gateway.catalog.index.query import InStock
from gateway.catalog.index.row_order import BLOCK, Condition, RowOrder, meeting, order_of, sort_keys
from gateway.catalog.index.snapshot import Snapshot
from gateway.catalog.index.stock import Stands, Stock, standing
from gateway.catalog.index.views import NULL, PriceView

FEW = 1024  # so many rows are looked at one by one rather than as bits
MANY = 2**17  # and so many where few of them will do
AHEAD = 3  # so many times the first page is remembered
TRIES = 2  # so many candidates are looked at for each plan that is needed, where not each stands for its plan


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
    """A filter over a snapshot, with what can be sold, at prices up to ``within`` in minor units (``NULL``: any).

    ``featured`` may know the stock among the offers that have the features asked for.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        view: PriceView,
        stock: Stock,
        found: Filter,
        in_stock: InStock,
        within: int = NULL,
        featured: Featured | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.view = view
        self.stock = stock
        self.filter = found
        self.in_stock = in_stock
        self.within = within
        # What stands is the cheapest that can be sold: where prices ascend with rows, no other is within its price.
        alike = not found.differs and (within == NULL or (in_stock is InStock.TRUE and view.even))
        included = found.included
        if alike and found.features is not None:
            among = None if featured is None else featured.stock(found.features)
            if alike := among is not None:
                self.stock, included = among, ()  # no other offers are in it
        self.alike = alike
        mask = self.stock.mask(in_stock, standing=self.alike)
        stands = Condition((self.alike, in_stock, self.stock.key), mask.take)
        self.conditions = [stands, *found.conditions, *included]
        self.priced = [] if within == NULL else [Condition((within, self.alike), self._affordable)]

    @cached_property
    def _ends(self) -> tuple[int, int]:
        """Where prices ascend with costs: how many rows are affordable of those that can be sold, and of the others."""
        cost, sold_end, priced_end = self.snapshot.cost, self.snapshot.sold_end, self.snapshot.priced_end
        most = cost.dtype.type(self.view.minor.searchsorted(self.within, "right"))
        return int(cost[:sold_end].searchsorted(most)), int(cost[sold_end:priced_end].searchsorted(most))

    def _affordable(self, rows: Array) -> Array:
        return rows < self._ends[0] if self.alike else self.view.affordable(rows, self.within)

    def first(self, sort: str, after: After | None, need: int) -> Found:
        """The next plans, at most ``need`` of them, in order; those without a sort value come last."""
        order = order_of(self.view, sort)
        keys = tuple(condition.key for condition in self.conditions)
        shortest = self._list(MANY if self.filter.share * BLOCK < need else FEW)
        if shortest is not None:
            # Bits of the whole order would be made for what few rows meet.
            memory = order_of(self.view, "price").remembered
            rows = memory(keys, lambda: self._listed(shortest))
            found = memory((*keys, self.within), lambda: np.stack(self.stand(meeting(rows, *self.priced))))
            return self._in_order(Found(*found), sort, after, need)
        if self._moved(sort):
            return self._in_order(self._walk_by_day(sort, after, need), sort, after, need)
        if self.alike and after is None:
            known = order.remembered((keys, need), lambda: self._begin(order, need))
            rows = meeting(known, *self.priced)
            if len(rows) >= need or len(known) < need or (sort == "price" and len(rows) < len(known)):
                return self.stand(rows[:need])  # there are no others, or what comes behind is dearer
        return self._walk(order, self.conditions, sort, 0 if after is None else order.place(*after), need)

    def _begin(self, order: RowOrder, need: int) -> Array:
        """The first rows of an order at any price, more than are needed: they answer other prices, too."""
        found = order.rows[:0]
        for rows in order.matches(self.conditions, 0, self.snapshot.rows, AHEAD * need):
            found = np.concatenate((found, rows))
            if len(found) >= need:
                break
        return found[: AHEAD * need].copy()

    def _in_order(self, found: Found, sort: str, after: After | None, need: int) -> Found:
        """The first of them behind the cursor."""
        keys, ahead = self._ahead(found, sort, after)
        if len(keys) > need:
            ahead &= keys <= np.partition(np.where(ahead, keys, NULL), need)[need]
        at = np.flatnonzero(ahead)
        plans = self.snapshot.plan.take(found.rows.take(at))
        return found.take(at.take(np.lexsort((plans, keys.take(at)))[:need]))

    def _ahead(self, found: Found, sort: str, after: After | None) -> tuple[Array, Array]:
        """The sort keys, and which of them the cursor has not passed."""
        keys = sort_keys(self.view, sort, self.filter.days, found.rows)
        if after is None:
            return keys, np.ones(len(keys), dtype=np.bool_)
        plans = self.snapshot.plan.take(found.rows)
        return keys, (keys > after.key) | ((keys == after.key) & (plans >= after.plan))

    def rows(self) -> Array:
        """All rows that meet the filter, in no order, of any plan those alone that stand for it where that is known."""
        shortest = self._list(self.snapshot.rows)
        if shortest is not None:
            return self._listed(shortest)
        order = order_of(self.view, "price")
        parts = order.matches(self.conditions, 0, self.snapshot.rows, self.snapshot.rows)
        return np.concatenate([order.rows[:0], *parts])

    def narrow(self, rows: Array) -> Array:
        """Those of the rows that meet the filter."""
        return meeting(rows, *self.conditions)

    def stand(self, rows: Array) -> Found:
        """Those of the rows that stand for their plan."""
        plans = self.snapshot.plan.take(rows)
        if self.alike:
            return Found(rows, self.stock.counts(plans, self.snapshot.rows if self.within == NULL else self._ends[0]))
        stands = self.standing(plans, self.in_stock)
        at = np.flatnonzero(stands.rows == rows)
        return Found(rows.take(at), stands.counts.take(at))

    def standing(self, plans: Array, in_stock: InStock) -> Stands:
        """What stands for each of these plans under the filter."""
        return standing(self.snapshot, plans, self.stock.live, in_stock, self._will)

    def _will(self, rows: Array) -> Array:
        mask = self.filter.offers(self.snapshot, rows)
        return mask if self.within == NULL else mask & self.view.affordable(rows, self.within)

    def _moved(self, sort: str) -> bool:
        """Whether the days asked for give some plans another sort value than they have by themselves."""
        values = {"data": counted, "price_per_gb": per_gb}.get(sort.removeprefix("-"))
        if values is None or self.filter.days is None:
            return False
        differ = values(self.snapshot, self.filter.days) != values(self.snapshot, None)
        return bool(differ.compress(self.filter.kinds).any())

    def _list(self, most: int) -> Condition | None:
        """The condition that lists the fewest rows, where they are at most so many."""
        shortest = self.filter.shortest
        return shortest if shortest is not None and shortest.size <= most else None

    def _listed(self, shortest: Condition) -> Array:
        """The rows that meet the filter, from those that one of its conditions lists."""
        stands, *others = self.conditions
        rows = order_of(self.view, "price").remembered(
            (shortest.key, stands.key), lambda: meeting(shortest.listed(), stands)
        )
        return meeting(rows, *(condition for condition in others if condition is not shortest))

    def _walk(
        self, order: RowOrder, conditions: list[Condition], sort: str, start: int, need: int, after: After | None = None
    ) -> Found:
        """What stands along an order, from ``start`` on.

        With ``after`` the order tells apart what has equal keys: all of them are found, those ahead count.
        """
        end = self.snapshot.rows
        if self.within < NULL and sort in ("price", "-price"):
            count = sum(self._ends) if self.view.even else order_of(self.view, "price").place(self.within + 1, 0)
            if sort == "price":
                end = count
            else:
                start, end = max(start, self.snapshot.priced_end - count), self.snapshot.priced_end
        else:
            conditions = [*conditions, *self.priced]
        found = Found(order.rows[:0], self.stock.all.counts[:0])
        for rows in order.matches(conditions, start, end, need if self.alike else need * TRIES):
            part = self.stand(rows if after is not None or not self.alike else rows[: need - len(found)])
            found = part if not len(found) else Found(*(np.concatenate(both) for both in zip(found, part, strict=True)))
            if len(found) >= need and (after is None or self._passed(found, sort, after, need)):
                break
        return found if after is not None else found.take(slice(need))

    def _passed(self, found: Found, sort: str, after: After, need: int) -> bool:
        """Whether so many are ahead of the cursor and what comes behind them has another key."""
        keys, ahead = self._ahead(found, sort, after)
        keys = keys.compress(ahead)
        return len(keys) > need and bool(keys[need - 1] < keys[-1])

    def _walk_by_day(self, sort: str, after: After | None, need: int) -> Found:
        """The first, and more, where the days asked for are not the plans' own.

        What counts for a day, for a month or once is in order by what it counts for one day, each for itself.
        """
        order, by_kind = order_of(self.view, sort, 1), times(self.snapshot, self.filter.days or 1)
        parts = []
        for number in np.unique(by_kind.compress(self.filter.kinds)).tolist():
            conditions = [*self.conditions, self._of_kinds(("times", self.filter.days, number), by_kind == number)]
            start, passed = 0, None
            if number > 1 and sort.endswith("price_per_gb"):  # rounding makes equal what one day tells apart
                passed = After(-NULL, 0) if after is None else after
                if after is not None and after.key != NULL:
                    start = order.place((after.key - 1) * number + 1, 0)
            elif after is not None:
                key, rest = divmod(after.key, 1 if after.key == NULL else number)
                start = order.place(key + bool(rest), 0 if rest else after.plan)
            parts.append(self._walk(order, conditions, sort, start, need, passed))
        return Found(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def _of_kinds(self, key: Hashable, kinds: Array) -> Condition:
        return Condition(key, lambda rows: kinds.take(self.snapshot.kind.take(rows)))
