"""How many plans each country and region has, and from what price."""

from __future__ import annotations

import numpy as np

from gateway.catalog.index.layout import Array
from gateway.catalog.index.snapshot import Snapshot
from gateway.catalog.index.stock import Blocked
from gateway.catalog.index.views import PriceView

NO_PRICE = np.iinfo(np.int64).max


def counts(snapshot: Snapshot, view: PriceView, blocked: Blocked | None) -> tuple[Array, Array]:
    """Plans in stock of each list (countries, then regions), and the lowest of their prices or ``NO_PRICE``.

    Plans on which a sandbox goes wrong count nowhere.
    """
    live = np.arange(snapshot.rows) < snapshot.sold_end
    if snapshot.kind_trigger.any():
        live &= ~snapshot.kind_trigger.take(snapshot.kind)
    if blocked is not None:
        live &= ~blocked.mask
    covers = snapshot.covers
    plan_live = np.zeros(snapshot.plans, dtype=np.bool_)
    plan_live[snapshot.plan[live]] = True
    of_cover = np.bincount(snapshot.plan_cover[plan_live], minlength=covers)
    rows = np.flatnonzero(live)
    first = np.full(covers, NO_PRICE)
    if view.even:
        first_row = np.full(covers, -1)
        first_row[snapshot.cover[rows[::-1]]] = rows[::-1]
        there = np.flatnonzero(first_row >= 0)
        first[there] = view.prices(first_row[there])
    else:  # a plan's price is that of its first row, and the lowest of these need not be the first
        first_row = np.full(snapshot.plans, -1)
        first_row[snapshot.plan[rows[::-1]]] = rows[::-1]
        stand = first_row[first_row >= 0]
        np.minimum.at(first, snapshot.cover[stand], view.prices(stand))
    at, members = snapshot.columns["list_covers_at"], snapshot.columns["list_covers"]
    lists = len(at) - 1
    owner = np.repeat(np.arange(lists), np.diff(at))
    plans = np.bincount(owner, weights=of_cover[members], minlength=lists).astype(np.int64)
    lowest = np.full(lists, NO_PRICE)
    np.minimum.at(lowest, owner, first[members])
    return plans, lowest
