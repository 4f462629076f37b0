"""Pricing rules: which rule prices an offer, and how a price is told in words.

Rules stand in an order. The first that is enabled, in force and matches an offer prices it; the
``[pricing]`` of the settings is behind them all and matches everything. A storefront without rules of
its own is under the same set as all others without, and equal sets have equal digests in every process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

import msgspec

from gateway.pricing.price_rules import PriceRule, Rates, deciding
from schemas.money import Money
from schemas.plan import Scope, nominal_mb, scope_of

MOST_RULES = 200


class Conditions(msgspec.Struct, frozen=True):
    """What an offer must be for a rule to price it; None and () ask for nothing, all that is said must hold.

    ``countries`` and the countries of ``region`` must hold the offer's whole coverage. Data is the whole
    of a plan in MB: unlimited meets any minimum and no maximum. ``successors`` are what the plans of ``plan_ids`` that
    were replaced are now.
    """

    storefront: str | None = None
    supplier: str | None = None
    countries: tuple[str, ...] = ()
    region: str | None = None
    scope: Scope | None = None
    min_data_mb: int | None = None
    max_data_mb: int | None = None
    unlimited: bool | None = None
    plan_ids: tuple[str, ...] = ()
    successors: tuple[str, ...] = ()


class Rule(msgspec.Struct, frozen=True):
    """One rule. ``number`` is its place in the order, from 1 on; ``price`` what it makes of a cost.

    In force from ``valid_from`` until before ``valid_until``; None is for ever. ``own_margin`` says that its
    minimum margin is its own; else it is the settings'.
    """

    id: str
    number: int
    name: str
    when: Conditions
    price: PriceRule
    enabled: bool = True
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    own_margin: bool = True

    def in_force(self, now: datetime) -> bool:
        """Whether it prices anything now."""
        return (
            self.enabled
            and (self.valid_from is None or self.valid_from <= now)
            and (self.valid_until is None or now < self.valid_until)
        )


class Subject(NamedTuple):
    """What rules ask of an offer. ``total_mb`` is None when unlimited.

    ``is_plan`` is false of what is no eSIM: rules that ask for data or a scope are not meant for it.
    """

    supplier: str
    plan_id: str
    coverage: tuple[str, ...]
    total_mb: int | None
    is_plan: bool = True


@dataclass(frozen=True)
class RuleSet:
    """The rules in force for some storefronts, in order, and the default behind them.

    ``places`` has for each rule the countries that it is for, None for everywhere. The number of a rule in
    here counts from 0; ``len(rules)`` is the default's.
    """

    rules: tuple[Rule, ...]
    default: PriceRule
    places: tuple[frozenset[str] | None, ...]

    @cached_property
    def digest(self) -> str:
        """Differs with everything that decides a price."""
        parts = [
            [str(rule.price), sorted(places) if places is not None else None, *_condition_key(rule.when)]
            for rule, places in zip(self.rules, self.places, strict=True)
        ]
        made_of = msgspec.json.encode([str(self.default), parts])
        return hashlib.blake2b(made_of, digest_size=12).hexdigest()

    def find(self, subject: Subject) -> int:
        """The number of the rule that prices an offer."""
        for number, rule in enumerate(self.rules):
            if matches(rule.when, self.places[number], subject):
                return number
        return len(self.rules)

    def price_rule(self, number: int) -> PriceRule:
        """What the rule with this number makes of a cost."""
        return self.rules[number].price if number < len(self.rules) else self.default

    def of(self, subject: Subject) -> PriceRule:
        """What is made of an offer's cost."""
        return self.price_rule(self.find(subject))

    def describe(self, number: int) -> str:
        """The rule in words: "rule 3: Europe +18 %, rounded to .99"."""
        if number >= len(self.rules):
            return f"default: {terms_text(self.default)}"
        return described(self.rules[number])

    def explain(self, number: int, cost_base: Money, rates: Rates, currency: str) -> str:
        """The rule in words, and which of its bounds made the price, if one did. Raises ``NoRate``."""
        rule = self.price_rule(number)
        made = _BOUNDS.get(deciding(cost_base, rule, rates, currency))
        return self.describe(number) if made is None else f"{self.describe(number)}; {made}"


@dataclass(frozen=True)
class RuleSets:
    """The sets in force at one moment: ``shared``, and those of storefronts that have rules of their own."""

    shared: RuleSet
    own: Mapping[str, RuleSet]

    def of(self, storefront_id: str | None) -> RuleSet:
        """The set of a storefront."""
        return self.shared if storefront_id is None else self.own.get(storefront_id, self.shared)


