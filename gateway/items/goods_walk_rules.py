"""What a whole walk through a supplier's goods comes to beside what stands: what to write, what is suspect. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Protocol

import msgspec

from gateway.catalog.diff_rules import digest
from gateway.items.goods_rules import Texts, good_id, measure, texts_of
from gateway.pricing.price_rules import NoRate, Rates
from gateway.pricing.quarantine_rules import QuarantineBounds, WalkChange, moved_far, quarantine
from gateway.pricing.suspect_rules import SuspectBounds, against_past
from schemas.good import Good
from schemas.money import Money


class Before(Protocol):
    """A good as it stands; what it is stored as."""

    @property
    def digest(self) -> bytes: ...
    @property
    def good_id(self) -> str: ...
    @property
    def measure(self) -> Money: ...
    @property
    def good_measure(self) -> Decimal | None: ...
    @property
    def released(self) -> Decimal | None: ...
    @property
    def suspect(self) -> str | None: ...
    @property
    def gone(self) -> bool: ...


class Met(msgspec.Struct, frozen=True):
    """A good that a walk met, in all of its languages, the account's own first."""

    good: Good
    texts: dict[str, Texts]
    digest: bytes
    measure: Money


class Judged(msgspec.Struct, frozen=True):
    """What to make of a good that differs from what stands."""

    met: Met
    good_id: str
    good_measure: Decimal | None
    suspect: str | None
    before: Money | None


class Difference(msgspec.Struct, frozen=True):
    """A walk beside what stands. ``quarantined`` is why an operator must look first."""

    quarantined: str | None
    judged: tuple[Judged, ...]
    gone: tuple[str, ...]
    new: int


def together(goods: Iterable[Good]) -> tuple[dict[str, Met], list[Good]]:
    """The goods of a walk by SKU, each once with all of its languages; and those whose price cannot be one."""
    versions: dict[str, dict[str, Good]] = {}
    for good in goods:
        versions.setdefault(good.sku, {}).setdefault(good.locale or "", good)
    met: dict[str, Met] = {}
    wrong: list[Good] = []
    for sku, by_locale in versions.items():
        first = next(iter(by_locale.values()))
        watched = measure(first.cost, first.custom)
        if watched.amount <= 0:
            wrong.append(first)
            continue
        texts = {locale: texts_of(good) for locale, good in by_locale.items()}
        met[sku] = Met(first, texts, digest(msgspec.json.encode([first, texts])), watched)
    return met, wrong


def difference(
    provider: str,
    met: Mapping[str, Met],
    stored: Mapping[str, Before],
    rates: Rates,
    bounds: tuple[QuarantineBounds, SuspectBounds],
    *,
    accepted: bool,
) -> Difference:
    """Compare a walk with what stands. An operator who accepts it has seen its prices: nothing is held back."""
    live = {sku for sku, before in stored.items() if not before.gone}
    gone = tuple(sorted(live - met.keys()))
    moved = 0
    judged: list[Judged] = []
    for sku, met_good in met.items():
        before = stored.get(sku)
        if (
            before is not None
            and before.digest == met_good.digest
            and not before.gone
            and not (accepted and before.suspect)
        ):
            continue
        found = _judge(provider, met_good, before, rates, bounds[1], accepted=accepted)
        judged.append(found)
        if found.before is not None and sku in live:
            old = _in_currency(found.before, met_good.measure.currency, rates)
            moved += moved_far(old, met_good.measure.amount, bounds[0].moved_by)
    quarantined = None if accepted else quarantine(WalkChange(len(live), len(gone), moved), bounds[0])
    return Difference(quarantined, tuple(judged), gone, len(met.keys() - live))


def _judge(
    provider: str, met: Met, before: Before | None, rates: Rates, bounds: SuspectBounds, *, accepted: bool
) -> Judged:
    number = good_id(provider, met.good.sku)
    if before is None or accepted:
        return Judged(met, number, met.measure.amount, None, None if before is None else before.measure)
    if before.measure == met.measure:
        return Judged(met, number, before.good_measure, before.suspect, before.measure)
    currency = met.measure.currency
    good = None
    if before.good_measure is not None:
        good = _in_currency(Money(before.good_measure, before.measure.currency), currency, rates)
    released = before.released if before.measure.currency == currency else None
    suspect = against_past(met.measure.amount, good, released, bounds)
    return Judged(met, number, good if suspect else met.measure.amount, suspect, before.measure)


def _in_currency(amount: Money, currency: str, rates: Rates) -> Decimal | None:
    if amount.currency == currency:
        return amount.amount
    try:
        return rates.to_base(amount).amount / rates.of(currency)
    except NoRate:
        return None
