"""The public API as JSON: what a storefront or an operator sends, and what comes back.

Requests are decoded into these types, answers are described by them, and ``/openapi.json`` is made from
them. A country is an ISO 3166-1 alpha-2 code in capitals; times are RFC 3339 in UTC.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.examples import AT, example
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

CountryCode = Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z", description="A country, by ISO 3166-1.", examples=["JP"])]
CurrencyCode = Annotated[str, Meta(pattern=r"^[A-Z]{3,4}\Z", description="A currency, as ISO 4217.", examples=["USD"])]
PlanId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        pattern=r"^[a-z0-9][a-z0-9.-]*\Z",
        description="A plan, by its id.",
        examples=["jp-1gb-7d-5c2a9e0b71d4"],
    ),
]
SupplierName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=40,
        pattern=r"^[a-z0-9_-]+\Z",
        description="A supplier account, by its name in the configuration.",
        examples=["pikasim"],
    ),
]
Amount = Annotated[str, Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?\Z", examples=["5.50"])]
Megabytes = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Days = Annotated[int, Meta(ge=1, le=10_000)]
# Addresses that the gateway or a supplier made. One that a request names may hold any visible character.
Url = Annotated[str, Meta(extra_json_schema={"format": "uri"})]
UrlPath = Annotated[str, Meta(extra_json_schema={"format": "uri-reference"})]
# Text that needs nothing but an example.
PlanName = Annotated[str, example("Japan 1 GB, 7 days")]
CountryName = Annotated[str, example("Japan")]
OfferId = Annotated[str, example("off_77aa01c3d5e7f90112233445")]
OfferName = Annotated[str, example("Japan 7 Days 1GB")]
SupplierPlanId = Annotated[str, example("JP_7D_1GB")]
SyncRunId = Annotated[str, example("run_01")]


class Price(msgspec.Struct, frozen=True):
    """An exact amount, written out in full, of one currency.

    Attributes:
        amount: The amount, written out in full.
        currency: The currency of the amount.
    """

    amount: Amount
    currency: CurrencyCode


Cost = Annotated[Price, example({"amount": "5.00"})]


# -- plans ---------------------------------------------------------------------------------------------------------


class FairUsePolicy(msgspec.Struct, frozen=True):
    """What limits an allowance beyond its amount, in short: ``full_speed`` and ``after`` of the plan say it exactly.

    Attributes:
        after: What follows the allowance; null where the supplier does not say.
        allowance_mb: How much data runs at full speed, in MB; null where the supplier does not say.
        per_day: Whether `allowance_mb` is for each day.
    """

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
    """How much data runs at full speed.

    Attributes:
        mb: The amount in MB; null where the supplier says that nothing limits it.
        per: What the amount is for.
    """

    mb: Annotated[int | None, example(1024)]
    per: Period


class PlanAfter(msgspec.Struct, frozen=True):
    """What follows the full-speed data.

    Attributes:
        kbps: The speed in kbit/s; null where the supplier does not say.
        cut_off: Whether data ends; null where the supplier does not say.
    """

    kbps: Annotated[int | None, example(None)]
    cut_off: Annotated[bool | None, example(None)]


class PlanData(msgspec.Struct, frozen=True):
    """How much data. Amounts below 1 GB are as they are; from there on 1 GB counts as 1024.

    Attributes:
        mb: The amount in MB, of a day or month by `reset`; null when unlimited.
        total_mb: The amount over all days of the plan, in MB; null when unlimited.
        declared: The amount as text.
        unlimited: Whether the plan has no fixed amount of data.
        reset: Whether the amount is for the whole validity, or for each day or month of it.
        fair_use: The same as `full_speed` and `after` in short; null where nothing is stated.
        full_speed: How much data runs at full speed; null where an unlimited plan states nothing.
        after: What follows the full-speed data.
        tier: The supplier's word for a grade of the plan, such as Lite; null without one.
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
    """How many days a plan lasts, and what starts them.

    Attributes:
        days: For how many days the plan is valid.
        starts: What starts these days.
    """

    days: Annotated[int, example(7)]
    starts: Starts


