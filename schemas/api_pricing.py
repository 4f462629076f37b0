"""Pricing rules as JSON: what is sent, what stands, what a change would do, and what is left of each price."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.api import CountryCode, CurrencyCode, Megabytes, OfferId, PlanId, Price, SupplierName
from schemas.examples import example
from schemas.page import Page
from schemas.plan import Scope

Percent = Annotated[str, Meta(pattern=r"^[0-9]{1,4}(\.[0-9]{1,4})?\Z", examples=["18"])]
RuleAmount = Annotated[str, Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?\Z", examples=["0.50"])]
RuleId = Annotated[str, Meta(pattern=r"^pr_[0-9a-f]{16}\Z", examples=["pr_9f2c41d07be5a613"])]
RuleName = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+\Z", examples=["Europe"])]
StorefrontName = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00]+\Z", examples=["travel-shop"])]
Region = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=60,
        pattern=r"^[a-z0-9_-]+\Z",
        description="A region, by its code in `/v1/regions`.",
        examples=["europe"],
    ),
]
Moment = Annotated[datetime, Meta(tz=True)]
Rounding = Literal["currency", ".99"]
Place = Annotated[int, Meta(ge=1, le=200)]
FrenchPlanId = Annotated[PlanId, example("fr-1gb-7d-5c2a9e0b71d4")]
FrenchPlanName = Annotated[str, example("France 1 GB, 7 days")]
MOST_COUNTRIES, MOST_PLANS = 250, 500


class RuleBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A rule.

    It prices the offers that meet every condition given, where no rule before it does. The price is cost × (1 +
    ``percent``) + ``fixed``, rounded, not above ``ceiling``, and never below ``floor`` nor below cost +
    ``minimum_margin``.

    Attributes:
        name: The rule's name.
        percent: What comes on the cost, in percent.
        fixed: What comes on top, as an amount.
        minimum_margin: The least that is left of the price; without it that of the settings holds.
        floor: The lowest price.
        ceiling: The highest price.
        rounding: How the price is rounded: to the currency's digits, or up to .99.
        currency: The currency of the amounts; the gateway's base currency by default.
        enabled: Whether the rule is applied.
        storefront: Only for this storefront.
        supplier: Only offers of this supplier.
        countries: Only offers whose whole coverage lies within these countries.
        region: Only offers whose whole coverage lies within this region.
        scope: Only plans that reach so far.
        min_data_mb: Only plans with at least so much data in all; unlimited ones meet any.
        max_data_mb: Only plans with at most so much data in all; unlimited ones meet none.
        unlimited: Only unlimited plans, or none of them.
        plan_ids: Only these plans.
        valid_from: From when on the rule is in force.
        valid_until: Until before when the rule is in force.
        position: Its place among the rules, from 1; the last one by default.
    """

    name: RuleName
    percent: Percent
    fixed: RuleAmount = "0"
    minimum_margin: RuleAmount | None = None
    floor: Annotated[RuleAmount | None, example("4.00")] = None
    ceiling: RuleAmount | None = None
    rounding: Annotated[Rounding, example(".99")] = "currency"
    currency: CurrencyCode | None = None
    enabled: bool = True
    storefront: StorefrontName | None = None
    supplier: SupplierName | None = None
    countries: Annotated[list[CountryCode], Meta(max_length=MOST_COUNTRIES)] = []
    region: Annotated[Region | None, example("europe")] = None
    scope: Scope | None = None
    min_data_mb: Megabytes | None = None
    max_data_mb: Megabytes | None = None
    unlimited: bool | None = None
    plan_ids: Annotated[list[PlanId], Meta(max_length=MOST_PLANS)] = []
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    position: Place | None = None


class RulePatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parts of a rule; what is not sent stays.

    Attributes:
        name: The rule's name.
        percent: What comes on the cost, in percent.
        fixed: What comes on top, as an amount.
        minimum_margin: The least that is left of the price; without it that of the settings holds.
        floor: The lowest price.
        ceiling: The highest price.
        rounding: How the price is rounded: to the currency's digits, or up to .99.
        currency: The currency of the amounts; the gateway's base currency by default.
        enabled: Whether the rule is applied.
        storefront: Only for this storefront.
        supplier: Only offers of this supplier.
        countries: Only offers whose whole coverage lies within these countries.
        region: Only offers whose whole coverage lies within this region.
        scope: Only plans that reach so far.
        min_data_mb: Only plans with at least so much data in all; unlimited ones meet any.
        max_data_mb: Only plans with at most so much data in all; unlimited ones meet none.
        unlimited: Only unlimited plans, or none of them.
        plan_ids: Only these plans.
        valid_from: From when on the rule is in force.
        valid_until: Until before when the rule is in force.
        position: Its place among the rules, from 1; the last one by default.
    """

    name: RuleName | UnsetType = UNSET
    percent: Percent | UnsetType = UNSET
    fixed: RuleAmount | UnsetType = UNSET
    minimum_margin: RuleAmount | UnsetType | None = UNSET
    floor: RuleAmount | UnsetType | None = UNSET
    ceiling: RuleAmount | UnsetType | None = UNSET
    rounding: Rounding | UnsetType = UNSET
    currency: CurrencyCode | UnsetType = UNSET
    enabled: Annotated[bool | UnsetType, example(False)] = UNSET
    storefront: StorefrontName | UnsetType | None = UNSET
    supplier: SupplierName | UnsetType | None = UNSET
    countries: Annotated[list[CountryCode], Meta(max_length=MOST_COUNTRIES)] | UnsetType = UNSET
    region: Region | UnsetType | None = UNSET
    scope: Scope | UnsetType | None = UNSET
    min_data_mb: Megabytes | UnsetType | None = UNSET
    max_data_mb: Megabytes | UnsetType | None = UNSET
    unlimited: bool | UnsetType | None = UNSET
    plan_ids: Annotated[list[PlanId], Meta(max_length=MOST_PLANS)] | UnsetType = UNSET
    valid_from: Moment | UnsetType | None = UNSET
    valid_until: Moment | UnsetType | None = UNSET
    position: Place | UnsetType = UNSET


class PricingRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as it stands.

    Attributes:
        id: The rule's id.
        position: Its place among the rules, from 1.
        name: The rule's name.
        enabled: Whether the rule is applied.
        state: Whether it is in force, waits for its time, is over, or is off.
        words: The words by which prices name it.
        storefront: Only for this storefront.
        supplier: Only offers of this supplier.
        countries: Only offers whose whole coverage lies within these countries.
        region: Only offers whose whole coverage lies within this region.
        scope: Only plans that reach so far.
        min_data_mb: Only plans with at least so much data in all; unlimited ones meet any.
        max_data_mb: Only plans with at most so much data in all; unlimited ones meet none.
        unlimited: Only unlimited plans, or none of them.
        plan_ids: Only these plans.
        valid_from: From when on the rule is in force.
        valid_until: Until before when the rule is in force.
        percent: What comes on the cost, in percent.
        fixed: What comes on top, as an amount.
        minimum_margin: The least that is left of the price; without it that of the settings holds.
        floor: The lowest price.
        ceiling: The highest price.
        rounding: How the price is rounded: to the currency's digits, or up to .99.
        currency: The currency of the amounts; the gateway's base currency by default.
        created_at: When the rule was made.
        updated_at: When it last changed.
    """

    id: RuleId
    position: Annotated[int, example(3)]
    name: Annotated[str, example("Europe")]
    enabled: Annotated[bool, example(True)]
    state: Annotated[Literal["in_force", "waiting", "over", "off"], example("in_force")]
    words: Annotated[str, example("rule 3: Europe +18 %, rounded to .99, at least 4.00 USD")]
    storefront: str | None
    supplier: Annotated[SupplierName | None, example(None)]
    countries: Annotated[list[CountryCode], example([])]
    region: Annotated[str | None, example("europe")]
    scope: Scope | None
    min_data_mb: int | None
    max_data_mb: int | None
    unlimited: bool | None
    plan_ids: Annotated[list[PlanId], example([])]
    valid_from: datetime | None
    valid_until: datetime | None
    percent: Annotated[str, example("18")]
    fixed: Annotated[str, example("0")]
    minimum_margin: str | None
    floor: Annotated[str | None, example("4")]
    ceiling: str | None
    rounding: Annotated[Rounding, example(".99")]
    currency: CurrencyCode
    created_at: datetime
    updated_at: datetime


