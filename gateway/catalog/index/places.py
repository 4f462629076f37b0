"""How many plans each country and region has, and from what price."""

from __future__ import annotations

import numpy as np

from gateway.catalog.index.layout import Array
from gateway.catalog.index.query import InStock
from gateway.catalog.index.snapshot import Snapshot
from gateway.catalog.index.stock import Stock
from gateway.catalog.index.views import PriceView

NO_PRICE = np.iinfo(np.int64).max


def counts(snapshot: Snapshot, view: PriceView, stock: Stock) -> tuple[Array, Array]:
    """Plans in stock of each list (countries, then regions), and the lowest of their prices or ``NO_PRICE``.

    Plans on which a sandbox goes wrong count nowhere.
    """
    rows = np.flatnonzero(stock.mask(InStock.TRUE, standing=True))
    rows = rows.compress(~snapshot.kind_trigger.take(snapshot.kind.take(rows)))
    covers = snapshot.cover.take(rows)
    of_cover, first = np.bincount(covers, minlength=snapshot.covers), np.full(snapshot.covers, NO_PRICE)
    np.minimum.at(first, covers, view.prices(rows))
    at, members = snapshot.columns["list_covers_at"], snapshot.columns["list_covers"]
    lists = len(at) - 1
    owner = np.repeat(np.arange(lists), np.diff(at))
    plans = np.bincount(owner, weights=of_cover[members], minlength=lists).astype(np.int64)
    lowest = np.full(lists, NO_PRICE)
    np.minimum.at(lowest, owner, first[members])
    return plans, lowest
