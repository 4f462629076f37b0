"""Which lists of a mode may be sold and which of their prices are suspect, all measured by each other. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
import numpy as np

from gateway.pricing.market_rules import BY_ITS_PAST, NOT_SUSPECT, Market, Offers, Ranks, RivalPrices, by_cost
from gateway.pricing.quarantine_rules import ListFault, QuarantineBounds, beyond_others, list_faults
from gateway.pricing.suspect_rules import SuspectBounds, Suspicion, beside_others


class GuardBounds(msgspec.Struct, frozen=True):
    """The bounds of lists and prices; ``minimum`` is what nothing costs less than, in base currency, None unknown."""

    lists: QuarantineBounds
    prices: SuspectBounds
    minimum: float | None


class SupplierList(msgspec.Struct, frozen=True):
    """One supplier's part of the offers; ``number`` and ``provider`` are those of its rows.

    ``passed``: a sync of it passed before this run, without a fault that an operator let through (``accepted``), and
    it is not quarantined.
    """

    number: int
    provider: int
    passed: bool = False
    accepted: frozenset[str] = frozenset()


class Judgement(msgspec.Struct, frozen=True):
    """What is wrong with a list that nobody let through, what was let through, and its prices that are suspect.

    ``suspicions`` has the key of each offer (12 bytes).
    """

    faults: Mapping[ListFault, str]
    accepted: frozenset[str]
    suspicions: Mapping[bytes, Suspicion]

    @property
    def reason(self) -> str | None:
        """The faults in words; None when the list may be sold."""
        return "; ".join(self.faults.values()) or None


def measures(offers: Offers, lists: Iterable[SupplierList]) -> Ranks:
    """The places, by cost, of the offers that others are measured by.

    They are of suppliers that passed before; where there is none, of all.
    """
    everybody = list(lists)
    passed = [each for each in everybody if each.passed] or everybody
    measuring = np.isin(offers["supplier"], [each.number for each in passed])
    return by_cost(offers, np.flatnonzero(measuring & offers["counts"] & (offers["suspect"] == NOT_SUSPECT)))


def judge_list(own: Offers, market: Market, of: SupplierList, bounds: GuardBounds) -> Judgement:
    """Judge one supplier's list by a market that stands."""
    rivals = market.rival_prices(own, of.provider)
    return _judged(own, rivals, of, beside_others(own, market, rivals, bounds.prices, bounds.minimum), bounds)


def judge_lists(offers: Offers, lists: Sequence[SupplierList], bounds: GuardBounds) -> dict[int, Judgement]:
    """Judge every list of a mode by the others, by its number; the result is the same in any order.

    Lists far from the rest go first, so that an honest one is not measured by them. What is found suspect, and a list
    that fails, no longer measures the others, until nothing more is found.
    """
    standing = market = Market(offers, measures(offers, lists))
    parts = {each.number: np.flatnonzero(offers["supplier"] == each.number) for each in lists}
    failed = {
        each.number
        for each in lists
        if len(own := offers[parts[each.number]])
        and not each.accepted.issuperset(beyond_others(own, *market.per_gb(own, each.provider), bounds.lists))
    }
    while True:
        if failed:
            market = standing.without(np.isin(standing.suppliers, sorted(failed)))
        judged = _judge_all(offers, parts, lists, market, bounds)
        more = {number for number, judgement in judged.items() if judgement.faults} - failed
        if not np.isin(market.suppliers, sorted(more)).any():
            return judged
        failed |= more


def _judge_all(
    offers: Offers, parts: Mapping[int, Ranks], lists: Sequence[SupplierList], market: Market, bounds: GuardBounds
) -> dict[int, Judgement]:
    """Judge them all, without what is found suspect on the way."""
    while True:
        judged = {each.number: judge_list(offers[parts[each.number]], market, each, bounds) for each in lists}
        suspect = [key for judgement in judged.values() for key in judgement.suspicions]
        measures_no_more = np.isin(market.keys, np.array(suspect, dtype="S12"))
        if not measures_no_more.any():
            return judged
        market = market.without(measures_no_more)


def _judged(
    own: Offers, rivals: RivalPrices, of: SupplierList, suspicions: Mapping[int, Suspicion], bounds: GuardBounds
) -> Judgement:
    by_past = set(np.flatnonzero(own["suspect"] == BY_ITS_PAST).tolist())
    found = list_faults(own, rivals, len(by_past | set(suspicions)), bounds.lists) if len(own) else {}
    return Judgement(
        faults={fault: reason for fault, reason in found.items() if fault not in of.accepted},
        accepted=frozenset(of.accepted & set(found)),
        suspicions={own["id"][at].tobytes(): suspicion for at, suspicion in suspicions.items()},
    )
