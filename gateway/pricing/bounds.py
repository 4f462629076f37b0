"""The bounds of the price guard, from the settings."""

from __future__ import annotations

from decimal import Decimal

from gateway.kit.settings import Sync
from gateway.pricing.quarantine_rules import QuarantineBounds
from gateway.pricing.suspect_rules import SuspectBounds


def quarantine_bounds(sync: Sync) -> QuarantineBounds:
    """The bounds as exact numbers."""
    return QuarantineBounds(
        max_gone_share=Decimal(str(sync.max_gone_share)),
        moved_by=Decimal(str(sync.moved_by)),
        max_moved_share=Decimal(str(sync.max_moved_share)),
        from_offers=sync.quarantine_from,
    )


def suspect_bounds(sync: Sync) -> SuspectBounds:
    """The bounds as exact numbers."""
    return SuspectBounds(
        drop=Decimal(str(sync.suspect_drop)),
        rise=Decimal(str(sync.suspect_rise)),
        below_median=Decimal(str(sync.suspect_below_median)),
    )
