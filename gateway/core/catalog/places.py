"""How many plans each country and region has, and from what price."""

from __future__ import annotations

import numpy as np

from gateway.core.catalog.layout import Array
from gateway.core.catalog.snapshot import Snapshot
from gateway.core.catalog.stock import Blocked

NO_ROW = np.iinfo(np.int64).max


def counts(snapshot: Snapshot, blocked: Blocked | None) -> tuple[Array, Array]:
    """Plans in stock of each list (countries, then regions), and its first row that can be sold or ``NO_ROW``."""
    live = np.arange(snapshot.rows) < snapshot.sold_end
    if blocked is not None:
        live &= ~blocked.mask
    covers = snapshot.covers
    plan_live = np.zeros(snapshot.plans, dtype=np.bool_)
    plan_live[snapshot.plan[live]] = True
    of_cover = np.bincount(snapshot.plan_cover[plan_live], minlength=covers)
    first = np.full(covers, NO_ROW)
    rows = np.flatnonzero(live)
    first[snapshot.cover[rows[::-1]]] = rows[::-1]
    at, members = snapshot.columns["list_covers_at"], snapshot.columns["list_covers"]
    lists = len(at) - 1
    owner = np.repeat(np.arange(lists), np.diff(at))
    plans = np.bincount(owner, weights=of_cover[members], minlength=lists).astype(np.int64)
    lowest = np.full(lists, NO_ROW)
    np.minimum.at(lowest, owner, first[members])
    return plans, lowest
