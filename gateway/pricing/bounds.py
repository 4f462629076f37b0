"""The bounds of the price guard, from the settings."""

from __future__ import annotations

from decimal import Decimal

from gateway.kit.settings import Sync
from gateway.pricing.quarantine_rules import QuarantineBounds
from gateway.pricing.suspect_rules import SuspectBounds


def quarantine_bounds(sync: Sync) -> QuarantineBounds:
    """The bounds as exact numbers."""
    return QuarantineBounds(
        max_gone_share=_exact(sync.max_gone_share),
        moved_by=_exact(sync.moved_by),
        max_moved_share=_exact(sync.max_moved_share),
        from_offers=sync.quarantine_from,
        max_suspect_share=_exact(sync.max_suspect_share),
        dear_times=_exact(sync.dear_times),
        max_dear_share=_exact(sync.max_dear_share),
        one_cost_share=_exact(sync.one_cost_share),
        one_cost_times=_exact(sync.one_cost_times),
        max_flat_share=_exact(sync.max_flat_share),
        per_gb_times=_exact(sync.per_gb_times),
    )


def suspect_bounds(sync: Sync) -> SuspectBounds:
    """The bounds as exact numbers."""
    return SuspectBounds(
        drop=_exact(sync.suspect_drop),
        rise=_exact(sync.suspect_rise),
        below_median=_exact(sync.suspect_below_median),
        below_less=_exact(sync.suspect_below_less),
        minimum_usd=sync.suspect_minimum_usd,
    )


def _exact(number: float) -> Decimal:
    return Decimal(str(number))
