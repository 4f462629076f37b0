"""The public API as JSON: what a storefront or an operator sends, and what comes back.

Requests are decoded into these types, answers are described by them, and ``/openapi.json`` is made from
them. A country is an ISO 3166-1 alpha-2 code in capitals; times are RFC 3339 in UTC.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.examples import AT, example
from schemas.features import Wanted
from schemas.page import Page
from schemas.plan import (
    NOT_STATED,
    AfterAllowance,
    DataAllowance,
    Features,
    Network,
    Period,
    Reset,
    Scope,
    Starts,
    WhyNot,
    shown_mb,
)

CountryCode = Annotated[str, Meta(pattern="^[A-Z]{2}$", examples=["JP"])]
CurrencyCode = Annotated[str, Meta(pattern="^[A-Z]{3,4}$", examples=["USD"])]
PlanId = Annotated[
    str, Meta(min_length=1, max_length=100, pattern="^[a-z0-9][a-z0-9.-]*$", examples=["jp-1gb-7d-5c2a9e0b71d4"])
]
SupplierName = Annotated[str, Meta(min_length=1, max_length=40, pattern="^[a-z0-9_-]+$", examples=["pikasim"])]
Amount = Annotated[str, Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?$", examples=["5.50"])]
Megabytes = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Days = Annotated[int, Meta(ge=1, le=10_000)]
# Text that needs nothing but an example.
PlanName = Annotated[str, example("Japan 1 GB, 7 days")]
CountryName = Annotated[str, example("Japan")]
OfferId = Annotated[str, example("off_77aa01c3d5e7f90112233445")]
OfferName = Annotated[str, example("Japan 7 Days 1GB")]
SupplierPlanId = Annotated[str, example("JP_7D_1GB")]
SyncRunId = Annotated[str, example("run_01")]


class Price(msgspec.Struct, frozen=True):
    """An exact amount, written out in full, of one currency."""

    amount: Amount
    currency: CurrencyCode


Cost = Annotated[Price, example({"amount": "5.00"})]


# -- plans ---------------------------------------------------------------------------------------------------------


class FairUsePolicy(msgspec.Struct, frozen=True):
    """What limits an allowance beyond its amount, in short: ``full_speed`` and ``after`` say it exactly."""

    after: AfterAllowance | None = None
    allowance_mb: int | None = None
    per_day: bool = False

    @classmethod
    def of(cls, data: DataAllowance) -> FairUsePolicy | None:
        """What an unlimited plan states to run at full speed, and what follows it; null where nothing is stated."""
        after = None
        if data.after != NOT_STATED:
            after = AfterAllowance.THROTTLED if data.after.goes_on else AfterAllowance.CUT_OFF
        stated = data.allowance.mb if data.allowance is not None else None
        if after is None and stated is None:
            return None
        per_day = data.allowance is not None and data.allowance.per is Period.DAY
        return cls(after, mb_or_null(stated), per_day)


class PlanFullSpeed(msgspec.Struct, frozen=True):
    """How much data runs at full speed; ``mb`` null where the supplier says that nothing limits it."""

    mb: Annotated[int | None, example(1024)]
    per: Period


class PlanAfter(msgspec.Struct, frozen=True):
    """What follows the full-speed data: its speed, and whether data ends. Null where the supplier does not say."""

    kbps: Annotated[int | None, example(None)]
    cut_off: Annotated[bool | None, example(None)]


class PlanData(msgspec.Struct, frozen=True):
    """How much data. ``mb`` is an amount of a day or month by ``reset``, and null when unlimited.

    Amounts below 1 GB are as they are; from there on 1 GB counts as 1024. ``full_speed`` is null where an unlimited
    plan states nothing. ``tier`` is the supplier's word for a grade of the plan, such as Lite.
    """

    mb: Annotated[int | None, example(1024)]
    total_mb: Annotated[int | None, example(1024)]
    declared: Annotated[str, example("1 GB")]
    unlimited: bool
    reset: Reset
    fair_use: Annotated[FairUsePolicy | None, example(None)]
    full_speed: Annotated[PlanFullSpeed | None, example({"mb": 1024, "per": "total"})] = None
    after: Annotated[PlanAfter, example({"kbps": None, "cut_off": None})] = PlanAfter(None, None)
    tier: Annotated[str | None, example(None)] = None

    @classmethod
    def of(cls, data: DataAllowance, days: int) -> PlanData:
        """An allowance over so many days, as the API shows it."""
        full_speed = data.full_speed
        return cls(
            mb=mb_or_null(data.mb),
            total_mb=mb_or_null(data.total_mb(days)),
            declared=data.declared,
            unlimited=data.unlimited,
            reset=data.reset,
            fair_use=FairUsePolicy.of(data),
            full_speed=None if full_speed is None else PlanFullSpeed(mb_or_null(full_speed.mb), full_speed.per),
            after=PlanAfter(data.after.kbps, data.after.cut_off),
            tier=data.tier,
        )


def mb_or_null(nominal: int | None) -> int | None:
    """Nominal MB as ``mb`` of the API; null stays null."""
    return None if nominal is None else shown_mb(nominal)


class PlanValidity(msgspec.Struct, frozen=True):
    """How many days a plan lasts, and what starts them."""

    days: Annotated[int, example(7)]
    starts: Starts


class PlanNetwork(msgspec.Struct, frozen=True):
    """An operator used in a country; ``generation`` is null when the supplier does not say.

    ``mcc_mnc`` is the operator's number, null when it is not known.
    """

    country: CountryCode
    operator: Annotated[str, example("Docomo")]
    generation: Annotated[str | None, example("4G")] = None
    mcc_mnc: Annotated[str | None, example("44010")] = None

    @classmethod
    def of(cls, network: Network) -> PlanNetwork:
        """A network as the API shows it."""
        return cls(**msgspec.structs.asdict(network))


class PlanFeatures(msgspec.Struct, frozen=True):
    """What a plan can do besides data; null means that the supplier does not say.

    ``voice_minutes`` and ``sms_count`` are included; with ``voice_unlimited`` and ``sms_unlimited`` there is no such
    number. ``install_within_days`` counts from the purchase. ``not_exit_countries`` are countries where the supplier
    says that traffic does not reach the internet. ``usage`` and ``refundable``: the supplier tells how much of an eSIM
    is used, and takes an unused one back.
    """

    topup: Annotated[bool | None, example(True)] = None
    voice: Annotated[bool | None, example(False)] = None
    sms: Annotated[bool | None, example(False)] = None
    exit_country: Annotated[CountryCode | None, example("US")] = None
    hotspot: Annotated[bool | None, example(True)] = None
    voice_minutes: Annotated[int | None, example(None)] = None
    voice_unlimited: Annotated[bool | None, example(None)] = None
    sms_count: Annotated[int | None, example(None)] = None
    sms_unlimited: Annotated[bool | None, example(None)] = None
    phone_number: Annotated[bool | None, example(False)] = None
    kyc_required: Annotated[bool | None, example(False)] = None
    install_within_days: Annotated[int | None, example(180)] = None
    usage: Annotated[bool | None, example(True)] = None
    refundable: Annotated[bool | None, example(True)] = None
    not_exit_countries: Annotated[tuple[CountryCode, ...], example(["CN", "HK"])] = ()

    @classmethod
    def of(cls, features: Features) -> PlanFeatures:
        """Features as the API shows them."""
        return cls(**msgspec.structs.asdict(features))


class Plan(msgspec.Struct, frozen=True):
    """What a traveller buys.

    Price, stock, networks and features are those of the offer that an order under these filters would buy now: the
    cheapest in stock. ``offer_count`` counts the offers that could be sold; with none the last price is shown and
    ``in_stock`` is false.
    """

    id: PlanId
    name: PlanName
    scope: Scope
    countries: list[CountryCode]
    data: PlanData
    validity: PlanValidity
    networks: list[PlanNetwork]
    features: PlanFeatures
    price: Price | None
    price_per_gb: Price | None
    price_per_day: Annotated[Price | None, example({"amount": "0.79"})]
    in_stock: Annotated[bool, example(True)]
    offer_count: Annotated[int, example(2)]
    stale: bool
    updated_at: datetime


class CatalogNote(msgspec.Struct, frozen=True):
    """Which catalogue answered, and when its offers were last fetched (null before the first time)."""

    version: Annotated[str, example("5f3a1c")]
    synced_at: Annotated[datetime | None, example(AT)]
    stale: bool


class PlanList(Page[Plan], frozen=True):
    """A page of plans. ``gone`` names plans that left since ``updated_since``."""

    catalog: CatalogNote
    gone: list[str] | UnsetType = UNSET


class Offer(msgspec.Struct, frozen=True):
    """One supplier's sellable item. ``stock`` is null when the supplier does not say.

    ``price_rule`` tells how the price comes about: "rule 3: Europe +18 %, rounded to .99".
    """

    id: OfferId
    plan_id: PlanId
    supplier: SupplierName
    supplier_plan_id: SupplierPlanId
    name: OfferName
    cost: Cost | None
    cost_base: Cost | None
    price: Price | None
    price_rule: Annotated[str | None, example("rule 3: Japan +10 %")]
    stock: int | None
    in_stock: Annotated[bool, example(True)]
    stale: bool
    observed_at: Annotated[datetime | None, example(AT)]
    selectable: Annotated[bool, example(True)]
    why_not: WhyNot | None


class OfferList(msgspec.Struct, frozen=True):
    """The offers of one plan: those that can be sold first, each group cheapest first."""

    data: list[Offer]


class CountryEntry(msgspec.Struct, frozen=True):
    """A country that plans cover, and the lowest price among them."""

    code: CountryCode
    name: CountryName
    plan_count: Annotated[int, example(41)]
    from_price: Annotated[Price | None, example({"amount": "1.10"})]


class CountryList(msgspec.Struct, frozen=True):
    """All countries that some plan covers."""

    data: list[CountryEntry]


class RegionEntry(msgspec.Struct, frozen=True):
    """A named group of countries, how many plans are of it, and the lowest price among them."""

    code: Annotated[str, example("scandinavia")]
    name: Annotated[str, example("Scandinavia")]
    countries: Annotated[list[CountryCode], example(["DK", "NO", "SE"])]
    plan_count: Annotated[int, example(12)]
    from_price: Annotated[Price | None, example({"amount": "2.20"})]


class RegionList(msgspec.Struct, frozen=True):
    """The named groups of countries."""

    data: list[RegionEntry]


# -- quotes --------------------------------------------------------------------------------------------------------


class NeedFeatures(Wanted, frozen=True, forbid_unknown_fields=True):
    """Features that a plan must have; what is left out may be either way."""


class QuoteForNeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a traveller needs: all of the countries, at least the data, for at least the days."""

    countries: Annotated[list[CountryCode], Meta(min_length=1, max_length=300)]
    data_mb: Annotated[Megabytes | UnsetType, example(3072)] = UNSET
    unlimited: bool = False
    days: Annotated[Days | UnsetType, example(10)] = UNSET
    features: Annotated[NeedFeatures | UnsetType, example({})] = UNSET
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

    plan_id: Annotated[PlanId, example("jp-2gb-7d-0b71d45c2a9e")]
    price: Annotated[Price, example({"amount": "6.40"})]


