"""Whether a supplier's whole list may be sold, or an operator must look first. Pure.

A walk is judged by how it differs from what stands, and its list, as it would stand, by itself and by what others ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, TypeAlias

import msgspec
import numpy as np

from gateway.pricing.market_rules import Floats, Offers, Ranks, RivalPrices, per_gb, starts

ListFault: TypeAlias = Literal["suspect", "dear", "one_cost", "flat_cost", "per_gb"]
LIST_FAULTS: tuple[ListFault, ...] = ("suspect", "dear", "one_cost", "flat_cost", "per_gb")


class QuarantineBounds(msgspec.Struct, frozen=True):
    """``[sync]`` bounds. Shares are 0 to 1; ``from_offers`` is how many such offers each of them takes at least."""

    max_gone_share: Decimal
    moved_by: Decimal
    max_moved_share: Decimal
    from_offers: int
    max_suspect_share: Decimal = Decimal("0.20")
    dear_times: Decimal = Decimal(10)
    max_dear_share: Decimal = Decimal("0.50")
    one_cost_share: Decimal = Decimal("0.50")
    one_cost_times: Decimal = Decimal(4)
    max_flat_share: Decimal = Decimal("0.50")
    per_gb_times: Decimal = Decimal(8)


class WalkChange(msgspec.Struct, frozen=True):
    """How a walk differs from what stands: offers that stood before, of these gone, and moved far in price."""

    before: int
    gone: int
    moved: int


def moved_far(old: Decimal | None, new: Decimal | None, by: Decimal) -> bool:
    """Whether a cost moved by more than the share ``by`` of the higher one; costs in one currency.

    Counted from the higher price, a sale and its end move as far as each other.
    """
    if old is None or new is None:
        return False
    return abs(new - old) > by * max(old, new)


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


def list_faults(own: Offers, rivals: RivalPrices, suspects: int, bounds: QuarantineBounds) -> dict[ListFault, str]:
    """What is wrong with a supplier's list, in words with figures; empty when it may be sold.

    ``rivals`` is the list measured by the other providers; ``suspects`` counts its suspect offers.
    """
    found = dict(beyond_others(own, rivals.low_per_gb, rivals.high_per_gb, bounds))
    if suspects >= bounds.from_offers and suspects > bounds.max_suspect_share * len(own):
        found["suspect"] = (
            f"{suspects} of {len(own)} prices are suspect, more than {_percent(bounds.max_suspect_share)}"
        )
    comparable = ~np.isnan(rivals.as_much)
    dear = int(np.count_nonzero(comparable & (own["cost"] > float(bounds.dear_times) * np.nan_to_num(rivals.as_much))))
    if dear >= bounds.from_offers and dear > bounds.max_dear_share * int(np.count_nonzero(comparable)):
        found["dear"] = (
            f"{dear} of {np.count_nonzero(comparable)} comparable prices are over {bounds.dear_times:f} times what "
            "another provider asks for as much"
        )
    if (same := _one_cost(own, bounds)) is not None:
        found["one_cost"] = f"{same} of {len(own)} offers have one and the same cost, whatever their data and days"
    flat, of, offers = _flat(own)
    if offers >= bounds.from_offers and flat > bounds.max_flat_share * of:
        found["flat_cost"] = f"for equal countries and days it has one cost for every amount, {flat} of {of} times"
    return {fault: found[fault] for fault in LIST_FAULTS if fault in found}


def beyond_others(own: Offers, low: Floats, high: Floats, bounds: QuarantineBounds) -> Mapping[ListFault, str]:
    """Whether the list's cost per GB is far from that of the other providers, in words; empty when it is not.

    ``low`` and ``high`` are theirs beside each of its offers (``Market.per_gb``).

    Of an even number of providers the one nearer to the list counts, so that of three of which one errs it is found.
    """
    rate = per_gb(own)
    known = ~np.isnan(rate) & ~np.isnan(low)
    if int(np.count_nonzero(known)) < bounds.from_offers:
        return {}
    below, above = _median(rate[known] / low[known]), _median(rate[known] / high[known])
    times = float(bounds.per_gb_times)
    if below * times < 1:
        return {"per_gb": f"1 GB costs {1 / below:.3g} times less than at other providers over the same countries"}
    if above > times:
        return {"per_gb": f"1 GB costs {above:.3g} times what other providers ask over the same countries"}
    return {}


def _one_cost(own: Offers, bounds: QuarantineBounds) -> int | None:
    """How many offers share one cost, where they are too many and differ in what they are; else None."""
    costs, counts = np.unique(own["cost"], return_counts=True)
    if not len(counts) or counts.max() < max(bounds.from_offers, float(bounds.one_cost_share) * len(own)):
        return None
    same = own[own["cost"] == costs[counts.argmax()]]
    times = float(bounds.one_cost_times)
    amounts = same["mb"][same["mb"] > 0]
    differ = len(amounts) > 0 and amounts.max() >= times * amounts.min()
    return len(same) if differ or same["days"].max() >= times * same["days"].min() else None


def _flat(own: Offers) -> tuple[int, int, int]:
    """Groups of equal countries and days with one cost for several amounts, all with several; offers in the first."""
    order = np.lexsort((own["days"], own["coverage"]))
    begins = starts(own["coverage"][order], own["days"][order])
    several = _spread(own["mb"][order], begins) > 0
    flat = several & (_spread(own["cost"][order], begins) == 0)
    sizes = np.diff(begins, append=len(own))
    return int(np.count_nonzero(flat)), int(np.count_nonzero(several)), int(sizes[flat].sum())


def _spread(values: Floats, begins: Ranks) -> Floats:
    """How far the values of each group lie apart; ``begins``: where the groups begin."""
    return np.asarray(np.maximum.reduceat(values, begins) - np.minimum.reduceat(values, begins))


def _median(values: Floats) -> float:
    return float(np.median(values))


def _percent(share: Decimal) -> str:
    return f"{(share * 100).normalize():f} %"
