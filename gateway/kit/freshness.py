"""How old a supplier's offers may be: fresh, stale (still sold, shown so), expired (no longer sold)."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec


class Freshness(StrEnum):
    """How far the offers of one supplier may be trusted to stand as they are stored."""

    FRESH = "fresh"
    STALE = "stale"
    EXPIRED = "expired"


class FreshnessBounds(msgspec.Struct, frozen=True):
    """``[sync] interval_seconds`` and ``expire_after_seconds``."""

    interval_seconds: int
    expire_after_seconds: int


def freshness(
    last_good_at: datetime | None, last_sync_state: str | None, now: datetime, bounds: FreshnessBounds
) -> Freshness:
    """Freshness of a supplier's offers at ``now``.

    Stale when the last sync was not accepted, or when no whole walk was accepted for two intervals;
    expired when none was for ``expire_after_seconds``. A supplier that was never synced has no
    offers that could be fresh: it is expired.
    """
    if last_good_at is None:
        return Freshness.EXPIRED
    age = now - last_good_at
    if age > timedelta(seconds=bounds.expire_after_seconds):
        return Freshness.EXPIRED
    if last_sync_state != "ok" or age > timedelta(seconds=2 * bounds.interval_seconds):
        return Freshness.STALE
    return Freshness.FRESH


def changes_at(last_good_at: datetime | None, bounds: FreshnessBounds) -> tuple[datetime, ...]:
    """When the clock alone makes these offers stale and expired, the earlier first; empty when never synced."""
    if last_good_at is None:
        return ()
    stale = last_good_at + timedelta(seconds=2 * bounds.interval_seconds)
    return tuple(sorted((stale, last_good_at + timedelta(seconds=bounds.expire_after_seconds))))