class DefaultRule(msgspec.Struct, frozen=True):
    """What prices everything that no rule does: `[pricing]` of the settings, in the gateway's base currency.

    Attributes:
        words: The words by which prices name it.
        percent: What comes on the cost, in percent.
        fixed: What comes on top, as an amount.
        minimum_margin: The least that is left of the price.
        rounding: How the price is rounded.
        currency: The gateway's base currency.
    """

    words: Annotated[str, example("default: +10 %")]
    percent: Annotated[str, example("10")]
    fixed: Annotated[str, example("0")]
    minimum_margin: Annotated[str, example("0")]
    rounding: Annotated[Rounding, example("currency")]
    currency: CurrencyCode


class PricingRulePage(Page[PricingRule], frozen=True):
    """The rules in order, and the one behind them all.

    Attributes:
        default: The rule behind them all.
    """

    default: DefaultRule


class RuleOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The order in which all rules are to stand.

    Attributes:
        ids: The ids of all rules, in that order.
    """

    ids: Annotated[list[RuleId], Meta(max_length=200)]


class PreviewRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change that is not made: a new rule, another wording of a rule, its removal, or another order.

    Attributes:
        rule: A new rule, or another wording of the one with this `id`.
        id: The rule to change or remove.
        remove: Whether the rule is removed.
        order: The ids of all rules, in another order.
        storefront: Whose prices to look at; by default those of the rule's storefront, or of those without rules of
            their own.
        mode: Live or test; the key's own mode by default.
        currency: The currency of the prices; the gateway's base currency by default.
    """

    rule: Annotated[RuleBody | None, example({})] = None
    id: RuleId | None = None
    remove: bool = False
    order: Annotated[list[RuleId], Meta(max_length=200)] | None = None
    storefront: StorefrontName | None = None
    mode: Literal["live", "test"] | None = None
    currency: CurrencyCode | None = None


class PriceMove(msgspec.Struct, frozen=True):
    """How far the prices move that move one way.

    Attributes:
        count: How many prices move.
        median: The median of their moves.
        median_percent: The same in percent.
        most: The furthest move.
        most_percent: The same in percent.
    """

    count: Annotated[int, example(8211)]
    median: Annotated[Price | None, example({"amount": "0.49"})]
    median_percent: Annotated[float | None, example(7.4)]
    most: Annotated[Price | None, example({"amount": "6.10"})]
    most_percent: Annotated[float | None, example(98.2)]


_NO_MOVES = {"count": 0, **dict.fromkeys(("median", "median_percent", "most", "most_percent"))}


class PricingExample(msgspec.Struct, frozen=True):
    """A plan whose price changes, with the offer that is sold for it afterwards, or was before.

    Attributes:
        plan_id: The plan.
        name: The plan's name.
        supplier: The supplier of the offer.
        cost_base: The offer's cost in base currency.
        before: The price before; null when it was not for sale.
        after: The price afterwards; null when it is not for sale.
        percent: How far the price moves; null where it cannot be compared.
        rule_before: The rule that made the price before.
        rule_after: The rule that makes it afterwards.
        why_not: What keeps it from sale afterwards; null when nothing does.
    """

    plan_id: FrenchPlanId
    name: FrenchPlanName
    supplier: SupplierName
    cost_base: Annotated[Price, example({"amount": "2.10"})]
    before: Annotated[Price | None, example({"amount": "2.31"})]
    after: Annotated[Price | None, example({"amount": "4.00"})]
    percent: Annotated[float | None, example(73.16)]
    rule_before: Annotated[str | None, example("default: +10 %")]
    rule_after: Annotated[str | None, example("rule 3: Europe +18 %; raised to its floor")]
    why_not: str | None


class PricedBy(msgspec.Struct, frozen=True):
    """How many offers for sale a rule prices.

    Attributes:
        id: The rule; null for the default.
        words: The words by which prices name it.
        offers: How many offers for sale it prices.
    """

    id: RuleId | None
    words: Annotated[str, example("rule 3: Europe +18 %, rounded to .99, at least 4.00 USD")]
    offers: Annotated[int, example(8521)]


class PricingPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a change would do to the whole catalogue. Prices are those of plans for sale.

    Attributes:
        at: The moment that is looked at: now, or when the rule comes into force.
        storefront: Whose prices these are; null: of those without rules of their own.
        mode: Live or test.
        currency: The currency of the prices.
        same: How many prices stay.
        rise: The prices that rise.
        fall: The prices that fall.
        begin: Plans that only afterwards are for sale.
        end: Plans that only before are for sale.
        thin_before: Offers that are not sold before, because their price less the minimum margin does not cover what
            they may come to cost.
        thin_after: The same afterwards.
        at_floor: Offers that are raised to a floor.
        at_ceiling: Offers that are lowered to a ceiling.
        at_minimum_margin: Offers that are raised to the minimum margin.
        priced_by: How many offers each rule prices.
        examples: Some plans whose price changes.
    """

    at: datetime
    storefront: str | None
    mode: Annotated[Literal["live", "test"], example("live")]
    currency: CurrencyCode
    same: Annotated[int, example(30120)]
    rise: PriceMove
    fall: Annotated[PriceMove, example(_NO_MOVES)]
    begin: int
    end: int
    thin_before: Annotated[int, example(12)]
    thin_after: int
    at_floor: Annotated[int, example(310)]
    at_ceiling: int
    at_minimum_margin: int
    priced_by: Annotated[list[PricedBy], example([{}, {"id": None, "words": "default: +10 %", "offers": 41007}])]
    examples: list[PricingExample]


class OfferMargin(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of an offer's price, in base currency.

    Attributes:
        offer_id: The offer.
        plan_id: The plan that it is of.
        name: The plan's name.
        supplier: The supplier that sells it.
        supplier_plan_id: The supplier's own id for it.
        cost: What the supplier charges, in its own currency.
        rate: What one unit of that currency is worth in base currency.
        cost_base: The cost in base currency.
        price: What a customer pays.
        price_rule: How the price comes about.
        fees: What being paid costs.
        margin: Price less fees less cost.
        margin_percent: The margin as a share of the price.
        negative: Whether it is sold at a loss.
        selectable: Whether it can be sold now.
        why_not: What keeps it from sale; null when nothing does.
    """

    offer_id: OfferId
    plan_id: FrenchPlanId
    name: FrenchPlanName
    supplier: SupplierName
    supplier_plan_id: Annotated[str, example("FR_7D_1GB")]
    cost: Annotated[Price, example({"amount": "2.10", "currency": "EUR"})]
    rate: Annotated[str, example("1.08")]
    cost_base: Annotated[Price, example({"amount": "2.268"})]
    price: Annotated[Price, example({"amount": "2.50"})]
    price_rule: Annotated[str, example("default: +10 %")]
    fees: Annotated[Price, example({"amount": "0.37"})]
    margin: Annotated[Price, example({"amount": "-0.138"})]
    margin_percent: Annotated[float, example(-5.52)]
    negative: Annotated[bool, example(True)]
    selectable: Annotated[bool, example(True)]
    why_not: str | None


class MarginSummary(msgspec.Struct, frozen=True):
    """All offers that were asked for, on this page and on the others.

    Attributes:
        offers: How many offers there are.
        negative: How many are sold at a loss.
        thin: How many their price keeps from sale.
        median_percent: The median of their margins, as a share of the price; null without any.
    """

    offers: Annotated[int, example(1)]
    negative: Annotated[int, example(1)]
    thin: int
    median_percent: Annotated[float | None, example(-5.52)]


class MarginPage(Page[OfferMargin], frozen=True):
    """A page of margins, the negative and thin ones first.

    Attributes:
        summary: All offers that were asked for.
        fee_percent: The fees that are reckoned with, in percent of the price.
        fee_fixed: The fees that are reckoned with, as an amount.
    """

    summary: MarginSummary
    fee_percent: Annotated[str, example("2.9")]
    fee_fixed: Annotated[Price, example({"amount": "0.30"})]
