"""Finding a page of plans: the first few in some order, without looking at the rest.

Every order works alike: take a stretch of rows in which the next plans must lie, ask which offer
stands for each plan seen there, and keep the plans whose own offer lies in the stretch. Stretches do
not overlap, so no plan comes twice and none is left out, whatever came before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from gateway.core.catalog.filters import FEW, Filter, totals
from gateway.core.catalog.layout import Array
from gateway.core.catalog.listing import All, Listing
from gateway.core.catalog.query import InStock
from gateway.core.catalog.snapshot import Snapshot
from gateway.core.catalog.stock import NONE, Blocked, standing
from gateway.core.catalog.views import PriceView

NULL = (1 << 62) - 1  # the key of a plan without a value: it comes last either way
ENOUGH = 4  # so many rows for each plan that is needed are looked at closely
CROWD = 64  # rows of a kind that count as many
FINE = 1000  # ratios are told apart to a thousandth of the minor unit that is shown
UNLIMITED = 10**15  # MB, above every amount of data
_EMPTY = np.empty(0, dtype=np.int64)


class After(NamedTuple):
    """Where to go on: behind this key and, among equal keys, from this plan number on."""

    key: int
    plan: int


class Found(NamedTuple):
    """Plans with the row that stands for each, its offers that could be sold, and its sort key."""

    plans: Array
    rows: Array
    counts: Array
    keys: Array

    def __len__(self) -> int:
        return len(self.plans)


class Stream(NamedTuple):
    """Rows among which prices ascend. ``at`` tells where each cost begins; ``live`` whether they could be sold."""

    low: int
    high: int
    at: Array
    live: bool
    blocked: bool


NOTHING = Found(_EMPTY, _EMPTY, _EMPTY, _EMPTY)


class Scan:
    """One query being answered: ``first(need)`` gives its next plans in order."""

    def __init__(
        self,
        snapshot: Snapshot,
        view: PriceView,
        found: Filter,
        blocked: Blocked | None,
        in_stock: InStock,
        sort: str,
        after: After | None,
    ) -> None:
        self.snapshot = snapshot
        self.view = view
        self.filter = found
        self.source = found.source.matching(found.kinds) if isinstance(found.source, Listing) else found.source
        self.blocked = blocked
        self.in_stock = in_stock
        self.order = sort.removeprefix("-")
        self.down = sort.startswith("-")
        self.after = after

    def first(self, need: int) -> Found:
        """The next plans, at most ``need`` of them, in order."""
        if self.after is not None and self.after.key == NULL:
            return self._by_plan_last(need, NOTHING)
        if self.order == "price":
            found = self._by_price(need)
        elif self.order in ("data", "days"):
            return self._by_value(need)
        else:
            found = self._by_ratio(need)
        found = self._sorted(found, need)
        return found if len(found) >= need else self._by_plan_last(need, found)

    # -- parts that every order uses

    def _streams(self) -> Iterator[Stream]:
        """The stretches of rows with prices that can hold what stands for a plan."""
        snapshot = self.snapshot
        if self.in_stock is not InStock.FALSE:
            yield Stream(0, snapshot.sold_end, snapshot.sold_at, live=True, blocked=False)
        if self.in_stock is not InStock.TRUE:
            if self.blocked is not None:
                yield Stream(0, snapshot.sold_end, snapshot.sold_at, live=False, blocked=True)
            yield Stream(snapshot.sold_end, snapshot.priced_end, snapshot.held_at, live=False, blocked=False)

    def _source(self, stream: Stream) -> tuple[Listing | All, Filter]:
        """Where to look for a stream's rows: a few blocked ones are best looked at themselves."""
        if stream.blocked and not self.filter.closed and self.blocked is not None and len(self.blocked.rows) <= FEW:
            source = self.snapshot.rows_of(self.blocked.rows)
            return source, self.filter.elsewhere(source)
        return self.source, self.filter

    def _of_stream(self, rows: Array, stream: Stream, found: Filter) -> Array:
        if stream.blocked and self.blocked is not None:
            rows = rows[self.blocked.mask[rows]]
        elif stream.live and self.blocked is not None:
            rows = rows[~self.blocked.mask[rows]]
        return found.narrow(self.snapshot, rows)

    def _stand(self, plans: Array) -> Found:
        """What stands for each plan, with its key; plans for which nothing does are left out."""
        rows, counts = standing(self.snapshot, plans, self.filter, self.blocked, self.in_stock)
        keep = np.flatnonzero(rows != NONE)
        if len(keep) < len(plans):
            plans, rows, counts = plans[keep], rows[keep], counts[keep]
        return Found(plans, rows, counts, self._keys(rows))

    def _keys(self, rows: Array) -> Array:
        snapshot = self.snapshot
        kinds = snapshot.kind[rows]
        if self.order == "data":
            total = totals(snapshot, self.filter.days)[kinds]
            return np.where(total < 0, UNLIMITED, total)
        if self.order == "days":
            return snapshot.kind_days[kinds]
        costs = snapshot.cost[rows]
        if not len(self.view.minor):
            return np.full(len(rows), NULL)
        minor = self.view.minor[costs]
        if self.order == "price":
            return np.where(costs < 0, NULL, minor)
        times, below = self._ratio()
        below = below[kinds]
        per = minor * (times * FINE) // np.maximum(1, below)
        return np.where((costs < 0) | (below <= 0), NULL, per)

    def _ratio(self) -> tuple[int, Array]:
        """(times, below) for each kind: its key is price x times x FINE / below; below <= 0 has none."""
        if self.order == "price_per_gb":
            return 1024, totals(self.snapshot, self.filter.days)
        return 1, self.snapshot.kind_days

    def _ahead(self, found: Found) -> Found:
        """Without what the cursor has passed."""
        if self.after is None:
            return found
        key, plan = self.after
        beyond = (found.keys < key) if self.down else (found.keys > key)
        return _take(found, (beyond & (found.keys != NULL)) | ((found.keys == key) & (found.plans >= plan)))

    def _sorted(self, found: Found, need: int) -> Found:
        keys = np.where(found.keys == NULL, NULL, -found.keys) if self.down else found.keys
        return _take(found, np.lexsort((found.plans, keys))[:need])

    # -- by price

    def _by_price(self, need: int) -> Found:
        return _join([self._walk(stream, need) for stream in self._streams()])

    def _walk(self, stream: Stream, need: int) -> Found:
        """The next plans among a stream's rows, and all others that cost the same as the last of them."""
        source, found = self._source(stream)
        low, high = stream.low, stream.high
        if found.cost_end is not None:
            high = min(high, int(stream.at[found.cost_end]))
        if self.after is not None:
            if self.down:
                high = min(high, int(stream.at[self.view.costs_within(self.after.key)]))
            else:
                low = max(low, int(stream.at[self.view.costs_within(self.after.key - 1)]))
        parts: list[Found] = []
        have, want = 0, 2 * need
        while low < high and have < need:
            start, end = self._stretch(source, stream, low, high, want)
            rows = self._of_stream(source.between(found.kinds, start, end), stream, found)
            if len(rows) > ENOUGH * need:
                start, end = self._cut(stream, start, end, int(rows[-ENOUGH * need if self.down else ENOUGH * need]))
                rows = rows.compress((rows >= start) & (rows < end))
            if len(rows):
                one = self._stand(np.unique(self.snapshot.plan[rows]))
                part = self._ahead(_take(one, self._within(one, stream, start, end)))
                parts.append(part)
                have += len(part)
            low, high = (low, start) if self.down else (end, high)
            want *= 4
        return _join(parts)

    def _stretch(self, source: Listing | All, stream: Stream, low: int, high: int, want: int) -> tuple[int, int]:
        """A stretch at the near end of low..high that ends where a price does."""
        if self.down:
            return self._cut(stream, low, high, source.reach_down(self.filter.kinds, low, high, want))
        end = source.reach(self.filter.kinds, low, high, want)
        return self._cut(stream, low, high, end - 1)

    def _cut(self, stream: Stream, low: int, high: int, row: int) -> tuple[int, int]:
        """The near part of low..high, up to this row and all others of its price."""
        minor = int(self.view.minor[self.snapshot.cost[row]])
        if self.down:
            return max(low, int(stream.at[self.view.costs_within(minor - 1)])), high
        return low, min(high, int(stream.at[self.view.costs_within(minor)]))

    def _within(self, one: Found, stream: Stream, start: int, end: int) -> Array:
        keep = (one.rows >= start) & (one.rows < end)
        if self.in_stock is not InStock.TRUE:
            keep &= (one.counts > 0) == stream.live
            if self.blocked is not None:
                keep &= self.blocked.mask[one.rows] == stream.blocked
        return keep

    # -- by price per GB or day

    def _by_ratio(self, need: int) -> Found:
        """Within a kind the ratio ascends with the price, so a bound on it is a bound on rows."""
        times, below = self._ratio()
        kinds = self.filter.kinds & (below > 0)
        near = None if self.after is None else self.after.key
        found = NOTHING
        enough = ENOUGH * need
        for guess in self._guesses(kinds, times, below, need):
            least, most = (guess, near) if self.down else (near, guess)
            parts = [self._ratio_window(s, kinds, times, below, least, most) for s in self._streams()]
            rows, far = self._nearest(np.concatenate(parts), guess, enough)
            enough *= 4
            one = self._stand(np.unique(self.snapshot.plan.take(rows)))
            inside = one.keys != NULL
            if far is not None:
                inside &= (one.keys >= far) if self.down else (one.keys <= far)
            found = self._ahead(_take(one, inside))
            if len(found) >= need:
                break
        return found

    def _nearest(self, rows: Array, far: int | None, enough: int) -> tuple[Array, int | None]:
        """Where there are many rows, those with the nearest keys, and the bound within which they lie."""
        if far is None or len(rows) <= enough:
            return rows, far
        keys = self._keys(rows)
        if self.down:
            far = max(far, int(np.partition(keys, len(keys) - enough)[-enough]))
            return rows.compress(keys >= far), far
        far = min(far, int(np.partition(keys, enough)[enough]))
        return rows.compress(keys <= far), far

    def _guesses(self, kinds: Array, times: int, below: Array, need: int) -> Iterator[int | None]:
        """Bounds within which enough plans may lie, ever wider, at last none."""
        present = self.source.present(kinds)
        rows = present.last if self.down else present.first
        costs = self.snapshot.cost[rows]
        priced = costs >= 0
        if len(self.view.minor) and priced.any():
            held = below[present.kind[priced]]
            keys = self.view.minor[costs[priced]] * (times * FINE) // held
            if self.after is not None:
                ahead = keys < self.after.key if self.down else keys > self.after.key
                keys = np.concatenate([keys[ahead], [self.after.key]])
            keys.sort()
            if self.down:
                keys = keys[::-1]
            # The more rows a kind has, the more plans lie before its next one.
            count = max(2, need // max(1, len(self.source) // (CROWD * len(keys))))
            if self.down:  # the dearest row of a kind seldom stands for its plan, so its key says less
                count = max(2, count // 8)
            while count < len(keys):
                yield int(keys[count - 1])
                count *= 4
            far = int(keys[-1])
            for _ in range(8):
                yield far
                far = far - far // 5 - 1 if self.down else far + far // 5 + 1
        yield None

    def _ratio_window(
        self, stream: Stream, kinds: Array, times: int, below: Array, least: int | None, most: int | None
    ) -> Array:
        """A stream's rows of these kinds with keys from ``least`` to ``most``, and perhaps some more."""
        source, found = self._source(stream)
        low = np.full(len(kinds), stream.low, dtype=np.int32)
        high = np.full(len(kinds), stream.high, dtype=np.int32)
        # Prices within a unit of the bound may go either way; their keys are looked at one by one afterwards.
        price = below / (times * FINE)
        if least is not None:
            low = np.maximum(low, stream.at[self.view.minor.searchsorted(_whole(price * least) - 1, "left")])
        if most is not None:
            high = np.minimum(high, stream.at[self.view.minor.searchsorted(_whole(price * (most + 1)) + 1, "right")])
        high = np.where(kinds, high, 0)
        return self._of_stream(source.window(low, high), stream, found)

    # -- by data or days

    def _by_value(self, need: int) -> Found:
        """Kinds in the order of their value; among equals, plans in the order of their ids."""
        snapshot = self.snapshot
        present = self.source.present(self.filter.kinds)
        if self.order == "days":
            values = snapshot.kind_days[present.kind]
        else:
            values = totals(snapshot, self.filter.days)[present.kind]
            values = np.where(values < 0, UNLIMITED, values)
        if self.after is not None:
            ahead = values <= self.after.key if self.down else values >= self.after.key
            present = type(present)(*(column[ahead] for column in present))
            values = values[ahead]
        parts: list[Found] = []
        have = 0
        for batch in self._batches(values, present.size, need):
            kinds = np.zeros(snapshot.kinds, dtype=np.bool_)
            kinds[present.kind[batch]] = True
            single = len(np.unique(values[batch])) == 1
            part = self._ahead(self._lowest(kinds, 0, need, single=single))
            parts.append(part)
            have += len(part)
            if have >= need:
                break
        return self._sorted(_join(parts), need)

    def _batches(self, values: Array, counts: Array, need: int) -> Iterator[Array]:
        """Kinds with the next values: as many values together as are worth one look."""
        distinct, where = np.unique(values, return_inverse=True)
        sizes = np.bincount(where, weights=counts, minlength=len(distinct)).tolist()
        numbers = range(len(distinct) - 1, -1, -1) if self.down else range(len(distinct))
        begin, total, enough = 0, 0.0, 8 * need
        for at, number in enumerate(numbers):
            if at > begin and total + sizes[number] > max(enough, FEW):
                yield _among(where, numbers[begin:at])
                begin, total, enough = at, 0.0, enough * 4
            total += sizes[number]
            if total >= enough:
                yield _among(where, numbers[begin : at + 1])
                begin, total, enough = at + 1, 0.0, enough * 4
        if begin < len(numbers):
            yield _among(where, numbers[begin:])

    def _lowest(self, kinds: Array, low: int, need: int, *, single: bool, null: bool = False) -> Found:
        """What stands for plans of these kinds: with ``single``, at least the ``need`` lowest; else all.

        With ``null``, only plans without a sort value.
        """
        source = self.source
        if single and low == 0 and isinstance(source, All):
            return self._along_plans(kinds, need, null=null)
        rows = self._in_stock(source.between(kinds, low, self.snapshot.rows))
        plans = self.snapshot.plan[rows]
        if not single:
            return self._stand(np.unique(plans))
        if self.after is not None:
            # Equal keys go on behind the cursor's plan; other keys have all their plans ahead.
            plans = plans if self._next_key(kinds) else plans[plans >= self.after.plan]
        parts: list[Found] = []
        have, take = 0, 8 * need
        while len(plans) and have < need:
            some = plans if take >= len(plans) else np.partition(plans, take)[:take]
            some = np.unique(some)[: 2 * need]
            part = self._valued(self._stand(some), null=null)
            parts.append(part)
            have += len(part)
            plans = plans[plans > some[-1]]
            take *= 4
        return _join(parts)

    def _next_key(self, kinds: Array) -> bool:
        """Whether these kinds, all of one value, come behind the cursor's value."""
        if self.after is None or self.after.key == NULL:
            return False
        kind = int(np.flatnonzero(kinds)[0])
        if self.order == "days":
            return int(self.snapshot.kind_days[kind]) != self.after.key
        value = int(totals(self.snapshot, self.filter.days)[kind])
        return (UNLIMITED if value < 0 else value) != self.after.key

    def _valued(self, found: Found, *, null: bool) -> Found:
        return _take(found, found.keys == NULL) if null else found

    def _along_plans(self, kinds: Array, need: int, *, null: bool) -> Found:
        """The lowest plans of these kinds, walking all rows in the order of plans."""
        snapshot = self.snapshot
        order = snapshot.all_by_plan
        low = 0
        if self.after is not None and not self._next_key(kinds):
            low = int(snapshot.plan_rows_at[min(self.after.plan, snapshot.plans)])
        parts: list[Found] = []
        have, want = 0, 4 * need
        while low < snapshot.rows and have < need:
            end = order.reach(kinds, low, snapshot.rows, want)
            # A stretch ends where a plan does.
            plan = int(snapshot.plan[snapshot.plan_rows[end - 1]])
            end = int(snapshot.plan_rows_at[plan + 1])
            rows = self._in_stock(order.between(kinds, low, end))
            if len(rows):
                part = self._valued(self._stand(np.unique(snapshot.plan[rows])), null=null)
                parts.append(part)
                have += len(part)
            low = end
            want *= 4
        return _join(parts)

    def _in_stock(self, rows: Array) -> Array:
        """Those of the rows that can make their plan one of this list."""
        if self.in_stock is InStock.TRUE:
            rows = rows[rows < self.snapshot.sold_end]
            if self.blocked is not None:
                rows = rows[~self.blocked.mask[rows]]
        elif self.in_stock is InStock.FALSE:
            dead = rows >= self.snapshot.sold_end
            if self.blocked is not None:
                dead |= self.blocked.mask[rows]
            rows = rows[dead]
        return self.filter.narrow(self.snapshot, rows)

    # -- those without a value, at the end

    def _by_plan_last(self, need: int, before: Found) -> Found:
        """Plans without a sort value, by id, behind those that have one."""
        if self.order in ("data", "days"):
            return before
        missing = need - len(before)
        kinds = self.filter.kinds
        endless = kinds & (self._ratio()[1] <= 0) if self.order == "price_per_gb" else np.zeros_like(kinds)
        after = self.after
        if after is None or after.key != NULL:
            self.after = After(NULL, 0)
        parts: list[Found] = []
        if endless.any():
            parts.append(self._lowest(endless, 0, missing, single=True, null=True))
        if self.in_stock is not InStock.TRUE and self.filter.cost_end is None:
            rest = kinds & ~endless
            parts.append(self._lowest(rest, self.snapshot.priced_end, missing, single=True, null=True))
        last = _join(parts)
        self.after = after
        return _join([before, _take(last, np.argsort(last.plans, kind="stable")[:missing])])


def _whole(prices: Array) -> Array:
    return np.minimum(prices, 2.0**53).astype(np.int64)


def _among(where: Array, numbers: range) -> Array:
    """The places of these numbers, which follow one another up or down."""
    return np.flatnonzero((where >= min(numbers)) & (where <= max(numbers)))


def _take(found: Found, which: Array) -> Found:
    return Found(found.plans[which], found.rows[which], found.counts[which], found.keys[which])


def _join(parts: list[Found]) -> Found:
    if not parts:
        return NOTHING
    if len(parts) == 1:
        return parts[0]
    return Found(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
