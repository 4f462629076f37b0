"""What a walk changes: each item's key and digest, and a compact memory of those that are stored.

A supplier's catalogue may hold a hundred thousand offers of which few change, so the comparison is made
here, on 36 bytes an offer, and only what changed goes to the database. An item that came as it came the
last time is not even mapped: its own bytes are recognised.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from providers.kit.first_values import FirstValues, Flags, Numbers

KEY_BYTES = 12
DIGEST_BYTES = 16
RAW_BYTES = 8
UNKNOWN_RAW = bytes(RAW_BYTES)
_ROW = np.dtype([("head", ">u8"), ("tail", ">u4"), ("low", "<u8"), ("high", "<u8"), ("raw", "<u8")])
_KEY = np.dtype([("head", ">u8"), ("tail", ">u4")])
_DIGEST = np.dtype([("low", "<u8"), ("high", "<u8")])


def offer_key(supplier: str, supplier_plan_id: str) -> bytes:
    """The 12 bytes that an offer's id is made of."""
    return hashlib.blake2b(f"{supplier}\0{supplier_plan_id}".encode(), digest_size=KEY_BYTES).digest()


def offer_id(key: bytes) -> str:
    """The public id of an offer with that key."""
    return f"off_{key.hex()}"


def digest(encoded: bytes) -> bytes:
    """16 bytes that stand for everything that a supplier says of one offer."""
    return hashlib.blake2b(encoded, digest_size=DIGEST_BYTES).digest()


def raw_digests(raws: Iterable[bytes], mapping: bytes) -> list[bytes]:
    """8 bytes each that stand for an item as it came, and for what maps it (16 to 64 bytes)."""
    keyed = hashlib.blake2b(digest_size=RAW_BYTES, key=mapping)
    digests = []
    for raw in raws:
        whole = keyed.copy()
        whole.update(raw)
        digests.append(whole.digest())
    return digests


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
        self._met = self._low.copy()  # half of the digest that a walk met
        self._new = FirstValues()

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

    def meet(self, keys: Sequence[bytes], digests: Sequence[bytes]) -> tuple[Flags, Flags, Flags]:
        """Mark a page's items as seen: which are to be written (new or changed), and which were met before.

        An item that was met before in this walk is not to be written again. The third flags say which of these are
        not as they were met before.
        """
        heads = _heads_of(keys)
        found = np.frombuffer(b"".join(digests), dtype=_DIGEST)
        low = found["low"].astype(np.uint64)
        _, first, which = np.unique(heads, return_index=True, return_inverse=True)
        repeated = first[which] != np.arange(len(heads))
        was = low.copy()  # of each key's first item in this page: as it was met first in the walk
        stored, at = self._places(heads)
        same = np.zeros(len(heads), dtype=np.bool_)
        if len(self):
            same = stored & (self._low[at] == low) & (self._high[at] == found["high"])
            before = stored & self._seen[at]
            was[before] = self._met[at[before]]
            repeated |= before
            self._met[at[stored & ~repeated]] = low[stored & ~repeated]
            self._seen[at[stored]] = True
        fresh = np.flatnonzero(~stored & ~repeated)
        added, met = self._new.add(heads[fresh], low[fresh])
        repeated[fresh[~added]] = True
        was[fresh[~added]] = met[~added]
        return ~same & ~repeated, repeated, repeated & (low != was[first[which]])

    def met(self, key: bytes) -> bool:
        """Whether this walk has met an item of this key."""
        heads = _heads_of([key])
        stored, at = self._places(heads)
        return bool(self._seen[at[0]]) if stored[0] else heads[0] in self._new

    def as_stored(self, key: bytes) -> bool | None:
        """Whether an item that was met said what stands; None for one that is not stored."""
        stored, at = self._places(_heads_of([key]))
        return bool(self._met[at[0]] == self._low[at[0]]) if stored[0] else None

    def _places(self, heads: Numbers) -> tuple[Flags, npt.NDArray[np.intp]]:
        """Which are stored, and where; any place for the others."""
        if not len(self):
            return np.zeros(len(heads), dtype=np.bool_), np.zeros(len(heads), dtype=np.intp)
        at = np.minimum(np.searchsorted(self._head, heads), len(self) - 1)
        return self._head[at] == heads, at

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


def _heads_of(keys: Sequence[bytes]) -> Numbers:
    return np.frombuffer(b"".join(keys), dtype=_KEY)["head"].astype(np.uint64)
