"""Lists of rows in row order, asked by kind: which rows of these kinds lie in this stretch?

A ``Listing`` is one country's, one region's or one query's: its rows with their kinds beside them,
short enough to look through. ``All`` is everything, too long for that: its rows are grouped by kind,
and a table says how many of each kind stand before each block of positions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gateway.core.catalog.intern import spans
from gateway.core.catalog.layout import Array

LEAST = 256
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
        self._present = present

    def __len__(self) -> int:
        return len(self.rows)

    def present(self, wanted: Array) -> Present:
        """The wanted kinds that are here."""
        if self._present is None:
            self._present = _count(self._kinds, self.rows, self.row_kinds)
        held = self._present
        at = np.flatnonzero(wanted[held.kind])
        return Present(held.kind[at], held.size[at], held.first[at], held.last[at])

    def between(self, wanted: Array, low: int, high: int) -> Array:
        """The rows of the wanted kinds from ``low`` to below ``high``, ascending."""
        first, last = self.rows.searchsorted((low, high)).tolist()
        return self.rows[first:last][wanted[self.row_kinds[first:last]]]

    def window(self, low: Array, high: Array) -> Array:
        """The rows that lie between their kind's bounds, ascending."""
        return self.rows[(self.rows >= low[self.row_kinds]) & (self.rows < high[self.row_kinds])]

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
        matching = int(self.present(wanted).size.sum())
        return max(LEAST, _MARGIN * count * len(self.rows) // max(1, matching))


class All:
    """Every position, grouped by kind, ascending in each; positions are rows, or places in the order of plans."""

    def __init__(self, kinds: int, size: int, starts: Array, members: Array, before: Array) -> None:
        self.size = size
        self.starts = starts
        self.members = members
        self.before = before.reshape(-1, kinds) if kinds else np.zeros((2, 0), dtype=np.int32)
        self.blocks = len(self.before) - 1
        self.block = -(-size // self.blocks) or 1 if self.blocks > 0 else 1

    def __len__(self) -> int:
        return self.size

    def present(self, wanted: Array) -> Present:
        """The wanted kinds that are here."""
        kinds = np.flatnonzero(wanted)
        first, end = self.starts[kinds], self.starts[kinds + 1]
        return Present(kinds, end - first, self.members[first], self.members[end - 1])

    def between(self, wanted: Array, low: int, high: int) -> Array:
        """The positions of the wanted kinds from ``low`` to below ``high``, ascending."""
        if low >= high:
            return self.members[:0]
        kinds = np.flatnonzero(wanted)
        found = self._blocks(kinds, low // self.block, -(-high // self.block))
        found = found[(found >= low) & (found < high)]
        found.sort()
        return found

    def window(self, low: Array, high: Array) -> Array:
        """The positions that lie between their kind's bounds, ascending."""
        kinds = np.flatnonzero(low < high)
        lows, highs = low[kinds], high[kinds]
        at = self.starts[kinds]
        first = at + self.before[np.clip(lows // self.block, 0, self.blocks), kinds]
        last = at + self.before[np.clip(-(-highs // self.block), 0, self.blocks), kinds]
        found = self.members[spans(first, last)]
        counts = last - first
        found = found[(found >= np.repeat(lows, counts)) & (found < np.repeat(highs, counts))]
        found.sort()
        return found

    def reach(self, wanted: Array, low: int, high: int, count: int) -> int:
        """A bound above ``low`` below which at least ``count`` positions of the wanted kinds lie; ``high`` at most."""
        kinds = np.flatnonzero(wanted)
        first = min(low // self.block, self.blocks)
        aim = self._before(kinds, first) + count
        found, least, most = self.blocks, first + 1, self.blocks
        while least <= most:
            middle = (least + most) // 2
            if self._before(kinds, middle) >= aim:
                found, most = middle, middle - 1
            else:
                least = middle + 1
        # The last stretch is a whole block: more would cost more than it gives.
        return min(high, max(low + 1, found * self.block))

    def reach_down(self, wanted: Array, low: int, high: int, count: int) -> int:
        """A bound below ``high`` from which on at least ``count`` wanted positions lie; ``low`` at least."""
        kinds = np.flatnonzero(wanted)
        last = min(-(-high // self.block), self.blocks)
        aim = self._before(kinds, last) - count
        found, least, most = 0, 0, last - 1
        while least <= most:
            middle = (least + most) // 2
            if self._before(kinds, middle) <= aim:
                found, least = middle, middle + 1
            else:
                most = middle - 1
        return max(low, min(high - 1, found * self.block))

    def _before(self, kinds: Array, block: int) -> int:
        return int(self.before[block][kinds].sum())

    def _blocks(self, kinds: Array, first: int, last: int) -> Array:
        at = self.starts[kinds]
        return self.members[
            spans(at + self.before[min(first, self.blocks)][kinds], at + self.before[min(last, self.blocks)][kinds])
        ]


def _count(kinds: int, rows: Array, row_kinds: Array) -> Present:
    counts = np.bincount(row_kinds, minlength=kinds)
    present = np.flatnonzero(counts)
    first = np.zeros(kinds, dtype=np.int64)
    last = np.zeros(kinds, dtype=np.int64)
    first[row_kinds[::-1]] = rows[::-1]
    last[row_kinds] = rows
    return Present(present, counts[present], first[present], last[present])
