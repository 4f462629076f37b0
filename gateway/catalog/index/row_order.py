"""All rows in one order of a list, and what is asked of rows as bits in that order.

A page of a list is then a few ANDs of bits and the first that are left, whatever is asked and however rarely it is met.
Bits are made in blocks, when they are first needed: most pages end in the first one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from gateway.catalog.index.amounts import counted, per_gb
from gateway.catalog.index.layout import Array
from gateway.catalog.index.snapshot import Snapshot
from gateway.catalog.index.views import NULL, PriceView
from schemas.plan import NOMINAL_MB_PER_GB

FINE = 1000  # ratios are told apart to a thousandth of the minor unit that is shown
BLOCK = 2**15  # the first block; each other is as long as all before it
MOST_BYTES = 2**21  # of bits that one order remembers
_STEP = 1024
_WORD = 64
_FEW = 8  # rows of one in so many are asked one by one what is asked of their block for the first time
_AROUND = 1024  # bytes that key and objects around it take


class Condition(NamedTuple):
    """What is asked of rows: ``holds`` tells which meet it. ``rows`` lists them where it can; ``size`` is how many."""

    key: Hashable
    holds: Callable[[Array], Array]
    size: int = 0
    rows: Callable[[], Array] | None = None

    def listed(self) -> Array:
        """The rows that meet it, for one that lists them."""
        return np.empty(0, dtype=np.int64) if self.rows is None else self.rows()


class RowOrder:
    """All rows, by sort key, then plan, then row; ``rows`` are they where the snapshot has them so."""

    def __init__(self, snapshot: Snapshot, keys_of: Callable[[Array], Array], rows: Array | None) -> None:
        self._plan = snapshot.plan
        self._keys_of = keys_of
        self.rows = snapshot.plan_rows.take(_sorted(keys_of(snapshot.plan_rows))) if rows is None else rows
        some = self.rows[::_STEP]
        self._marks = list(zip(keys_of(some).tolist(), self._plan.take(some).tolist(), strict=True))
        ends = [0, *(BLOCK << at for at in range(32) if BLOCK << at < len(self.rows)), len(self.rows)]
        self.blocks = [block for block in pairwise(ends) if block[0] < block[1]]
        self._bits: OrderedDict[Hashable, Array] = OrderedDict()
        self._size = 0

    def place(self, key: int, plan: int) -> int:
        """How many rows stand before this key and plan."""
        at = bisect_left(self._marks, (key, plan)) * _STEP
        rows = self.rows[max(0, at - _STEP) : at]
        keys = self._keys_of(rows)
        before = (keys < key) | ((keys == key) & (self._plan.take(rows) < plan))
        return max(0, at - _STEP) + int(np.count_nonzero(before))

    def matches(self, conditions: list[Condition], start: int, end: int, count: int) -> Iterator[Array]:
        """The rows from ``start`` to below ``end`` that meet all conditions, at first ``count`` or more, then more."""
        new = {condition.key for condition in conditions if (condition.key, None) not in self._bits}
        for key in new:
            self.remembered((key, None), lambda: self.rows[:0])
        for low, high in self.blocks:
            if high <= start or low >= end:
                continue
            left, late = self._left(conditions, new, low, high)
            places, most = np.flatnonzero(left), 2 * count if late else count
            while len(places):
                some, places = places[:most], places[most:]
                every = np.unpackbits(left.take(some).view(np.uint8), bitorder="little")
                bits = np.flatnonzero(every.view(np.bool_))
                at = low + (some.take(bits >> 6) << 6) + (bits & 63)
                if low < start or high > end:
                    at = at.compress((at >= start) & (at < end))
                rows = meeting(self.rows.take(at), *late)
                yield from (rows[first : first + most] for first in range(0, len(rows), most))
                most *= 4

    def _left(
        self, conditions: list[Condition], new: set[Hashable], low: int, high: int
    ) -> tuple[Array, list[Condition]]:
        """What meets the conditions in a block, as bits; new ones that are better asked of the few rows left."""
        first, *others = conditions
        left, late = self._of(first, low, high), []
        for condition in others:
            bits = self._bits.get((condition.key, low))
            if bits is None and condition.key in new and int(np.bitwise_count(left).sum()) * _FEW < high - low:
                late.append(condition)
            else:
                left = left & (self._of(condition, low, high) if bits is None else bits)
        return left, late

    def remembered(self, key: Hashable, make: Callable[[], Array]) -> Array:
        """What was made for this key before, or else now; the oldest makes room."""
        found = self._bits.get(key)
        if found is None:
            found = self._bits[key] = make()
            self._size += found.nbytes + _AROUND
            while self._bits and self._size > MOST_BYTES:
                self._size -= self._bits.popitem(last=False)[1].nbytes + _AROUND
        return found

    def _of(self, condition: Condition, low: int, high: int) -> Array:
        """A condition as bits of a block."""
        return self.remembered((condition.key, low), lambda: _packed(condition.holds(self.rows[low:high])))


def meeting(rows: Array, *conditions: Condition) -> Array:
    """Those of the rows that meet the conditions."""
    for condition in conditions:
        rows = rows.compress(condition.holds(rows))
    return rows


def order_of(view: PriceView, sort: str, days: int | None = None) -> RowOrder:
    """The rows in the order by ``sort_keys``, worked out when first asked for."""
    found = view.orders.get((sort, days))
    if found is None:
        snapshot = view.rule_prices.snapshot
        ready = snapshot.columns.get(f"by_{sort}") if days is None else None
        found = RowOrder(snapshot, lambda rows: sort_keys(view, sort, days, rows), ready)
        view.orders[sort, days] = found
    return found


def sort_keys(view: PriceView, sort: str, days: int | None, rows: Array) -> Array:
    """What the rows are sorted by: the value, negative where the highest comes first, or ``NULL``.

    ``days`` is what daily amounts count for; None: the plan's own.
    """
    snapshot, name = view.rule_prices.snapshot, sort.removeprefix("-")
    if name == "price":
        values = view.minor_or_none.take(view.slots.take(rows))
    elif name == "price_per_gb":
        values = _ratio(view, rows, per_gb(snapshot, days), FINE * NOMINAL_MB_PER_GB)
    elif name == "price_per_day":
        values = _ratio(view, rows, snapshot.kind_days, FINE)
    else:
        values = (snapshot.kind_days if name == "days" else counted(snapshot, days)).take(snapshot.kind.take(rows))
    return np.where(values == NULL, NULL, -values) if sort.startswith("-") else values


def _ratio(view: PriceView, rows: Array, below: Array, times: int) -> Array:
    """The price of each row, so many times, over what its kind has; ``NULL`` where one of the two is not there."""
    slots, below = view.slots.take(rows), below.take(view.rule_prices.snapshot.kind.take(rows))
    values = view.minor_or_none.take(slots) * times // np.maximum(1, below)
    return np.where((slots < 0) | (below <= 0), NULL, values)


def _sorted(keys: Array) -> Array:
    """Where each key stands among all, equal ones in their order."""
    valued = keys.compress(keys != NULL)
    low, high = (int(valued.min()), int(valued.max()) + 1) if len(valued) else (0, 0)
    shift = len(keys).bit_length()
    if (high - low).bit_length() + shift >= _WORD:
        return np.argsort(keys, kind="stable")
    ranks = np.where(keys == NULL, high, keys) - low
    if high - low < 2**16:
        return np.argsort(ranks.astype(np.uint16), kind="stable")  # by radix
    both = np.sort(ranks << shift | np.arange(len(keys)))
    return np.asarray(both & ((1 << shift) - 1))


def _packed(mask: Array) -> Array:
    """A mask as words of 64 bits."""
    packed = np.zeros(-(-len(mask) // _WORD), dtype="<u8")
    packed.view(np.uint8)[: -(-len(mask) // 8)] = np.packbits(mask, bitorder="little")
    return packed
