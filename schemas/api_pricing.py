"""Pricing rules as JSON: what is sent, what stands, what a change would do, and what is left of each price."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.api import CountryCode, CurrencyCode, Megabytes, PlanId, Price, SupplierName
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
    floor: RuleAmount | None = None
    ceiling: RuleAmount | None = None
    rounding: Rounding = "currency"
    currency: CurrencyCode | None = None
    enabled: bool = True
    storefront: StorefrontName | None = None
    supplier: SupplierName | None = None
    countries: Annotated[list[CountryCode], Meta(max_length=MOST_COUNTRIES)] = []
    region: Region | None = None
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
    enabled: bool | UnsetType = UNSET
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
    position: int
    name: str
    enabled: bool
    state: Literal["in_force", "waiting", "over", "off"]
    words: str
    storefront: str | None
    supplier: SupplierName | None
    countries: list[CountryCode]
    region: str | None
    scope: Scope | None
    min_data_mb: int | None
    max_data_mb: int | None
    unlimited: bool | None
    plan_ids: list[PlanId]
    valid_from: datetime | None
    valid_until: datetime | None
    percent: str
    fixed: str
    minimum_margin: str | None
    floor: str | None
    ceiling: str | None
    rounding: Rounding
    currency: CurrencyCode
    created_at: datetime
    updated_at: datetime


class DefaultRule(msgspec.Struct, frozen=True):
    """What prices everything that no rule does: `[pricing]` of the settings, in the gateway's base currency."""

    words: str
    percent: str
    fixed: str
    minimum_margin: str
    rounding: Rounding
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

    rule: RuleBody | None = None
    id: RuleId | None = None
    remove: bool = False
    order: Annotated[list[RuleId], Meta(max_length=200)] | None = None
    storefront: StorefrontName | None = None
    mode: Literal["live", "test"] | None = None
    currency: CurrencyCode | None = None


class PriceMove(msgspec.Struct, frozen=True):
    """How far the prices move that move one way."""

    count: int
    median: Price | None
    median_percent: float | None
    most: Price | None
    most_percent: float | None


class PricingExample(msgspec.Struct, frozen=True):
    """A plan whose price changes, with the offer that is sold for it afterwards, or was before."""

    plan_id: PlanId
    name: str
    supplier: SupplierName
    cost_base: Price
    before: Price | None
    after: Price | None
    percent: float | None
    rule_before: str | None
    rule_after: str | None
    why_not: str | None


class PricedBy(msgspec.Struct, frozen=True):
    """How many offers for sale a rule prices; without an id the default."""

    id: RuleId | None
    words: str
    offers: int


class PricingPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a change would do to the whole catalogue at a moment: now, or when the rule comes into force.

    Prices are those of plans for sale. `begin` and `end` are plans that only afterwards, or only before, are. Offers
    are `thin` when their price less the minimum margin does not cover what they may come to cost: they are not sold.
    """

    at: datetime
    storefront: str | None
    mode: Literal["live", "test"]
    currency: CurrencyCode
    same: int
    rise: PriceMove
    fall: PriceMove
    begin: int
    end: int
    thin_before: int
    thin_after: int
    at_floor: int
    at_ceiling: int
    at_minimum_margin: int
    priced_by: list[PricedBy]
    examples: list[PricingExample]


class Margin(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of an offer's price, in base currency: `price` less `fees` less `cost_base`.

    `rate` is what one unit of the cost's currency is worth in base currency. `margin_percent` is a share of the price.
    """

    offer_id: str
    plan_id: PlanId
    name: str
    supplier: SupplierName
    supplier_plan_id: str
    cost: Price
    rate: str
    cost_base: Price
    price: Price
    price_rule: str
    fees: Price
    margin: Price
    margin_percent: float
    negative: bool
    selectable: bool
    why_not: str | None


class MarginSummary(msgspec.Struct, frozen=True):
    """All offers that were asked for, on this page and on the others."""

    offers: int
    negative: int
    thin: int
    median_percent: float | None


class MarginPage(Page[Margin], frozen=True):
    """A page of margins, the negative and thin ones first, and the fees that they reckon with."""

    summary: MarginSummary
    fee_percent: str
    fee_fixed: Price
