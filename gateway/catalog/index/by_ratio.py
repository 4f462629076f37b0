"""The next plans by price per GB or per day.

Within a kind the ratio ascends with the price, so a bound on the ratio is a bound on the rows of each
kind; where several rules price them it holds some more. A bound is guessed within which enough plans
may lie; if they do not, a wider one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gateway.catalog.index.layout import Array
from gateway.catalog.index.scan import ENOUGH, FINE, NOTHING, NULL, Found, Scan, Stream

CROWD = 64  # rows of a kind that count as many
_WIDENINGS = 8


def plans(scan: Scan, need: int) -> Found:
    """At least the next ``need`` plans that have the ratio, in no order; fewer only where there are no more."""
    kinds = scan.filter.kinds & (scan.ratio()[1] > 0)
    near = None if scan.after is None else scan.after.key
    found = NOTHING
    enough = ENOUGH * need
    for guess in _guesses(scan, kinds, need):
        least, most = (guess, near) if scan.down else (near, guess)
        windows = [_window(scan, stream, kinds, least, most) for stream in scan.streams()]
        rows, far = _nearest(scan, np.concatenate(windows), guess, enough)
        enough *= 4
        stood = scan.stand(scan.plans_of(rows))
        inside = stood.keys != NULL
        if far is not None:
            inside &= (stood.keys >= far) if scan.down else (stood.keys <= far)
        found = scan.ahead(stood.take(inside))
        if len(found) >= need:
            break
    return found


def _nearest(scan: Scan, rows: Array, far: int | None, enough: int) -> tuple[Array, int | None]:
    """Where there are many rows, those with the nearest keys, and the bound within which they lie."""
    if far is None or len(rows) <= enough:
        return rows, far
    keys = scan.keys(rows)
    if scan.down:
        far = max(far, int(np.partition(keys, len(keys) - enough)[-enough]))
        return rows.compress(keys >= far), far
    far = min(far, int(np.partition(keys, enough)[enough]))
    return rows.compress(keys <= far), far


def _guesses(scan: Scan, kinds: Array, need: int) -> Iterator[int | None]:
    """Bounds within which enough plans may lie, ever wider, at last none."""
    times, below = scan.ratio()
    present = scan.source.present(kinds)
    slots = scan.view.slots.take(present.last if scan.down else present.first)
    priced = np.flatnonzero(slots >= 0)
    if len(priced):
        keys = scan.view.minor.take(slots[priced]) * (times * FINE) // below.take(present.kind[priced])
        if scan.after is not None:
            ahead = keys < scan.after.key if scan.down else keys > scan.after.key
            keys = np.append(keys[ahead], scan.after.key)
        keys.sort()
        if scan.down:
            keys = keys[::-1]
        # The more rows a kind has, the more plans lie before its next one.
        count = max(2, need // max(1, len(scan.source) // (CROWD * len(keys))))
        if scan.down:  # the dearest row of a kind seldom stands for its plan, so its key says less
            count = max(2, count // 8)
        while count < len(keys):
            yield int(keys[count - 1])
            count *= 4
        far = int(keys[-1])
        for _ in range(_WIDENINGS):
            yield far
            far = far - far // 5 - 1 if scan.down else far + far // 5 + 1
    yield None


def _window(scan: Scan, stream: Stream, kinds: Array, least: int | None, most: int | None) -> Array:
    """A stream's rows of these kinds with keys from ``least`` to ``most``, and perhaps some more."""
    source, found = scan.source_of(stream)
    times, below = scan.ratio()
    low = np.full(len(kinds), stream.low, dtype=np.int32)
    high = np.full(len(kinds), stream.high, dtype=np.int32)
    # Prices within a unit of the bound may go either way; their keys are looked at one by one afterwards.
    price = below / (times * FINE)
    if least is not None:
        low = np.maximum(low, stream.at.take(scan.view.begins(_whole(price * least) - 1)))
    if most is not None:
        high = np.minimum(high, stream.at.take(scan.view.ends(_whole(price * (most + 1)) + 1)))
    return scan.of_stream(source.window(low, np.where(kinds, high, 0)), stream, found)


def _whole(prices: Array) -> Array:
    return np.minimum(prices, 2.0**53).astype(np.int64)