def sets_at(rules: Sequence[Rule], default: PriceRule, now: datetime, regions: Mapping[str, Iterable[str]]) -> RuleSets:
    """What rules mean at a moment. ``regions`` are countries by code; a rule of another region matches nothing."""
    known = {code: frozenset(countries) for code, countries in regions.items()}
    ordered = sorted((rule for rule in rules if rule.in_force(now)), key=lambda rule: rule.number)
    storefronts = {rule.when.storefront for rule in ordered if rule.when.storefront is not None}

    def made(storefront: str | None) -> RuleSet:
        found = tuple(_settled(rule, default) for rule in ordered if rule.when.storefront in (None, storefront))
        return RuleSet(found, default, tuple(_places(rule.when, known) for rule in found))

    return RuleSets(made(None), {storefront: made(storefront) for storefront in sorted(storefronts)})


def only(default: PriceRule) -> RuleSet:
    """The set in which nothing stands but the default."""
    return RuleSet((), default, ())


def changes_at(rules: Iterable[Rule], now: datetime) -> datetime | None:
    """When the clock alone will next put a rule in force or out of it; None when it will not."""
    moments = (at for rule in rules if rule.enabled for at in (rule.valid_from, rule.valid_until) if at is not None)
    return min((at for at in moments if at > now), default=None)


def matches(when: Conditions, places: frozenset[str] | None, subject: Subject) -> bool:
    """Whether a rule prices an offer, whoever sells it; ``places`` as in ``RuleSet``."""
    total = subject.total_mb
    if not subject.is_plan and (_asks_for_data(when) or (places is not None and not subject.coverage)):
        return False
    return (
        when.supplier in (None, subject.supplier)
        and (places is None or places.issuperset(subject.coverage))
        and (when.scope is None or when.scope is scope_of(subject.coverage))
        and when.unlimited in (None, total is None)
        and (when.min_data_mb is None or total is None or total >= nominal_mb(when.min_data_mb))
        and (when.max_data_mb is None or (total is not None and total <= nominal_mb(when.max_data_mb)))
        and (not when.plan_ids or subject.plan_id in (*when.plan_ids, *when.successors))
    )


def _asks_for_data(when: Conditions) -> bool:
    return (when.scope, when.unlimited, when.min_data_mb, when.max_data_mb) != (None, None, None, None)


def described(rule: Rule) -> str:
    """A rule in words: "rule 3: Europe +18 %, rounded to .99"."""
    return f"rule {rule.number}: {rule.name} {terms_text(rule.price)}"


def terms_text(rule: PriceRule) -> str:
    """Percentage, fixed part and bounds: "+18 % +0.50 USD, rounded to .99, at least 4.00 USD"."""
    unit = rule.currency or ""
    parts = [f"+{rule.percent.normalize():f} %"]
    if rule.fixed:
        parts[0] += f" +{_amount(rule.fixed, unit)}"
    if rule.rounding == ".99":
        parts.append("rounded to .99")
    if rule.ceiling is not None:
        parts.append(f"at most {_amount(rule.ceiling, unit)}")
    if rule.floor is not None:
        parts.append(f"at least {_amount(rule.floor, unit)}")
    if rule.minimum_margin:
        parts.append(f"margin at least {_amount(rule.minimum_margin, rule.margin_currency or unit)}")
    return ", ".join(parts)


def _amount(amount: object, unit: str) -> str:
    money = Money.of(str(amount), unit or "USD").padded()
    return f"{money.amount:f} {unit}".rstrip()


def _settled(rule: Rule, default: PriceRule) -> Rule:
    """The rule with the settings' minimum margin where it has none of its own, and without its storefront."""
    price = rule.price
    if not rule.own_margin:
        margin = default.currency if default.margin_currency is None else default.margin_currency
        price = msgspec.structs.replace(price, minimum_margin=default.minimum_margin, margin_currency=margin or "")
    return msgspec.structs.replace(rule, price=price, when=msgspec.structs.replace(rule.when, storefront=None))


def _places(when: Conditions, regions: Mapping[str, frozenset[str]]) -> frozenset[str] | None:
    countries = frozenset(when.countries) if when.countries else None
    if when.region is not None:
        region = regions.get(when.region, frozenset())
        countries = region if countries is None else countries & region
    return countries


def _condition_key(when: Conditions) -> tuple[object, ...]:
    plans = sorted(when.plan_ids)
    return (when.supplier, when.scope, when.min_data_mb, when.max_data_mb, when.unlimited, plans)


_BOUNDS = {
    "floor": "raised to its floor",
    "ceiling": "lowered to its ceiling",
    "minimum_margin": "raised to the cost and the minimum margin",
}
