"""Prices that cannot be right: too far from the offer's own past, far below what others ask, or next to nothing.

A suspect price keeps one offer out of the selection until an operator releases it or it is back within bounds. The
past is judged when an offer's cost changes; the others on the staged walk, and once more when all of a run have come
in, so that the result does not depend on who came first.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec
import numpy as np

from gateway.pricing.market_rules import Market, Offers, RivalPrices
from schemas.api_suspects import SuspectRule

# Beside the others' offers, not its own past: looked at anew whenever others change.
BESIDE_OTHERS: tuple[SuspectRule, ...] = ("below_others", "below_less", "below_minimum")
# What time heals: the price stayed as it is while next to nothing else of its supplier was suspect.
HEALED_BY_TIME: tuple[SuspectRule, ...] = ("below_others", "below_less")
_FEWEST_PROVIDERS = 2
# Costs are compared as floats here: one that is exactly at a bound is within it.
_EXACT = 1 - 1e-9


class SuspectBounds(msgspec.Struct, frozen=True):
    """``[sync]`` bounds as shares: 0.60 below, 2.00 above the last good cost, 0.25 of the others' median.

    ``below_less`` is the share of what others ask for less, ``minimum_usd`` what nothing costs less than.
    """

    drop: Decimal
    rise: Decimal
    below_median: Decimal
    below_less: Decimal = Decimal("0.15")
    minimum_usd: Decimal = Decimal("0.05")


class Suspicion(msgspec.Struct, frozen=True):
    """Why a price is suspect, its rule first, and the keys of the offers that it was compared with."""

    reason: str
    compared_with: tuple[bytes, ...] = ()


def against_past(
    cost: Decimal | None, good_cost: Decimal | None, released_cost: Decimal | None, bounds: SuspectBounds
) -> str | None:
    """Why ``cost`` is suspect beside the last cost that was not, None when it is not; one currency."""
    if cost is None or good_cost is None or cost == released_cost:
        return None
    if cost < good_cost * (1 - bounds.drop):
        return _moved(cost, good_cost, bounds.drop, "below")
    if cost > good_cost * (1 + bounds.rise):
        return _moved(cost, good_cost, bounds.rise, "above")
    return None


def beside_others(
    own: Offers, market: Market, rivals: RivalPrices, bounds: SuspectBounds, minimum: float | None
) -> dict[int, Suspicion]:
    """Offers of a list that cost far less than others ask, or next to nothing, by their place in it.

    ``rivals`` is ``own`` measured by ``market``. ``minimum`` is ``bounds.minimum_usd`` in base
    currency, None where there is no rate of it. What an operator let through is not judged.
    """
    cost = own["cost"].astype(np.float64)
    less, median = float(bounds.below_less), float(bounds.below_median)
    with np.errstate(invalid="ignore"):
        too_low = own["judged"] & (cost < (minimum or 0) * _EXACT)
        under_median = own["judged"] & (rivals.others >= _FEWEST_PROVIDERS) & (cost < median * rivals.median * _EXACT)
        under_less = own["judged"] & (cost < less * rivals.for_less * _EXACT)
    found: dict[int, Suspicion] = {}
    for at in np.flatnonzero(under_less).tolist():
        reason = (
            f"below_less: {cost[at]:.4g} is less than {less * 100:.0f} % of {rivals.for_less[at]:.2f}, "
            "which others ask for less over the same countries"
        )
        found[at] = Suspicion(reason, (market.key(rivals.for_less_rank[at]),))
    for at in np.flatnonzero(under_median).tolist():
        middle = dict.fromkeys(market.key(rank) for rank in rivals.middle[at])
        share = f"under {median * 100:.0f} % of {rivals.median[at]:.2f}"
        found[at] = Suspicion(f"below_others: {share}, the median of {rivals.others[at]} others", tuple(middle))
    for at in np.flatnonzero(too_low).tolist():
        found[at] = Suspicion(f"below_minimum: {cost[at]:.4g} is under {minimum:.4g}, below which nothing is sold")
    return found


def _moved(cost: Decimal, good_cost: Decimal, share: Decimal, where: str) -> str:
    return f"moved: {cost:f} is more than {share * 100:.0f} % {where} the last good cost {good_cost:f}"
