"""Prices that cannot be right: too far from the offer's own past, or from what others ask.

A suspect price keeps one offer out of the selection until an operator releases it or it is back within
bounds. The past is judged when an offer's cost changes; the others once everybody of a run has come in,
so that the result does not depend on who came first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from statistics import median

import msgspec

BELOW_OTHERS = "below_others"
MOVED = "moved"


class SuspectBounds(msgspec.Struct, frozen=True):
    """``[sync]`` bounds as shares: 0.60 below, 2.00 above the last good cost, 0.25 of the others' median."""

    drop: Decimal
    rise: Decimal
    below_median: Decimal


class Rival(msgspec.Struct, frozen=True):
    """One offer of a plan as the others see it.

    ``cost_base`` is in base currency. ``counts`` says that it could be sold if its price is right, so
    that others are measured by it; ``judged`` that no person has let this very cost through.
    """

    id: str
    provider: str
    cost_base: Decimal
    counts: bool = True
    judged: bool = True


def against_past(
    cost: Decimal | None, good_cost: Decimal | None, released_cost: Decimal | None, bounds: SuspectBounds
) -> str | None:
    """Why ``cost`` is suspect beside the last cost that was not, None when it is not; one currency."""
    if cost is None or good_cost is None or cost == released_cost:
        return None
    if cost < good_cost * (1 - bounds.drop):
        return f"{MOVED}: {cost:f} is more than {bounds.drop * 100:.0f} % below the last good cost {good_cost:f}"
    if cost > good_cost * (1 + bounds.rise):
        return f"{MOVED}: {cost:f} is more than {bounds.rise * 100:.0f} % above the last good cost {good_cost:f}"
    return None


def below_others(offers: Sequence[Rival], bounds: SuspectBounds) -> dict[str, str]:
    """Offers of one plan that cost far less than others ask, with the reason.

    Each is measured by the median of the cheapest countable offers of the other providers, two at
    least. What is found suspect no longer counts for the rest, until nothing more is found: the result
    is the same in any order.
    """
    found: dict[str, str] = {}
    while True:
        cheapest = _cheapest(offer for offer in offers if offer.counts and offer.id not in found)
        fresh: dict[str, str] = {}
        for offer in offers:
            if not offer.judged or offer.id in found:
                continue
            others = [cost for provider, cost in cheapest.items() if provider != offer.provider]
            if len(others) < 2:  # noqa: PLR2004 - two others, by the rule
                continue
            middle = median(others)
            if offer.cost_base < bounds.below_median * middle:
                share = f"{bounds.below_median * 100:.0f} %"
                fresh[offer.id] = f"{BELOW_OTHERS}: under {share} of {middle:.2f}, the median of {len(others)} others"
        if not fresh:
            return found
        found |= fresh


def _cheapest(offers: Iterable[Rival]) -> dict[str, Decimal]:
    costs: dict[str, list[Decimal]] = defaultdict(list)
    for offer in offers:
        costs[offer.provider].append(offer.cost_base)
    return {provider: min(values) for provider, values in costs.items()}
