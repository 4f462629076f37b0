"""What prices are made by now: the rules, the default behind them, and today's exchange rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache

from gateway.kit.pool import Connection, Pool
from gateway.kit.settings import Settings
from gateway.pricing import pricing_rule_rows
from gateway.pricing.price_rules import NoRate, PriceRule, Rates, margin_of, most_an_order_may_cost, price
from gateway.pricing.pricing_rules import Rule, RuleSet, RuleSets, Subject, changes_at, sets_at
from gateway.pricing.rates import bounds_of, rates_of_rows
from providers.kit.places import regions
from schemas.money import Money
from schemas.plan import DataAllowance


@dataclass(frozen=True, slots=True)
class Prices:
    """What makes a storefront's prices: its rules and the exchange rates.

    ``changes_at``: the clock alone changes them then; None where nobody asked.
    """

    rules: RuleSet
    rates: Rates
    changes_at: datetime | None = None
    _terms: dict[tuple[Money, PriceRule], tuple[Decimal | None, Decimal | None]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def terms(self, cost: Money, rule: PriceRule) -> tuple[Decimal | None, Decimal | None]:
        """The cost in base currency, and the most that an order at its own price may cost; None without a rate.

        Reckoned once for each cost and rule: many offers cost the same, and orders ask for the same offers.
        """
        if (cost, rule) not in self._terms:
            self._terms[cost, rule] = self._reckoned(cost, rule)
        return self._terms[cost, rule]

    def _reckoned(self, cost: Money, rule: PriceRule) -> tuple[Decimal | None, Decimal | None]:
        try:
            base = self.rates.to_base(cost)
            own = price(base, rule, self.rates, self.rates.base)
            return base.amount, most_an_order_may_cost(own, self.rates, margin_of(rule, self.rates)).amount
        except NoRate:
            return None, None

    def of(self, cost_base: Money, subject: Subject, currency: str) -> Money:
        """What the storefront's customer pays for an offer. Raises ``NoRate``."""
        return price(cost_base, self.rules.of(subject), self.rates, currency)


def default_rule(settings: Settings) -> PriceRule:
    """What ``[pricing]`` of the settings states: the last rule, for whatever no other one prices."""
    pricing = settings.pricing
    return PriceRule(
        pricing.percent, pricing.fixed, pricing.rounding, pricing.minimum_margin, currency=settings.base_currency
    )


def sets_now(rules: Sequence[Rule], settings: Settings, now: datetime) -> RuleSets:
    """What these rules mean at a moment, for every storefront."""
    return sets_at(rules, default_rule(settings), now, countries_by_region())


@lru_cache(maxsize=1)
def countries_by_region() -> Mapping[str, tuple[str, ...]]:
    """The countries of each region that a rule may name."""
    return {region.code: region.countries for region in regions()}


async def prices_now(
    connection: Connection | Pool, settings: Settings, storefront_id: str | None, now: datetime
) -> Prices:
    """What makes a storefront's prices now, from PostgreSQL. None: a storefront without rules of its own."""
    return (await prices_with_version(connection, settings, storefront_id, now))[0]


async def prices_with_version(
    connection: Connection | Pool, settings: Settings, storefront_id: str | None, now: datetime
) -> tuple[Prices, tuple[int, int, int] | None]:
    """``prices_now``, and the version of the catalogue that they were read at."""
    bounds, day = bounds_of(settings), now.astimezone(UTC).date()
    found = await pricing_rule_rows.with_rates(connection, bounds.base, bounds.oldest(day), day)
    tomorrow = datetime.combine(day + timedelta(days=1), time.min, UTC)  # has rates of its own
    rules_change_at = changes_at(found.rules, now)
    changes = tomorrow if rules_change_at is None else min(rules_change_at, tomorrow)
    rules = sets_now(found.rules, settings, now).of(storefront_id)
    return Prices(rules, rates_of_rows(found.rates, settings, day), changes), found.version


def subject_of(supplier: str, plan_id: str, coverage: tuple[str, ...], data: DataAllowance, days: int) -> Subject:
    """What rules ask of an offer."""
    return Subject(supplier, plan_id, coverage, data.total_mb(days))
