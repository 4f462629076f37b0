"""Many numbers, each with a value, in a small part of the memory of a dict."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Flags: TypeAlias = npt.NDArray[np.bool_]
Numbers: TypeAlias = npt.NDArray[np.uint64]


class FirstValues:
    """Numbers with the value that each of them came with first, in about 40 bytes.

    Open addressing over one array; 0 is an empty place.
    """

    def __init__(self) -> None:
        self._table: Numbers = np.zeros(1024, dtype=np.uint64)
        self._values: Numbers = np.zeros(1024, dtype=np.uint64)
        self._count = 0

    def __contains__(self, number: np.uint64) -> bool:
        number = max(number, np.uint64(1))
        at = int(number) & (len(self._table) - 1)
        while self._table[at] not in {np.uint64(0), number}:
            at = (at + 1) & (len(self._table) - 1)
        return bool(self._table[at] == number)

    def __len__(self) -> int:
        return self._count

    def add(self, numbers: Numbers, values: Numbers) -> tuple[Flags, Numbers]:
        """Take these in, all different from each other: which of them were not in it, and the first value of each."""
        numbers = np.maximum(numbers, np.uint64(1))
        while (self._count + len(numbers)) * 2 > len(self._table):
            kept = self._table != 0
            old, of = self._table[kept], self._values[kept]
            self._table = np.zeros(len(self._table) * 2, dtype=np.uint64)
            self._values = np.zeros(len(self._table), dtype=np.uint64)
            self._place(old, of)
        added, first = self._place(numbers, values)
        self._count += int(np.count_nonzero(added))
        return added, first

    def _place(self, numbers: Numbers, values: Numbers) -> tuple[Flags, Numbers]:
        added, first = np.zeros(len(numbers), dtype=np.bool_), np.zeros(len(numbers), dtype=np.uint64)
        mask = np.uint64(len(self._table) - 1)
        waiting = np.arange(len(numbers))
        at = numbers & mask
        while len(waiting):
            there = self._table[at]
            empty = there == 0
            # Of several that want one place the last gets it; the others see that it is not theirs.
            self._table[at[empty]] = numbers[waiting[empty]]
            mine = empty & (self._table[at] == numbers[waiting])
            added[waiting[mine]] = True
            self._values[at[mine]] = values[waiting[mine]]
            found = mine | (there == numbers[waiting])
            first[waiting[found]] = self._values[at[found]]
            waiting, at = waiting[~found], (at[~found] + np.uint64(1)) & mask
        return added, first
