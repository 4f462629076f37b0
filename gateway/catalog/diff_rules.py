"""What a walk changes: each item's key and digest, and a compact memory of those that are stored.

A supplier's catalogue may hold a hundred thousand offers of which few change, so the comparison is made
here, on 36 bytes an offer, and only what changed goes to the database. An item that came as it came the
last time is not even mapped: its own bytes are recognised.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

KEY_BYTES = 12
DIGEST_BYTES = 16
RAW_BYTES = 8
UNKNOWN_RAW = bytes(RAW_BYTES)
_ROW = np.dtype([("head", ">u8"), ("tail", ">u4"), ("low", "<u8"), ("high", "<u8"), ("raw", "<u8")])
_KEY = np.dtype([("head", ">u8"), ("tail", ">u4")])
_DIGEST = np.dtype([("low", "<u8"), ("high", "<u8")])

Flags: TypeAlias = npt.NDArray[np.bool_]
Numbers: TypeAlias = npt.NDArray[np.uint64]


def offer_key(supplier: str, supplier_plan_id: str) -> bytes:
    """The 12 bytes that an offer's id is made of."""
    return hashlib.blake2b(f"{supplier}\0{supplier_plan_id}".encode(), digest_size=KEY_BYTES).digest()


def offer_id(key: bytes) -> str:
    """The public id of an offer with that key."""
    return f"off_{key.hex()}"


def digest(encoded: bytes) -> bytes:
    """16 bytes that stand for everything that a supplier says of one offer."""
    return hashlib.blake2b(encoded, digest_size=DIGEST_BYTES).digest()


def raw_digest(raw: bytes, mapping: bytes) -> bytes:
    """8 bytes that stand for an item as it came, and for what maps it (16 to 64 bytes)."""
    return hashlib.blake2b(raw, digest_size=RAW_BYTES, key=mapping).digest()


class StoredOffers:
    """The offers of one supplier that stand in the database, as a walk meets them one page after another.

    ``rows`` is key, digest and raw digest of each, 36 bytes, in any order.
    """

    def __init__(self, rows: bytes) -> None:
        table = np.frombuffer(rows, dtype=_ROW)
        table = table[np.argsort(table["head"], kind="stable")]
        self._head: Numbers = table["head"].astype(np.uint64)
        self._tail = table["tail"].copy()
        self._low: Numbers = table["low"].copy()
        self._high: Numbers = table["high"].copy()
        self._by_raw = np.argsort(table["raw"], kind="stable")
        self._raw: Numbers = table["raw"][self._by_raw]
        self._seen: Flags = np.zeros(len(table), dtype=np.bool_)
        self._new = _Heads()

    def __len__(self) -> int:
        return len(self._head)

    @property
    def new(self) -> int:
        """How many items met so far are not stored."""
        return len(self._new)

    def recall(self, raws: Sequence[bytes]) -> list[bool]:
        """Which raw digests are those of stored offers that this walk has not met yet; these count as met."""
        wanted = np.frombuffer(b"".join(raws), dtype="<u8")
        if not len(self) or not len(wanted):
            return [False] * len(wanted)
        at = np.minimum(np.searchsorted(self._raw, wanted), len(self) - 1)
        offers = self._by_raw[at]
        known = (self._raw[at] == wanted) & (wanted != 0) & ~self._seen[offers]
        places = np.flatnonzero(known)
        earliest = places[np.unique(offers[places], return_index=True)[1]]
        if len(earliest) < len(places):  # two of one page: the earlier counts
            known[:] = False
            known[earliest] = True
        self._seen[offers[known]] = True
        flags: list[bool] = known.tolist()
        return flags

    def meet(self, keys: Sequence[bytes], digests: Sequence[bytes]) -> tuple[Flags, Flags]:
        """Mark a page's items as seen: which are to be written (new or changed), and which were met before.

        An item that was met before in this walk is not to be written again.
        """
        heads = np.frombuffer(b"".join(keys), dtype=_KEY)["head"].astype(np.uint64)
        found = np.frombuffer(b"".join(digests), dtype=_DIGEST)
        repeated = np.zeros(len(heads), dtype=np.bool_)
        repeated[np.setdiff1d(np.arange(len(heads)), np.unique(heads, return_index=True)[1])] = True
        if len(self):
            at = np.minimum(np.searchsorted(self._head, heads), len(self) - 1)
            stored = self._head[at] == heads
            same = stored & (self._low[at] == found["low"]) & (self._high[at] == found["high"])
            repeated |= stored & self._seen[at]
            self._seen[at[stored]] = True
        else:
            stored = same = np.zeros(len(heads), dtype=np.bool_)
        fresh = np.flatnonzero(~stored & ~repeated)
        repeated[fresh[~self._new.add(heads[fresh])]] = True
        return ~same & ~repeated, repeated

    def gone(self) -> list[bytes]:
        """The keys of stored offers that the walk did not meet."""
        at = np.flatnonzero(~self._seen)
        keys = np.empty(len(at), dtype=_KEY)
        keys["head"], keys["tail"] = self._head[at], self._tail[at]
        raw = keys.tobytes()
        return [raw[i : i + KEY_BYTES] for i in range(0, len(raw), KEY_BYTES)]

    def gone_count(self) -> int:
        """How many stored offers the walk did not meet."""
        return int(len(self) - np.count_nonzero(self._seen))


class _Heads:
    """A set of numbers in about 20 bytes each: a first walk meets as many new offers as there are.

    Open addressing over one array; 0 is an empty place.
    """

    def __init__(self) -> None:
        self._table: Numbers = np.zeros(1024, dtype=np.uint64)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, heads: Numbers) -> Flags:
        """Take these in, all different from each other; which of them were not in it."""
        heads = np.maximum(heads, np.uint64(1))
        while (self._count + len(heads)) * 2 > len(self._table):
            old = self._table[self._table != 0]
            self._table = np.zeros(len(self._table) * 2, dtype=np.uint64)
            self._place(old)
        added = self._place(heads)
        self._count += int(np.count_nonzero(added))
        return added

    def _place(self, heads: Numbers) -> Flags:
        added = np.zeros(len(heads), dtype=np.bool_)
        mask = np.uint64(len(self._table) - 1)
        waiting = np.arange(len(heads))
        at = heads & mask
        while len(waiting):
            there = self._table[at]
            empty = there == 0
            # Of several that want one place the last gets it; the others see that it is not theirs.
            self._table[at[empty]] = heads[waiting[empty]]
            mine = empty & (self._table[at] == heads[waiting])
            added[waiting[mine]] = True
            on = ~mine & (there != heads[waiting])
            waiting, at = waiting[on], (at[on] + np.uint64(1)) & mask
        return added
