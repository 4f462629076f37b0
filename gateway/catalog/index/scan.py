"""One query being answered: what every order of a list needs.

Every order works alike: take a stretch of rows in which the next plans must lie, ask which offer
stands for each plan seen there, and keep the plans whose own offer lies in the stretch. Stretches do
not overlap, so no plan comes twice and none is left out, whatever came before. ``by_price``,
``by_ratio`` and ``by_value`` choose the stretches.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from gateway.catalog.index.filters import FEW, Filter, counted, per_gb
from gateway.catalog.index.layout import Array
from gateway.catalog.index.listing import All, Listing
from gateway.catalog.index.query import InStock
from gateway.catalog.index.snapshot import Snapshot
from gateway.catalog.index.stock import NONE, Blocked, standing
from gateway.catalog.index.views import PriceView
from schemas.plan import NOMINAL_MB_PER_GB

NULL = (1 << 62) - 1  # the key of a plan without a value: it comes last either way
ENOUGH = 4  # so many rows for each plan that is needed are looked at closely
FINE = 1000  # ratios are told apart to a thousandth of the minor unit that is shown
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

    def take(self, which: Array | slice) -> Found:
        """Those of the plans."""
        return Found(self.plans[which], self.rows[which], self.counts[which], self.keys[which])


class Stream(NamedTuple):
    """Rows among which prices ascend. ``at`` tells where each cost begins; ``live`` whether they could be sold."""

    low: int
    high: int
    at: Array
    live: bool
    blocked: bool


NOTHING = Found(_EMPTY, _EMPTY, _EMPTY, _EMPTY)


def join(parts: list[Found]) -> Found:
    """All of them, one after the other."""
    if not parts:
        return NOTHING
    if len(parts) == 1:
        return parts[0]
    return Found(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


class Scan:
    """A filter over a snapshot, with prices, overlay, order and the place where to go on."""

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

    # -- rows

    def streams(self) -> Iterator[Stream]:
        """The rows with prices that can hold what stands for a plan."""
        snapshot = self.snapshot
        if self.in_stock is not InStock.FALSE:
            yield Stream(0, snapshot.sold_end, snapshot.sold_at, live=True, blocked=False)
        if self.in_stock is not InStock.TRUE:
            if self.blocked is not None:
                yield Stream(0, snapshot.sold_end, snapshot.sold_at, live=False, blocked=True)
            yield Stream(snapshot.sold_end, snapshot.priced_end, snapshot.held_at, live=False, blocked=False)

    def source_of(self, stream: Stream) -> tuple[Listing | All, Filter]:
        """Where to look for a stream's rows: a few blocked ones are best looked at themselves."""
        if stream.blocked and not self.filter.closed and self.blocked is not None and len(self.blocked.rows) <= FEW:
            source = self.snapshot.rows_of(self.blocked.rows)
            return source, self.filter.elsewhere(source)
        return self.source, self.filter

    def of_stream(self, rows: Array, stream: Stream, found: Filter) -> Array:
        """Those of the rows that belong to the stream and meet the rest of the filter."""
        if self.blocked is not None and (stream.blocked or stream.live):
            blocked = self.blocked.mask.take(rows)
            rows = rows.compress(blocked if stream.blocked else ~blocked)
        return found.narrow(self.snapshot, rows)

    def in_list(self, rows: Array) -> Array:
        """Those of the rows that can make their plan one of this list."""
        if self.in_stock is not InStock.ANY:
            dead = rows >= self.snapshot.sold_end
            if self.blocked is not None:
                dead |= self.blocked.mask.take(rows)
            rows = rows.compress(dead if self.in_stock is InStock.FALSE else ~dead)
        return self.filter.narrow(self.snapshot, rows)

    # -- plans

    def plans_of(self, rows: Array) -> Array:
        """The plans of these rows, each once, ascending."""
        return np.unique(self.snapshot.plan.take(rows))

    def stand(self, plans: Array) -> Found:
        """What stands for each plan, with its key; plans for which nothing does are left out."""
        rows, counts = standing(self.snapshot, plans, self.filter, self.blocked, self.in_stock)
        keep = np.flatnonzero(rows != NONE)
        if len(keep) < len(plans):
            plans, rows, counts = plans[keep], rows[keep], counts[keep]
        return Found(plans, rows, counts, self.keys(rows))

    def keys(self, rows: Array) -> Array:
        """The sort key of each row."""
        snapshot = self.snapshot
        kinds = snapshot.kind.take(rows)
        if self.order in ("data", "days"):
            return self.values().take(kinds)
        slots = self.view.slots.take(rows)
        if not len(self.view.minor):
            return np.full(len(rows), NULL)
        minor = self.view.minor[slots]
        if self.order == "price":
            return np.where(slots < 0, NULL, minor)
        times, below = self.ratio()
        below = below.take(kinds)
        per = minor * (times * FINE) // np.maximum(1, below)
        return np.where((slots < 0) | (below <= 0), NULL, per)

    def ratio(self) -> tuple[int, Array]:
        """(times, below) for each kind: its key is price x times x FINE / below; below <= 0 has none."""
        if self.order == "price_per_gb":
            return NOMINAL_MB_PER_GB, per_gb(self.snapshot, self.filter.days)
        return 1, self.snapshot.kind_days

    def values(self) -> Array:
        """The key of each kind in the orders by data and by days."""
        if self.order == "days":
            return self.snapshot.kind_days
        return counted(self.snapshot, self.filter.days)

    def ahead(self, found: Found) -> Found:
        """Without what the cursor has passed."""
        if self.after is None:
            return found
        key, plan = self.after
        beyond = (found.keys < key) if self.down else (found.keys > key)
        return found.take((beyond & (found.keys != NULL)) | ((found.keys == key) & (found.plans >= plan)))

    def sorted(self, found: Found, need: int) -> Found:
        """The first of them in the order asked for; equal keys by plan."""
        keys = np.where(found.keys == NULL, NULL, -found.keys) if self.down else found.keys
        return found.take(np.lexsort((found.plans, keys))[:need])
