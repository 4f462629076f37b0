"""Whether a whole walk may replace a supplier's offers, or an operator must look first."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class QuarantineBounds(msgspec.Struct, frozen=True):
    """``[sync]`` bounds. Shares are 0 to 1; ``from_offers`` is how many such offers it takes at least."""

    max_gone_share: Decimal
    moved_by: Decimal
    max_moved_share: Decimal
    from_offers: int


class WalkChange(msgspec.Struct, frozen=True):
    """How a walk differs from what stands: offers that stood before, of these gone, and moved far in price."""

    before: int
    gone: int
    moved: int


def moved_far(old: Decimal | None, new: Decimal | None, by: Decimal) -> bool:
    """Whether a cost moved by more than the share ``by`` of what it was; costs in one currency."""
    if old is None or new is None:
        return False
    return abs(new - old) > by * old


def quarantine(change: WalkChange, bounds: QuarantineBounds) -> str | None:
    """Why the walk must wait for an operator, in words with figures; None when it may replace the offers."""
    if change.gone >= bounds.from_offers and change.gone > bounds.max_gone_share * change.before:
        return f"{change.gone} of {change.before} offers vanished, more than {_percent(bounds.max_gone_share)}"
    if change.moved >= bounds.from_offers and change.moved > bounds.max_moved_share * change.before:
        return (
            f"{change.moved} of {change.before} prices moved by more than {_percent(bounds.moved_by)}, "
            f"more than {_percent(bounds.max_moved_share)} of them"
        )
    return None


def _percent(share: Decimal) -> str:
    return f"{(share * 100).normalize():f} %"
