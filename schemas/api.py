"""The public API as JSON: what a storefront or an operator sends, and what comes back.

Requests are decoded into these types, answers are described by them, and ``/openapi.json`` is made from
them. A country is an ISO 3166-1 alpha-2 code in capitals; times are RFC 3339 in UTC.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.page import Page
from schemas.plan import AfterAllowance, Reset, Scope, SetAsideReason, Starts, WhyNot

CountryCode = Annotated[str, Meta(pattern="^[A-Z]{2}$", examples=["JP"])]
CurrencyCode = Annotated[str, Meta(pattern="^[A-Z]{3,4}$", examples=["USD"])]
PlanId = Annotated[
    str, Meta(min_length=1, max_length=100, pattern="^[a-z0-9][a-z0-9.-]*$", examples=["jp-1gb-7d-5c2a9e"])
]
SupplierName = Annotated[str, Meta(min_length=1, max_length=40, pattern="^[a-z0-9_-]+$", examples=["pikasim"])]
Amount = Annotated[str, Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?$", examples=["5.50"])]
Megabytes = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Days = Annotated[int, Meta(ge=1, le=10_000)]


class Price(msgspec.Struct, frozen=True):
    """An exact amount, written out in full, of one currency."""

    amount: Amount
    currency: CurrencyCode


# -- plans ---------------------------------------------------------------------------------------------------------


class FairUsePolicy(msgspec.Struct, frozen=True):
    """What limits an allowance beyond its amount."""

    after: AfterAllowance | None = None
    allowance_mb: int | None = None
    per_day: bool = False


class PlanData(msgspec.Struct, frozen=True):
    """How much data. ``mb`` counts 1 GB as 1024, is a day's amount when ``reset`` is daily, null when unlimited."""

    mb: int | None
    total_mb: int | None
    declared: str
    unlimited: bool
    reset: Reset
    fair_use: FairUsePolicy | None


class PlanValidity(msgspec.Struct, frozen=True):
    """How many days a plan lasts, and what starts them."""

    days: int
    starts: Starts


class PlanNetwork(msgspec.Struct, frozen=True):
    """An operator used in a country; ``generation`` is null when the supplier does not say."""

    country: CountryCode
    operator: str
    generation: str | None = None


class PlanFeatures(msgspec.Struct, frozen=True):
    """What a plan can do besides data; null means that the supplier does not say."""

    topup: bool | None = None
    voice: bool | None = None
    sms: bool | None = None
    exit_country: CountryCode | None = None


class Plan(msgspec.Struct, frozen=True):
    """What a traveller buys.

    Price, stock, networks and features are those of the offer that an order under these filters would buy now: the
    cheapest in stock. ``offer_count`` counts the offers that could be sold; with none the last price is shown and
    ``in_stock`` is false.
    """

    id: PlanId
    name: str
    scope: Scope
    countries: list[CountryCode]
    data: PlanData
    validity: PlanValidity
    networks: list[PlanNetwork]
    features: PlanFeatures
    price: Price | None
    price_per_gb: Price | None
    price_per_day: Price | None
    in_stock: bool
    offer_count: int
    stale: bool
    updated_at: datetime


class CatalogNote(msgspec.Struct, frozen=True):
    """Which catalogue answered, and when its offers were last fetched (null before the first time)."""

    version: str
    synced_at: datetime | None
    stale: bool


class PlanList(Page[Plan], frozen=True):
    """A page of plans. ``gone`` names plans that left since ``updated_since``."""

    catalog: CatalogNote
    gone: list[str] | UnsetType = UNSET


class Offer(msgspec.Struct, frozen=True):
    """One supplier's sellable item. ``stock`` is null when the supplier does not say.

    ``price_rule`` tells how the price comes about: "rule 3: Europe +18 %, rounded to .99".
    """

    id: str
    plan_id: PlanId
    supplier: SupplierName
    supplier_plan_id: str
    name: str
    cost: Price | None
    cost_base: Price | None
    price: Price | None
    price_rule: str | None
    stock: int | None
    in_stock: bool
    stale: bool
    observed_at: datetime | None
    selectable: bool
    why_not: WhyNot | None


class OfferList(msgspec.Struct, frozen=True):
    """The offers of one plan: those that can be sold first, each group cheapest first."""

    data: list[Offer]


class CountryEntry(msgspec.Struct, frozen=True):
    """A country that plans cover, and the lowest price among them."""

    code: CountryCode
    name: str
    plan_count: int
    from_price: Price | None


class CountryList(msgspec.Struct, frozen=True):
    """All countries that some plan covers."""

    data: list[CountryEntry]


class RegionEntry(msgspec.Struct, frozen=True):
    """A named group of countries, how many plans are of it, and the lowest price among them."""

    code: str
    name: str
    countries: list[CountryCode]
    plan_count: int
    from_price: Price | None


class RegionList(msgspec.Struct, frozen=True):
    """The named groups of countries."""

    data: list[RegionEntry]


# -- quotes --------------------------------------------------------------------------------------------------------


class NeedFeatures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Features that a plan must have; what is left out may be either way."""

    topup: Literal[True] | UnsetType = UNSET
    voice: Literal[True] | UnsetType = UNSET
    sms: Literal[True] | UnsetType = UNSET
    network: Literal["5G"] | UnsetType = UNSET
    exit_country: CountryCode | UnsetType = UNSET


class QuoteForNeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a traveller needs: all of the countries, at least the data, for at least the days."""

    countries: Annotated[list[CountryCode], Meta(min_length=1, max_length=300)]
    data_mb: Megabytes | UnsetType = UNSET
    unlimited: bool = False
    days: Days | UnsetType = UNSET
    features: NeedFeatures | UnsetType = UNSET
    currency: CurrencyCode | UnsetType = UNSET
    triggers: Annotated[
        bool, Meta(description="In test mode: plans on which a supplier's sandbox goes wrong on purpose compete, too.")
    ] = False


class QuoteForPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One plan by its id."""

    plan_id: PlanId
    features: NeedFeatures | UnsetType = UNSET
    currency: CurrencyCode | UnsetType = UNSET


class NextBest(msgspec.Struct, frozen=True):
    """What would have been chosen next."""

    plan_id: PlanId
    price: Price


class WhyChosen(msgspec.Struct, frozen=True):
    """How the plan of a quote was found."""

    plans_considered: int
    plans_in_stock: int
    rule: str
    next_best: NextBest | None


class Quote(msgspec.Struct, frozen=True):
    """A plan whose price is held until ``expires_at``."""

    id: str
    plan: Plan
    price: Price
    expires_at: datetime
    why: WhyChosen


# -- operations ----------------------------------------------------------------------------------------------------


class LastSync(msgspec.Struct, frozen=True):
    """The last look at a supplier's catalogue; ``good_at`` is when one was last taken over whole."""

    state: Literal["ok", "failed", "quarantined"] | None
    at: datetime | None
    good_at: datetime | None


class Breaker(msgspec.Struct, frozen=True):
    """Whether calls to a supplier are let through."""

    state: Literal["closed", "open", "half_open"]
    failures: int
    retry_at: datetime | None
    last_error: str | None


class SupplierRateLimit(msgspec.Struct, frozen=True):
    """What a supplier allows, and what it last said of it."""

    per_minute: int | None
    reported_limit: int | None
    remaining: int | None
    resets_at: datetime | None
    blocked_until: datetime | None


class SupplierProblem(msgspec.Struct, frozen=True):
    """One thing that is the matter with a supplier; ``until`` is when it ends by itself, null where that is not known.

    ``balance``: our money there does not suffice. ``expired``: its offers are too old to be sold, ``stale``: they are
    old. ``success_rate``: few purchases of the last hour succeeded.
    """

    cause: Literal[
        "stop", "not_configured", "pause", "balance", "expired", "breaker", "quarantine", "stale", "success_rate"
    ]
    reason: str
    until: datetime | None


class Supplier(msgspec.Struct, frozen=True):
    """One supplier account. ``offers`` counts what is in the catalogue, ``set_aside`` what could not be mapped.

    ``state`` is that of the worst of its ``problems``, which stand in that order: ``stopped`` and ``paused`` by
    operators or for its account, ``degraded`` for everything else.
    """

    name: SupplierName
    provider: str
    mode: Literal["live", "test"]
    state: Literal["ok", "degraded", "paused", "stopped"]
    configured: bool
    capabilities: list[str]
    last_sync: LastSync | None
    offers: int
    set_aside: int
    balance: Price | None
    breaker: Breaker
    rate_limit: SupplierRateLimit
    problems: tuple[SupplierProblem, ...]


class SyncRunSupplier(msgspec.Struct, frozen=True):
    """What one sync did at one supplier; ``total`` is mapped plus set aside."""

    supplier: SupplierName
    state: Literal["ok", "failed", "quarantined"]
    total: int
    mapped: int
    set_aside: dict[str, int]
    other_products: int
    new: int
    changed: int
    gone: int
    up: int
    down: int
    in_stock: int
    out_of_stock: int
    suspect: int
    warnings: list[str]
    error: str | None
    ms: int | None


class SyncRun(msgspec.Struct, frozen=True):
    """One sync of the catalogue; ``state`` is null while it runs."""

    id: str
    started_at: datetime
    ended_at: datetime | None
    state: Literal["ok", "partial", "failed"] | None
    suppliers: list[SyncRunSupplier]


class SyncRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which suppliers to sync; none named means all."""

    suppliers: Annotated[list[SupplierName], Meta(max_length=100)] | UnsetType = UNSET


class AcceptRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The supplier whose quarantined catalogue is to be taken over as it is."""

    supplier: SupplierName


class SyncStarted(msgspec.Struct, frozen=True):
    """A sync that a worker will run; it appears among the sync runs when it begins."""

    status: Literal["queued"]
    suppliers: list[SupplierName]
    accept: list[SupplierName]


class UnmappedItem(msgspec.Struct, frozen=True):
    """A supplier's item that no rule understood; ``raw`` is its own JSON as it came."""

    supplier: SupplierName
    supplier_plan_id: str
    name: str
    reason: SetAsideReason
    detail: str
    raw: str
    first_seen_at: datetime


class PriceChange(msgspec.Struct, frozen=True):
    """A supplier's price as it was and as it became; null where there was none."""

    supplier: SupplierName
    supplier_plan_id: str
    plan_id: PlanId
    old: Price | None
    new: Price | None
    at: datetime
    sync_run_id: str


# -- every route ---------------------------------------------------------------------------------------------------


class ProblemError(msgspec.Struct, frozen=True):
    """One thing that is wrong: where, as a JSON pointer into the body or ``/name`` of a parameter, and what."""

    pointer: str
    detail: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error (RFC 9457). ``code`` is for programs, ``detail`` for people."""

    type: str
    title: str
    status: int
    code: str
    request_id: str
    detail: str | UnsetType = UNSET
    errors: list[ProblemError] | UnsetType = UNSET


class Ready(msgspec.Struct, frozen=True):
    """Whether this process can answer, with what, and what does not work at present."""

    status: Literal["ready", "not_ready"]
    degraded: list[str]
    catalog: dict[str, Any]


class Alive(msgspec.Struct, frozen=True):
    """The process runs."""

    status: Literal["ok"]