class WhyChosen(msgspec.Struct, frozen=True):
    """How the plan of a quote was found.

    ``assumed``: the plan is unlimited, does not say how much of it is at full speed, and counted by what is assumed.
    """

    plans_considered: Annotated[int, example(41)]
    plans_in_stock: Annotated[int, example(37)]
    rule: Annotated[str, example("cheapest_in_stock")]
    next_best: NextBest | None
    assumed: Annotated[bool, example(False)] = False


class Quote(msgspec.Struct, frozen=True):
    """A plan whose price is held until ``expires_at``."""

    id: Annotated[str, example("qt_Zm9vYmFy")]
    plan: Plan
    price: Price
    expires_at: Annotated[datetime, example("2026-11-20T10:15:00Z")]
    why: WhyChosen


# -- every process --------------------------------------------------------------------------------------------------


class Ready(msgspec.Struct, frozen=True):
    """Whether this process can answer, with what, and what does not work at present."""

    status: Annotated[Literal["ready", "not_ready"], example("ready")]
    degraded: Annotated[list[str], example([])]
    catalog: Annotated[
        dict[str, Any], example({"live": {"version": "5f3a1c", "offers": 2310, "plans": 1904, "synced_at": AT}})
    ]


class Alive(msgspec.Struct, frozen=True):
    """The process runs."""

    status: Literal["ok"]
