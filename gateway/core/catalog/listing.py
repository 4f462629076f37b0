"""Lists of rows in row order, asked by kind: which rows of these kinds lie in this stretch?

A ``Listing`` is one country's, one region's or one query's: its rows with their kinds beside them,
short enough to look through. ``All`` is every row, too long for that: a table says how many rows of
each kind stand before each block of positions, so that only stretches with something in them are
looked through.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np

from gateway.core.catalog.intern import spans
from gateway.core.catalog.layout import Array

LEAST = 256
MANY = 0.2
LONG = 16
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

    def between(self, wanted: Array, low: int, high: int) -> Array:
        """The rows of the wanted kinds from ``low`` to below ``high``, ascending."""
        first, last = self.rows.searchsorted((low, high)).tolist()
        at = np.flatnonzero(wanted.take(self.row_kinds[first:last]))
        return self.rows[first:last].take(at)

    def window(self, low: Array, high: Array) -> Array:
        """The rows that lie between their kind's bounds, ascending."""
        at = np.flatnonzero(self.rows < high.take(self.row_kinds))
        rows = self.rows.take(at)
        return rows.compress(rows >= low.take(self.row_kinds.take(at)))

    def reach(self, wanted: Array, low: int, high: int, count: int) -> int:
        """A bound above ``low`` below which about ``count`` rows of the wanted kinds lie; ``high`` at most."""
        first, last = self.rows.searchsorted((low, high)).tolist()
        step = self._step(wanted, count)
        return high if first + step >= last else int(self.rows[first + step])

    def reach_down(self, wanted: Array, low: int, high: int, count: int) -> int:
        """A bound below ``high`` from which on about ``count`` rows of the wanted kinds lie; ``low`` at least."""
        first, last = self.rows.searchsorted((low, high)).tolist()
        step = self._step(wanted, count)
        return low if last - step <= first else int(self.rows[last - step])

    def _step(self, wanted: Array, count: int) -> int:
        matching = int(self._present.size[wanted.take(self._present.kind)].sum())
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
        self._known: tuple[Array, Array] | None = None

    def __len__(self) -> int:
        return len(self.row_kinds)

    def present(self, wanted: Array) -> Present:
        """The wanted kinds that are here."""
        kinds = np.flatnonzero(wanted)
        first, end = self.starts[kinds], self.starts[kinds + 1]
        return Present(kinds, end - first, self.members[first], self.members[end - 1])

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
        return self._stretches(kinds, low[kinds], high[kinds])

    def _stretches(self, kinds: Array, lows: Array, highs: Array) -> Array:
        """The positions of each of the kinds within its bounds, ascending."""
        at = self.starts[kinds]
        first = at + self.before[np.clip(lows // self.block, 0, self.blocks), kinds]
        last = at + self.before[np.clip(-(-highs // self.block), 0, self.blocks), kinds]
        found = self.members.take(spans(first, last))
        counts = last - first
        found = found.compress((found >= np.repeat(lows, counts)) & (found < np.repeat(highs, counts)))
        found.sort()
        return found

    def of_kinds(self, wanted: Array) -> Array:
        """All rows of the wanted kinds, in no order."""
        kinds = np.flatnonzero(wanted)
        return self.members.take(spans(self.starts[kinds], self.starts[kinds + 1]))

    def reach(self, wanted: Array, low: int, high: int, count: int) -> int:
        """A bound above ``low`` below which about ``count`` positions of the wanted kinds lie; ``high`` at most."""
        before = self._counts(wanted)
        if before is None:
            return min(high, low + self._step(wanted, count))
        block = min(low // self.block, self.blocks)
        end = int(before.searchsorted(before[block] + count, "left"))
        # What is in the first block with anything in it decides; a whole block is never much.
        return min(high, max(low + 1, min(end, self.blocks) * self.block))

    def reach_down(self, wanted: Array, low: int, high: int, count: int) -> int:
        """A bound below ``high`` from which on about ``count`` wanted positions lie; ``low`` at least."""
        before = self._counts(wanted)
        if before is None:
            return max(low, high - self._step(wanted, count))
        block = min(-(-high // self.block), self.blocks)
        start = int(before.searchsorted(before[block] - count, "right")) - 1
        return max(low, min(high - 1, max(start, 0) * self.block))

    def _step(self, wanted: Array, count: int) -> int:
        return max(LEAST, _MARGIN * count * len(self) // max(1, self._size(wanted)))

    def _size(self, wanted: Array) -> int:
        return int(self.before[-1].compress(wanted).sum()) if len(self) else 0

    def _counts(self, wanted: Array) -> Array | None:
        """How many wanted positions stand before each block; None where they are so many that guessing will do."""
        if self._size(wanted) > MANY * len(self):
            return None
        if self._known is None or self._known[0] is not wanted:
            self._known = (wanted, self.before.compress(wanted, axis=1).sum(axis=1))
        return self._known[1]


def _wanted(held: Present, wanted: Array) -> Present:
    at = np.flatnonzero(wanted.take(held.kind))
    return Present(held.kind[at], held.size[at], held.first[at], held.last[at])


def _count(kinds: int, rows: Array, row_kinds: Array) -> Present:
    counts = np.bincount(row_kinds, minlength=kinds)
    present = np.flatnonzero(counts)
    first = np.zeros(kinds, dtype=np.int64)
    last = np.zeros(kinds, dtype=np.int64)
    first[row_kinds[::-1]] = rows[::-1]
    last[row_kinds] = rows
    return Present(present, counts[present], first[present], last[present])
