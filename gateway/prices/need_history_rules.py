"""The cheapest offer of each supplier for a need over time, from what each of its offers cost. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from operator import itemgetter

import msgspec

from gateway.catalog.index.matrix import Bucket
from schemas.plan import DataAllowance, nominal_mb, scope_of


class NeedOffer(msgspec.Struct, frozen=True):
    """An offer that meets a need, or met it."""

    id: str
    supplier: str
    supplier_plan_id: str
    name: str
    plan_id: str


class OfferLine(msgspec.Struct, frozen=True):
    """What one offer cost over time, in base currency, the oldest first; None: not offered, or without a price."""

    offer: NeedOffer
    steps: list[tuple[datetime, Decimal | None]]


class CheapestStep(msgspec.Struct, frozen=True):
    """From ``at`` on a supplier's cheapest offer was this, at this cost; both None while it had none."""

    at: datetime
    cost: Decimal | None
    offer: NeedOffer | None


class SupplierLine(msgspec.Struct, frozen=True):
    """A supplier's cheapest cost over time, the oldest first; the last step holds until now."""

    supplier: str
    steps: list[CheapestStep]

    @property
    def now(self) -> CheapestStep:
        """What is cheapest now."""
        return self.steps[-1]


def supplier_lines(offers: Iterable[OfferLine]) -> list[SupplierLine]:
    """A line for each supplier that had a price, those first that are cheapest now."""
    of_supplier: dict[str, list[OfferLine]] = {}
    for line in offers:
        of_supplier.setdefault(line.offer.supplier, []).append(line)
    lines = [SupplierLine(name, cheapest(found)) for name, found in of_supplier.items()]
    return sorted((line for line in lines if line.steps), key=_standing)


def cheapest(offers: Sequence[OfferLine]) -> list[CheapestStep]:
    """The cheapest of these offers over time: a step whenever another cost or another offer is the lowest."""
    changed = [(at, number, cost) for number, line in enumerate(offers) for at, cost in line.steps]
    changed.sort(key=itemgetter(0, 1))
    costs: list[Decimal | None] = [None] * len(offers)
    steps: list[CheapestStep] = []
    for at, those in groupby(changed, key=itemgetter(0)):
        for _, number, cost in those:
            costs[number] = cost
        there = [(cost, number) for number, cost in enumerate(costs) if cost is not None]
        step = CheapestStep(at, None, None)
        if there:
            lowest, number = min(there)
            step = CheapestStep(at, lowest, offers[number].offer)
        last = steps[-1] if steps else CheapestStep(at, None, None)
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
    return cost is None, cost or Decimal(0), line.supplier
