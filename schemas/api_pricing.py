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

Percent = Annotated[str, Meta(pattern=r"^[0-9]{1,4}(\.[0-9]{1,4})?$", examples=["18"])]
RuleAmount = Annotated[str, Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?$", examples=["0.50"])]
RuleId = Annotated[str, Meta(pattern="^pr_[0-9a-f]{16}$", examples=["pr_9f2c41d07be5a613"])]
RuleName = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["Europe"])]
StorefrontName = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00]+$", examples=["travel-shop"])]
Region = Annotated[str, Meta(min_length=1, max_length=60, pattern="^[a-z0-9_-]+$", examples=["europe"])]
Moment = Annotated[datetime, Meta(tz=True)]
Rounding = Literal["currency", ".99"]
Place = Annotated[int, Meta(ge=1, le=200)]
FrenchPlanId = Annotated[PlanId, example("fr-1gb-7d-5c2a9e0b71d4")]
FrenchPlanName = Annotated[str, example("France 1 GB, 7 days")]
MOST_COUNTRIES, MOST_PLANS = 250, 500


class RuleBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A rule. It prices the offers that meet every condition given, where no rule before it does.

    An offer's whole coverage lies within `countries`, and within those of `region`. Data is a plan's whole amount;
    unlimited meets any `min_data_mb` and no `max_data_mb`. The price is cost × (1 + `percent`) + `fixed`, rounded,
    not above `ceiling`, and never below `floor` nor below cost + `minimum_margin` (without one: the settings'). Amounts
    are of `currency`, the gateway's base currency by default. In force from `valid_from` until before `valid_until`.
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
    """Parts of a rule; what is not sent stays."""

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
    """A rule as it stands. `position` counts from 1; `words` are those by which prices name it.

    `state`: in_force, waiting for its time, over, or off.
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
    """What prices everything that no rule does: `[pricing]` of the settings, in the gateway's base currency."""

    words: Annotated[str, example("default: +10 %")]
    percent: Annotated[str, example("10")]
    fixed: Annotated[str, example("0")]
    minimum_margin: Annotated[str, example("0")]
    rounding: Annotated[Rounding, example("currency")]
    currency: CurrencyCode


class PricingRulePage(Page[PricingRule], frozen=True):
    """The rules in order, and the one behind them all."""

    default: DefaultRule


class RuleOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ids of all rules, in the order in which they are to stand."""

    ids: Annotated[list[RuleId], Meta(max_length=200)]


class PreviewRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change that is not made.

    A new `rule`, another wording of the one with this `id`, its removal (`remove`), or another `order`. For which
    storefront, side and currency the effect is told; by default the rule's storefront, or those without rules of
    their own.
    """

    rule: Annotated[RuleBody | None, example({})] = None
    id: RuleId | None = None
    remove: bool = False
    order: Annotated[list[RuleId], Meta(max_length=200)] | None = None
    storefront: StorefrontName | None = None
    mode: Literal["live", "test"] | None = None
    currency: CurrencyCode | None = None


class PriceMove(msgspec.Struct, frozen=True):
    """How far the prices move that move one way."""

    count: Annotated[int, example(8211)]
    median: Annotated[Price | None, example({"amount": "0.49"})]
    median_percent: Annotated[float | None, example(7.4)]
    most: Annotated[Price | None, example({"amount": "6.10"})]
    most_percent: Annotated[float | None, example(98.2)]


_NO_MOVES = {"count": 0, **dict.fromkeys(("median", "median_percent", "most", "most_percent"))}


class PricingExample(msgspec.Struct, frozen=True):
    """A plan whose price changes, with the offer that is sold for it afterwards, or was before."""

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
    """How many offers for sale a rule prices; without an id the default."""

    id: RuleId | None
    words: Annotated[str, example("rule 3: Europe +18 %, rounded to .99, at least 4.00 USD")]
    offers: Annotated[int, example(8521)]


class PricingPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a change would do to the whole catalogue at a moment: now, or when the rule comes into force.

    Prices are those of plans for sale. `begin` and `end` are plans that only afterwards, or only before, are. Offers
    are `thin` when their price less the minimum margin does not cover what they may come to cost: they are not sold.
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


class Margin(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of an offer's price, in base currency: `price` less `fees` less `cost_base`.

    `rate` is what one unit of the cost's currency is worth in base currency. `margin_percent` is a share of the price.
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
    """All offers that were asked for, on this page and on the others."""

    offers: Annotated[int, example(1)]
    negative: Annotated[int, example(1)]
    thin: int
    median_percent: Annotated[float | None, example(-5.52)]


class MarginPage(Page[Margin], frozen=True):
    """A page of margins, the negative and thin ones first, and the fees that they reckon with."""

    summary: MarginSummary
    fee_percent: Annotated[str, example("2.9")]
    fee_fixed: Annotated[Price, example({"amount": "0.30"})]
