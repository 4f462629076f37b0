"""The cheapest offer of each supplier for a need over time, from what each of its offers cost. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from gateway.catalog.index.matrix import Bucket
from schemas.api import Price
from schemas.api_changes import OfferHistory
from schemas.plan import DataAllowance, nominal_mb, scope_of


class CheapestStep(msgspec.Struct, frozen=True):
    """From ``at`` on a supplier's cheapest offer was this, at this cost; both None while it had none."""

    at: datetime
    cost: Price | None
    offer: OfferHistory | None


class SupplierLine(msgspec.Struct, frozen=True):
    """A supplier's cheapest cost over time, the oldest first; the last step holds until now."""

    supplier: str
    steps: list[CheapestStep]

    @property
    def now(self) -> CheapestStep:
        """What is cheapest now."""
        return self.steps[-1]


def supplier_lines(offers: Iterable[OfferHistory]) -> list[SupplierLine]:
    """A line for each supplier that had a price, those first that are cheapest now."""
    of_supplier: dict[str, list[OfferHistory]] = {}
    for offer in offers:
        of_supplier.setdefault(offer.supplier, []).append(offer)
    lines = [SupplierLine(name, cheapest(found)) for name, found in of_supplier.items()]
    return sorted((line for line in lines if line.steps), key=_standing)


def cheapest(offers: Sequence[OfferHistory]) -> list[CheapestStep]:
    """The cheapest of these offers over time: a step whenever another cost or another offer is the lowest."""
    moments = sorted({step.at for offer in offers for step in offer.steps})
    reached = [0] * len(offers)
    steps: list[CheapestStep] = []
    for moment in moments:
        lowest: tuple[Decimal, Price, OfferHistory] | None = None
        for at, offer in enumerate(offers):
            while reached[at] < len(offer.steps) and offer.steps[reached[at]].at <= moment:
                reached[at] += 1
            cost = offer.steps[reached[at] - 1].cost_base if reached[at] else None
            if cost is not None and (lowest is None or Decimal(cost.amount) < lowest[0]):
                lowest = Decimal(cost.amount), cost, offer
        step = CheapestStep(moment, None, None) if lowest is None else CheapestStep(moment, lowest[1], lowest[2])
        last = steps[-1] if steps else CheapestStep(moment, None, None)
        if (step.cost, step.offer) != (last.cost, last.offer):
            steps.append(step)
    return steps


def meets(bucket: Bucket, data: DataAllowance, days: int, coverage: Sequence[str], assumed_per_day: int) -> bool:
    """Whether an offer that left met the need, as the index judges those that are there."""
    if bucket.scope is not None and scope_of(tuple(coverage)) is not bucket.scope:
        return False
    if bucket.unlimited and not data.goes_on:
        return False
    if bucket.days is not None and (days != bucket.days if bucket.exact else days < bucket.days):
        return False
    if bucket.data_mb is None:
        return True
    wanted, counts_for = nominal_mb(bucket.data_mb), days if bucket.days is None else bucket.days
    if bucket.exact:
        return data.total_mb(counts_for) == wanted
    return data.counted_mb(counts_for, assumed_per_day) >= wanted


def _standing(line: SupplierLine) -> tuple[bool, Decimal, str]:
    cost = line.now.cost
    return cost is None, Decimal(0) if cost is None else Decimal(cost.amount), line.supplier
