"""The next plans by price: rows ascend in price, so their stretches follow one another."""

from __future__ import annotations

import numpy as np

from gateway.core.catalog.layout import Array
from gateway.core.catalog.listing import All, Listing
from gateway.core.catalog.query import InStock
from gateway.core.catalog.scan import ENOUGH, Found, Scan, Stream, join

_GROWTH = 4


def plans(scan: Scan, need: int) -> Found:
    """At least the next ``need`` plans with a price, in no order; fewer only where there are no more."""
    return join([_walk(scan, stream, need) for stream in scan.streams()])


def _walk(scan: Scan, stream: Stream, need: int) -> Found:
    """The next plans among a stream's rows, and all others that cost the same as the last of them."""
    source, found = scan.source_of(stream)
    low, high = _bounds(scan, stream, found.cost_end)
    parts: list[Found] = []
    have, want = 0, int(2 * need / found.share)
    while low < high and have < need:
        start, end = _stretch(scan, source, stream, low, high, want)
        rows = scan.of_stream(source.between(found.kinds, start, end), stream, found)
        if len(rows) > ENOUGH * need:
            start, end = _cut(scan, stream, start, end, int(rows[-ENOUGH * need if scan.down else ENOUGH * need]))
            rows = rows.compress((rows >= start) & (rows < end))
        if len(rows):
            one = scan.stand(scan.plans_of(rows))
            part = scan.ahead(one.take(np.flatnonzero(_within(scan, one, stream, start, end))))
            parts.append(part)
            have += len(part)
        low, high = (low, start) if scan.down else (end, high)
        want *= _GROWTH
    return join(parts)


def _bounds(scan: Scan, stream: Stream, cost_end: int | None) -> tuple[int, int]:
    """Where the stream's rows may lie, by the highest price and the cursor."""
    low, high = stream.low, stream.high
    if cost_end is not None:
        high = min(high, int(stream.at[cost_end]))
    if scan.after is not None:
        if scan.down:
            high = min(high, int(stream.at[scan.view.costs_within(scan.after.key)]))
        else:
            low = max(low, int(stream.at[scan.view.costs_within(scan.after.key - 1)]))
    return low, high


def _stretch(scan: Scan, source: Listing | All, stream: Stream, low: int, high: int, want: int) -> tuple[int, int]:
    """A stretch at the near end of low..high that ends where a price does."""
    if scan.down:
        return _cut(scan, stream, low, high, source.reach_down(scan.filter.kinds, low, high, want))
    return _cut(scan, stream, low, high, source.reach(scan.filter.kinds, low, high, want) - 1)


def _cut(scan: Scan, stream: Stream, low: int, high: int, row: int) -> tuple[int, int]:
    """The near part of low..high, up to this row and all others of its price."""
    minor = int(scan.view.minor[scan.snapshot.cost[row]])
    if scan.down:
        return max(low, int(stream.at[scan.view.costs_within(minor - 1)])), high
    return low, min(high, int(stream.at[scan.view.costs_within(minor)]))


def _within(scan: Scan, one: Found, stream: Stream, start: int, end: int) -> Array:
    """Which of the plans have what stands for them in this stretch of this stream."""
    keep: Array = (one.rows >= start) & (one.rows < end)
    if scan.in_stock is not InStock.TRUE:
        keep &= (one.counts > 0) == stream.live
        if scan.blocked is not None:
            keep &= scan.blocked.mask.take(one.rows) == stream.blocked
    return keep
