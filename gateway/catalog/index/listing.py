"""Lists of rows in row order, asked by kind: which rows of these kinds lie in this stretch?

A ``Listing`` is one country's, one region's or one query's: its rows with their kinds beside them,
short enough to look through. ``All`` is every row, too long for that: a table says how many rows of
each kind stand before each block of positions, so that only stretches with something in them are
looked through.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import cached_property
from typing import NamedTuple

import numpy as np

from gateway.catalog.index.intern import spans
from gateway.catalog.index.layout import Array

LEAST = 256
SPARSE = 8
LONG = 4
REMEMBERED = 64
_MARGIN = 2


class Present(NamedTuple):
    """The kinds that a list has, and of each how many rows, the first and the last of them."""

    kind: Array
    size: Array
    first: Array
    last: Array


class Listing:
    """Rows ascending, each with its kind."""

    def __init__(self, kinds: int, rows: Array, row_kinds: Array, present: Present | None) -> None:
        self.rows = rows
        self.row_kinds = row_kinds
        self._kinds = kinds
        self._known = present

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def _present(self) -> Present:
        return self._known or _count(self._kinds, self.rows, self.row_kinds)

    def present(self, wanted: Array) -> Present:
        """The wanted kinds that are here."""
        return _wanted(self._present, wanted)

    def matching(self, wanted: Array) -> Listing:
        """A list of the rows of the wanted kinds alone, where that is much shorter; else this one."""
        if len(self.rows) <= LEAST:
            return self
        present = self.present(wanted)
        if not len(present.kind):
            return Listing(self._kinds, self.rows[:0], self.row_kinds[:0], present)
        if int(present.size.sum()) * SPARSE > len(self.rows):
            return self
        first, last = self._places(int(present.first.min()), int(present.last.max()) + 1)
        at = first + np.flatnonzero(wanted.take(self.row_kinds[first:last]))
        return Listing(self._kinds, self.rows.take(at), self.row_kinds.take(at), present)

    def between(self, wanted: Array, low: int, high: int) -> Array:
        """The rows of the wanted kinds from ``low`` to below ``high``, ascending."""
        first, last = self._places(low, high)
        at = np.flatnonzero(wanted.take(self.row_kinds[first:last]))
        return self.rows[first:last].take(at)

    def window(self, low: Array, high: Array) -> Array:
        """The rows that lie between their kind's bounds, ascending."""
        at = np.flatnonzero(self.rows < high.take(self.row_kinds))
        rows = self.rows.take(at)
        return rows.compress(rows >= low.take(self.row_kinds.take(at)))

    def reach(self, wanted: Array, low: int, high: int, count: int) -> int:
        """A bound above ``low`` below which about ``count`` rows of the wanted kinds lie; ``high`` at most."""
        first, last = self._places(low, high)
        step = self._step(wanted, count)
        return high if first + step >= last else int(self.rows[first + step])

    def reach_down(self, wanted: Array, low: int, high: int, count: int) -> int:
        """A bound below ``high`` from which on about ``count`` rows of the wanted kinds lie; ``low`` at least."""
        first, last = self._places(low, high)
        step = self._step(wanted, count)
        return low if last - step <= first else int(self.rows[last - step])

    def _places(self, low: int, high: int) -> tuple[int, int]:
        # Bounds of another type would have the whole list converted first.
        first, last = self.rows.searchsorted(np.array((low, high), dtype=self.rows.dtype)).tolist()
        return first, last

    def _step(self, wanted: Array, count: int) -> int:
        matching = int(self._present.size.compress(wanted.take(self._present.kind)).sum())
        return max(LEAST, _MARGIN * count * len(self.rows) // max(1, matching))


class All:
    """Every position. ``order`` gives the row at each; None when positions are rows.

    ``before`` has, for each block of positions, how many of each kind stand before it. ``starts`` and
    ``members`` are the positions grouped by kind, ascending in each.
    """

    def __init__(self, row_kinds: Array, order: Array | None, before: Array, starts: Array, members: Array) -> None:
        self.row_kinds = row_kinds
        self.order = order
        self.starts = starts
        self.members = members
        self.before = before
        self.blocks = len(before) - 1
        self.block = max(1, -(-len(row_kinds) // self.blocks))
        self._known: OrderedDict[int, tuple[Array, Array]] = OrderedDict()

    def __len__(self) -> int:
        return len(self.row_kinds)

    def present(self, wanted: Array) -> Present:
        """The wanted kinds that are here."""
        kinds = np.flatnonzero(wanted)
        first, end = self.starts.take(kinds), self.starts.take(kinds + 1)
        return Present(kinds, end - first, self.members.take(first), self.members.take(end - 1))

    def between(self, wanted: Array, low: int, high: int) -> Array:
        """The rows of the wanted kinds at positions from ``low`` to below ``high``, in the order of positions."""
        if high - low > LONG * self.block:
            kinds = np.flatnonzero(wanted)
            found = self._stretches(kinds, np.full(len(kinds), low), np.full(len(kinds), high))
            return found if self.order is None else self.order.take(found)
        if self.order is None:
            return low + np.flatnonzero(wanted.take(self.row_kinds[low:high]))
        rows = self.order[low:high]
        return rows.compress(wanted.take(self.row_kinds.take(rows)))

    def window(self, low: Array, high: Array) -> Array:
        """The rows that lie between their kind's bounds, ascending; positions must be rows."""
        kinds = np.flatnonzero(low < high)
        return self._stretches(kinds, low.take(kinds), high.take(kinds))

    def reach(self, wanted: Array, low: int, high: int, count: int) -> int:
        """A bound above ``low`` below which about ``count`` wanted positions lie; ``high`` at most."""
        before = self._counts(wanted)
        aim = self._standing_before(before, low) + _MARGIN * count
        block = int(before.searchsorted(aim, "left"))
        if block > self.blocks:
            return high
        end = self._place(before, block - 1, aim)
        return min(high, max(low + LEAST, end))

    def reach_down(self, wanted: Array, low: int, high: int, count: int) -> int:
        """A bound below ``high`` from which on about ``count`` wanted positions lie; ``low`` at least."""
        before = self._counts(wanted)
        aim = self._standing_before(before, high) - _MARGIN * count
        block = int(before.searchsorted(aim, "right")) - 1
        if block < 0:
            return low
        return max(low, min(high - LEAST, self._place(before, block, aim)))

    def _standing_before(self, before: Array, position: int) -> float:
        """How many wanted positions lie before this one, if each block's were evenly spread."""
        block, over = divmod(position, self.block)
        if block >= self.blocks:
            return float(before[-1])
        return float(before[block]) + float(before[block + 1] - before[block]) * over / self.block

    def _place(self, before: Array, block: int, aim: float) -> int:
        """Where in this block so many lie before, if the block's were evenly spread."""
        block = max(0, min(block, self.blocks - 1))
        inside = float(before[block + 1] - before[block])
        part = (aim - float(before[block])) / inside if inside else 0.0
        return block * self.block + int(min(1.0, max(0.0, part)) * self.block) + 1

    def _counts(self, wanted: Array) -> Array:
        """How many wanted positions stand before each block."""
        known = self._known.get(id(wanted))
        if known is not None and known[0] is wanted:
            return known[1]
        counts: Array = self.before @ wanted.astype(self.before.dtype)
        self._known[id(wanted)] = (wanted, counts)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return counts

    def _stretches(self, kinds: Array, lows: Array, highs: Array) -> Array:
        """The positions of each of the kinds within its bounds, ascending."""
        at = self.starts.take(kinds)
        first = at + self._from_table(np.clip(lows // self.block, 0, self.blocks), kinds)
        last = at + self._from_table(np.clip(-(-highs // self.block), 0, self.blocks), kinds)
        found = self.members.take(spans(first, last))
        counts = last - first
        found = found.compress((found >= np.repeat(lows, counts)) & (found < np.repeat(highs, counts)))
        found.sort()
        return found

    def _from_table(self, blocks: Array, kinds: Array) -> Array:
        found: Array = self.before.ravel().take(blocks * self.before.shape[1] + kinds).astype(np.int64)
        return found


def _wanted(present: Present, wanted: Array) -> Present:
    at = np.flatnonzero(wanted.take(present.kind))
    return Present(present.kind[at], present.size[at], present.first[at], present.last[at])


def _count(kinds: int, rows: Array, row_kinds: Array) -> Present:
    counts = np.bincount(row_kinds, minlength=kinds)
    present = np.flatnonzero(counts)
    first = np.zeros(kinds, dtype=np.int64)
    last = np.zeros(kinds, dtype=np.int64)
    first[row_kinds[::-1]] = rows[::-1]
    last[row_kinds] = rows
    return Present(present, counts[present], first[present], last[present])
