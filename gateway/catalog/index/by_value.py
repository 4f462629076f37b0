"""The next plans by data or days, and those that have no sort value at all: kinds first, then plans by id."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gateway.catalog.index.filters import FEW
from gateway.catalog.index.layout import Array
from gateway.catalog.index.listing import All
from gateway.catalog.index.query import InStock
from gateway.catalog.index.scan import NULL, After, Found, Scan, join

_GROWTH = 4
_WORTH = 8  # rows for each plan needed that are worth one look


def plans(scan: Scan, need: int) -> Found:
    """The next ``need`` plans in order, or as many as there are."""
    present = scan.source.present(scan.filter.kinds)
    ranks = _ranks(scan).take(present.kind)
    sizes = np.bincount(ranks, weights=present.size).tolist()
    order = [rank for rank, size in enumerate(sizes) if size]
    if scan.after is not None:
        values = np.unique(scan.values())
        if scan.down:
            order = [rank for rank in order if values[rank] <= scan.after.key]
        else:
            order = [rank for rank in order if values[rank] >= scan.after.key]
    if scan.down:
        order.reverse()
    parts: list[Found] = []
    have = 0
    for batch in _batches(order, sizes, need):
        kinds = np.zeros(scan.snapshot.kinds, dtype=np.bool_)
        kinds[present.kind[(ranks >= min(batch)) & (ranks <= max(batch))]] = True
        part = scan.ahead(_lowest(scan, kinds, 0, need) if len(batch) == 1 else _all(scan, kinds))
        parts.append(part)
        have += len(part)
        if have >= need:
            break
    return scan.sorted(join(parts), need)


def without_value(scan: Scan, need: int) -> Found:
    """The first ``need`` plans that have no sort value (no full-speed data known, or no price), by id."""
    kinds = scan.filter.kinds
    endless = kinds & (scan.ratio()[1] <= 0) if scan.order == "price_per_gb" else np.zeros_like(kinds)
    after = scan.after
    if after is None or after.key != NULL:
        scan.after = After(NULL, 0)
    parts: list[Found] = []
    if endless.any():
        parts.append(_lowest(scan, endless, 0, need, null=True))
    if scan.in_stock is not InStock.TRUE and scan.filter.within is None:
        parts.append(_lowest(scan, kinds & ~endless, scan.snapshot.priced_end, need, null=True))
    scan.after = after
    found = join(parts)
    return found.take(np.argsort(found.plans, kind="stable")[:need])


def _ranks(scan: Scan) -> Array:
    """The place of each kind's value among all values."""
    days = scan.filter.days if scan.order == "data" else None
    return scan.snapshot.memo(
        ("ranks", scan.order, days), lambda: np.unique(scan.values(), return_inverse=True)[1].astype(np.int64)
    )


def _batches(order: list[int], sizes: list[float], need: int) -> Iterator[list[int]]:
    """Ranks in order: as many together as are worth one look; one with many rows stands alone."""
    batch: list[int] = []
    total, enough = 0.0, float(_WORTH * need)
    for rank in order:
        if batch and total + sizes[rank] > max(enough, FEW):
            yield batch
            batch, total, enough = [], 0.0, enough * _GROWTH
        batch.append(rank)
        total += sizes[rank]
        if total >= enough:
            yield batch
            batch, total, enough = [], 0.0, enough * _GROWTH
    if batch:
        yield batch


def _all(scan: Scan, kinds: Array) -> Found:
    """What stands for every plan of these kinds."""
    return scan.stand(scan.plans_of(scan.in_list(scan.source.between(kinds, 0, scan.snapshot.rows))))


def _lowest(scan: Scan, kinds: Array, low: int, need: int, *, null: bool = False) -> Found:
    """What stands for the ``need`` lowest plans of these kinds, all of one value, and perhaps for some more.

    Rows count from ``low`` on. With ``null``, only plans without a sort value.
    """
    if low == 0 and isinstance(scan.source, All):
        return _along_plans(scan, kinds, need, null=null)
    rows = scan.in_list(scan.source.between(kinds, low, scan.snapshot.rows))
    plans = scan.snapshot.plan.take(rows)
    if scan.after is not None and not _behind(scan, kinds):
        plans = plans.compress(plans >= scan.after.plan)
    parts: list[Found] = []
    have, take = 0, _WORTH * need
    while len(plans) and have < need:
        some = plans if take >= len(plans) else np.partition(plans, take)[:take]
        some = np.unique(some)[: 2 * need]
        part = _valued(scan.stand(some), null=null)
        parts.append(part)
        have += len(part)
        plans = plans.compress(plans > some[-1])
        take *= _GROWTH
    return join(parts)


def _along_plans(scan: Scan, kinds: Array, need: int, *, null: bool) -> Found:
    """The same, walking all rows in the order of plans."""
    snapshot = scan.snapshot
    order = snapshot.all_by_plan
    low = 0
    if scan.after is not None and not _behind(scan, kinds):
        low = int(snapshot.plan_rows_at[min(scan.after.plan, snapshot.plans)])
    parts: list[Found] = []
    have, want = 0, int(4 * need / scan.filter.share)
    while low < snapshot.rows and have < need:
        end = order.reach(kinds, low, snapshot.rows, want)
        # A stretch ends where a plan does.
        end = int(snapshot.plan_rows_at[int(snapshot.plan[snapshot.plan_rows[end - 1]]) + 1])
        rows = scan.in_list(order.between(kinds, low, end))
        if len(rows):
            some = scan.plans_of(rows)
            if len(some) > 2 * need:
                some = some[: 2 * need]
                end = int(snapshot.plan_rows_at[int(some[-1]) + 1])
            part = _valued(scan.stand(some), null=null)
            parts.append(part)
            have += len(part)
        low = end
        want *= _GROWTH
    return join(parts)


def _behind(scan: Scan, kinds: Array) -> bool:
    """Whether these kinds, all of one value, come behind the cursor's value: then all their plans are ahead."""
    if scan.after is None or scan.after.key == NULL:
        return False
    return int(scan.values()[int(np.flatnonzero(kinds)[0])]) != scan.after.key


def _valued(found: Found, *, null: bool) -> Found:
    return found.take(found.keys == NULL) if null else found
