"""How much data each kind of plan has: in all, at full speed, as it counts against a need, and per price."""

from __future__ import annotations

import numpy as np

from gateway.catalog.index.layout import Array
from gateway.catalog.index.snapshot import Snapshot
from gateway.catalog.index.tables import over
from schemas.plan import BOUNDLESS


def totals(snapshot: Snapshot, days: int | None) -> Array:
    """Nominal MB of each kind, -1 when unlimited: a day's or month's amount counts for ``days``, or the plan's own."""
    if days is None:
        return snapshot.kind_total
    return snapshot.memo(("totals", days), lambda: over(snapshot.kind_mb, snapshot.kind_per, days))


def full_speed(snapshot: Snapshot, days: int | None) -> Array:
    """The same of the data at full speed: -1 where that is not stated, ``BOUNDLESS`` where nothing limits it."""
    those = snapshot.kind_days if days is None else days
    return snapshot.memo(("full speed", days), lambda: over(snapshot.kind_full_mb, snapshot.kind_full_per, those))


def counted(snapshot: Snapshot, days: int | None) -> Array:
    """The same as it counts against a need: what is assumed where nothing is stated."""
    those = snapshot.kind_days if days is None else days
    full = full_speed(snapshot, days)
    return snapshot.memo(("counted", days), lambda: np.where(full < 0, snapshot.assumed_mb_per_day * those, full))


def per_gb(snapshot: Snapshot, days: int | None) -> Array:
    """What a price per GB is of: the data at full speed; 0 or less where it has none."""
    full = full_speed(snapshot, days)
    return snapshot.memo(("per gb", days), lambda: np.where(full >= BOUNDLESS, -1, full))


def times(snapshot: Snapshot, days: int) -> Array:
    """How many times what each kind counts for one day counts for so many days: the days, or the months, or once."""

    def make() -> Array:
        stated = over(np.ones_like(snapshot.kind_full_mb), snapshot.kind_full_per, days)
        return np.where(snapshot.kind_full_mb < 0, days, stated)

    return snapshot.memo(("times", days), make)
