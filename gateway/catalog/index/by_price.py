"""The next plans by price: rows ascend in price, so their stretches follow one another.

Where several rules price them, rows ascend in price only within each rule. Then a stretch is one of
prices: its rows lie between two places, among others that are passed over.
"""

from __future__ import annotations

import numpy as np

from gateway.catalog.index.layout import Array
from gateway.catalog.index.listing import All, Listing
from gateway.catalog.index.query import InStock
from gateway.catalog.index.scan import ENOUGH, NULL, Found, Scan, Stream, join

_GROWTH = 4
_HIGHEST = NULL - 1


def plans(scan: Scan, need: int) -> Found:
    """At least the next ``need`` plans with a price, in no order; fewer only where there are no more."""
    walk = _walk if scan.view.even else _walk_prices
    return join([walk(scan, stream, need) for stream in scan.streams()])


def _walk(scan: Scan, stream: Stream, need: int) -> Found:
    """The next plans among a stream's rows, and all others that cost the same as the last of them."""
    source, found = scan.source_of(stream)
    low, high = _bounds(scan, stream)
    parts: list[Found] = []
    have, want = 0, int(2 * need / found.share)
    while low < high and have < need:
        start, end = _stretch(scan, source, stream, low, high, want)
        rows = scan.of_stream(source.between(found.kinds, start, end), stream, found)
        if len(rows) > ENOUGH * need:
            start, end = _cut(scan, stream, start, end, int(rows[-ENOUGH * need if scan.down else ENOUGH * need]))
            rows = rows.compress((rows >= start) & (rows < end))
        if len(rows):
            stood = scan.stand(scan.plans_of(rows))
            part = scan.ahead(stood.take(np.flatnonzero(_within(scan, stood, stream, start, end))))
            parts.append(part)
            have += len(part)
        low, high = (low, start) if scan.down else (end, high)
        want *= _GROWTH
    return join(parts)


def _bounds(scan: Scan, stream: Stream) -> tuple[int, int]:
    """Where the stream's rows may lie, by the highest price and the cursor."""
    low, high = stream.low, stream.high
    if scan.filter.within is not None and scan.filter.within.end is not None:
        high = min(high, int(stream.at[scan.filter.within.end]))
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
    minor = int(scan.view.minor[scan.view.slots[row]])
    if scan.down:
        return max(low, int(stream.at[scan.view.costs_within(minor - 1)])), high
    return low, min(high, int(stream.at[scan.view.costs_within(minor)]))


def _walk_prices(scan: Scan, stream: Stream, need: int) -> Found:
    """The same where several rules price the rows: stretches of prices, from beyond ``low`` up to ``high``."""
    source, found = scan.source_of(stream)
    low, high = -1, _HIGHEST if scan.filter.within is None else min(_HIGHEST, scan.filter.within.minor)
    if scan.after is not None:
        low, high = (low, min(high, scan.after.key)) if scan.down else (max(low, scan.after.key - 1), high)
    parts: list[Found] = []
    have, want = 0, int(2 * need / found.share)
    while low < high and have < need:
        first, end = _rows(scan, stream, low, high)
        if first >= end:
            break
        near, far = _price_stretch(scan, source, (first, end), (low, high), want)
        rows = scan.of_stream(source.between(found.kinds, *_rows(scan, stream, near, far)), stream, found)
        prices = scan.view.prices(rows)
        inside = (prices > near) & (prices <= far)
        rows, prices = rows.compress(inside), prices.compress(inside)
        if len(rows) > ENOUGH * need:
            if scan.down:
                near = int(np.partition(prices, len(prices) - ENOUGH * need)[-ENOUGH * need]) - 1
            else:
                far = int(np.partition(prices, ENOUGH * need)[ENOUGH * need])
            rows = rows.compress((prices > near) & (prices <= far))
        if len(rows):
            stood = scan.stand(scan.plans_of(rows))
            price = scan.keys(stood.rows)
            keep = (price > near) & (price <= far) & _of_stream(scan, stood, stream)
            part = scan.ahead(stood.take(np.flatnonzero(keep)))
            parts.append(part)
            have += len(part)
        low, high = (low, near) if scan.down else (far, high)
        want *= _GROWTH
    return join(parts)


def _rows(scan: Scan, stream: Stream, low: int, high: int) -> tuple[int, int]:
    """Between which rows of a stream all those with a price beyond ``low`` and up to ``high`` lie."""
    first, end = scan.view.begins(low + 1), scan.view.ends(high)
    return max(stream.low, int(stream.at[first])), min(stream.high, int(stream.at[end]))


def _price_stretch(
    scan: Scan, source: Listing | All, rows: tuple[int, int], prices: tuple[int, int], want: int
) -> tuple[int, int]:
    """A stretch at the near end of these prices in which about so many rows lie, or all of them."""
    first, end = rows
    low, high = prices
    if scan.down:
        start = source.reach_down(scan.filter.kinds, first, end, want)
        edge = scan.view.lowest_from(int(scan.snapshot.cost[start])) if start > first else None
        return (low if edge is None else max(low, min(edge - 1, high - 1))), high
    last = source.reach(scan.filter.kinds, first, end, want)
    edge = scan.view.highest_within(int(scan.snapshot.cost[last - 1]) + 1) if last < end else None
    return low, (high if last >= end else max(low + 1, min(high, low if edge is None else edge)))


def _of_stream(scan: Scan, found: Found, stream: Stream) -> Array:
    """Which of the plans have what stands for them in this stream."""
    return _within(scan, found, stream, stream.low, stream.high)


def _within(scan: Scan, found: Found, stream: Stream, start: int, end: int) -> Array:
    """Which of the plans have what stands for them in this stretch of this stream."""
    keep: Array = (found.rows >= start) & (found.rows < end)
    if scan.in_stock is not InStock.TRUE:
        keep &= (found.counts > 0) == stream.live
        if scan.blocked is not None:
            keep &= scan.blocked.mask.take(found.rows) == stream.blocked
    return keep
