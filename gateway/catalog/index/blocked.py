"""How many offers of each supplier may be sold now, and how many are kept back for each reason."""

from __future__ import annotations

import msgspec
import numpy as np

from gateway.catalog.index.build import WHY_NOT
from gateway.catalog.index.index import Index


class BlockedCounts(msgspec.Struct, frozen=True):
    """One supplier's offers. An offer that is kept back for two reasons counts under both."""

    offers: int
    selectable: int
    why_not: dict[str, int]


def blocked_counts(index: Index) -> dict[str, BlockedCounts]:
    """The counts of every supplier in the catalogue, as it stands now."""
    snapshot = index.snapshot
    why = index.why_not
    size = len(snapshot.suppliers)
    offers = np.bincount(snapshot.supplier, minlength=size)
    selectable = np.bincount(snapshot.supplier, weights=index.selectable, minlength=size)
    reasons = {
        reason.value: np.bincount(snapshot.supplier, weights=(why >> at) & 1, minlength=size)
        for at, reason in enumerate(WHY_NOT)
    }
    return {
        name: BlockedCounts(
            int(offers[at]),
            int(selectable[at]),
            {reason: int(counts[at]) for reason, counts in reasons.items() if counts[at]},
        )
        for at, name in enumerate(snapshot.suppliers)
    }