class PlanNetwork(msgspec.Struct, frozen=True):
    """An operator used in a country.

    Attributes:
        country: The country.
        operator: The operator's name.
        generation: The best generation, such as 4G or 5G; null where the supplier does not say.
        mcc_mnc: The operator's number by ITU-T E.212; null where it is not known.
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

    Attributes:
        topup: Whether data can be added to the eSIM.
        voice: Whether it has calls.
        sms: Whether it has SMS.
        exit_country: The country where traffic reaches the internet.
        hotspot: Whether the connection may be shared.
        voice_minutes: Minutes of calls that are included.
        voice_unlimited: Whether calls are unlimited; `voice_minutes` is then null.
        sms_count: SMS that are included.
        sms_unlimited: Whether SMS are unlimited; `sms_count` is then null.
        phone_number: Whether the eSIM has a phone number of its own.
        kyc_required: Whether the traveller must be identified before it works.
        install_within_days: How many days after the purchase it must be installed at the latest.
        usage: Whether the supplier reports how much of an eSIM is used.
        refundable: Whether the supplier takes an unused eSIM back.
        not_exit_countries: Countries where the supplier says that traffic does not reach the internet.
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
    cheapest in stock.

    Attributes:
        id: The plan's id. It follows from what the plan is, so it is the same after every sync.
        name: The plan's name in English, made of its countries, data and days.
        scope: How far the plan reaches.
        countries: Every country that the plan covers.
        data: How much data.
        validity: For how many days, and from when.
        features: What it can do besides data.
        price: What the customer pays; of a plan without stock the last price. Null when there is no price in this
            currency.
        price_per_gb: The price of 1 GB at full speed; null where it is not known how much that is.
        price_per_day: The price of one day.
        in_stock: Whether it can be bought now.
        offer_count: How many offers could be sold.
        stale: Whether its offers were last observed longer ago than two sync intervals.
        updated_at: When the plan last changed.
        networks: The operators that it uses; a list of plans has them with `expand=networks`.
    """

    id: PlanId
    name: PlanName
    scope: Scope
    countries: list[CountryCode]
    data: PlanData
    validity: PlanValidity
    features: PlanFeatures
    price: Price | None
    price_per_gb: Price | None
    price_per_day: Annotated[Price | None, example({"amount": "0.79"})]
    in_stock: Annotated[bool, example(True)]
    offer_count: Annotated[int, example(2)]
    stale: bool
    updated_at: datetime
    networks: list[PlanNetwork] | UnsetType = UNSET


class CatalogNote(msgspec.Struct, frozen=True):
    """Which catalogue answered.

    Attributes:
        version: The version of the catalogue; it changes with every change of a plan.
        synced_at: When its offers were last fetched; null before the first time.
        stale: Whether offers of it were last observed longer ago than two sync intervals.
    """

    version: Annotated[str, example("5f3a1c")]
    synced_at: Annotated[datetime | None, example(AT)]
    stale: bool


class PlanList(Page[Plan], frozen=True):
    """A page of plans.

    Attributes:
        catalog: The catalogue that the plans are from.
        gone: The ids of plans that left since `updated_since`.
    """

    catalog: CatalogNote
    gone: list[str] | UnsetType = UNSET


class Offer(msgspec.Struct, frozen=True):
    """One supplier's sellable item.

    Attributes:
        id: The offer's id.
        plan_id: The plan that the offer is of.
        supplier: The supplier that sells it.
        supplier_plan_id: The supplier's own id for it.
        name: The supplier's name for it.
        cost: What the supplier charges, in its own currency; null without a fixed price.
        cost_base: The cost in the gateway's base currency; null without a rate.
        price: What a customer pays for it; null without a cost.
        price_rule: How the price comes about.
        stock: How many the supplier has; null where it does not say.
        in_stock: Whether the supplier has it.
        stale: Whether it was last observed longer ago than two sync intervals.
        observed_at: When the supplier last listed it.
        selectable: Whether it can be sold now.
        why_not: What keeps it from sale; null when nothing does.
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
    """The offers of one plan: those that can be sold first, each group cheapest first.

    Attributes:
        data: The offers.
    """

    data: list[Offer]


class CountryEntry(msgspec.Struct, frozen=True):
    """A country that plans cover, and the lowest price among them.

    Attributes:
        code: The country.
        name: The country's name in English.
        plan_count: How many plans in stock cover it.
        from_price: The lowest price of a plan that covers it.
    """

    code: CountryCode
    name: CountryName
    plan_count: Annotated[int, example(41)]
    from_price: Annotated[Price | None, example({"amount": "1.10"})]


class CountryList(msgspec.Struct, frozen=True):
    """All countries that some plan covers.

    Attributes:
        data: The countries, by name.
    """

    data: list[CountryEntry]


class RegionEntry(msgspec.Struct, frozen=True):
    """A named group of countries, how many plans are of it, and the lowest price among them.

    Attributes:
        code: The region's code: a value for `region` in the list of plans.
        name: The region's name in English.
        countries: The countries of the region.
        plan_count: How many plans in stock are of it.
        from_price: The lowest price among them.
    """

    code: Annotated[str, example("scandinavia")]
    name: Annotated[str, example("Scandinavia")]
    countries: Annotated[list[CountryCode], example(["DK", "NO", "SE"])]
    plan_count: Annotated[int, example(12)]
    from_price: Annotated[Price | None, example({"amount": "2.20"})]


class RegionList(msgspec.Struct, frozen=True):
    """The named groups of countries.

    Attributes:
        data: The regions.
    """

    data: list[RegionEntry]
