"""Numbering of equal things while a snapshot is built."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

import numpy as np

from gateway.catalog.index.layout import Array

T = TypeVar("T")


class Numbered(Generic[T]):
    """Distinct values, numbered as they come and, when all are there, by their order.

    The order makes a snapshot the same whatever order its offers came in.
    """

    def __init__(self) -> None:
        self.numbers: dict[T, int] = {}

    def number(self, value: T) -> int:
        return self.numbers.setdefault(value, len(self.numbers))

    def in_order(self) -> tuple[list[T], Array]:
        """The values sorted, and for each number as it came its place among them."""
        first: dict[Any, int] = self.numbers
        values = sorted(first)
        place = np.empty(len(values), dtype=np.int32)
        for now, value in enumerate(values):
            place[first[value]] = now
        return values, place

    def __len__(self) -> int:
        return len(self.numbers)


def narrow(values: Any) -> Array:
    """The values in the smallest unsigned type that a signed comparison still fits: u2, else i4."""
    column = np.asarray(values)
    if column.size == 0 or (int(column.min()) >= 0 and int(column.max()) < 2**16):
        return column.astype(np.uint16)
    return column.astype(np.int32)


def starts_of(counts: Array) -> Array:
    """Where each group begins, and the end of the last: one entry more than ``counts``."""
    starts = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts


def grouped(keys: Array, groups: int) -> tuple[Array, Array]:
    """(starts, members): positions grouped by key, ascending within each group."""
    members = np.argsort(keys, kind="stable").astype(np.int32)
    return starts_of(np.bincount(keys, minlength=groups)).astype(np.int32), members


def ragged(lists: Iterable[Iterable[int]]) -> tuple[Array, Array]:
    """(starts, members) of lists of numbers."""
    counts: list[int] = []
    members: list[int] = []
    for values in lists:
        before = len(members)
        members.extend(values)
        counts.append(len(members) - before)
    return starts_of(np.array(counts, dtype=np.int64)).astype(np.int32), np.array(members, dtype=np.int32)


def spans(starts: Array, ends: Array) -> Array:
    """All positions of several ranges, one range after the other."""
    counts = ends - starts
    total = int(counts.sum())
    if total == 0:
        return np.empty(0, dtype=np.int64)
    before = np.cumsum(counts) - counts
    positions: Array = np.arange(total, dtype=np.int64) + np.repeat(starts - before, counts)
    return positions
