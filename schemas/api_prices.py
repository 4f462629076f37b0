"""What suppliers ask, side by side, as operators read it: the matrix, the offers of a cell, a comparison."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from schemas.api import (
    CatalogNote,
    Cost,
    CountryCode,
    CountryName,
    OfferId,
    OfferName,
    PlanData,
    PlanFeatures,
    PlanId,
    PlanName,
    PlanNetwork,
    PlanValidity,
    Price,
    SupplierName,
    SupplierPlanId,
)
from schemas.examples import AT, example
from schemas.page import Page
from schemas.plan import Scope, WhyNot


class PricedOffer(msgspec.Struct, frozen=True, kw_only=True):
    """An offer with its figures.

    Attributes:
        offer_id: The offer.
        supplier: The supplier that sells it.
        plan_id: The plan that it is of.
        name: The supplier's name for it.
        declared: Its amount of data as text.
        total_mb: Its data in MB, a daily amount counted for the days of the need, or for the plan's own; null when
            unlimited.
        days: For how many days it is valid.
        scope: How far it reaches.
        cost: What the supplier charges, in its own currency; null without a fixed price.
        cost_base: The same in base currency; null without a rate.
        per_gb: The cost of 1 GB, in base currency.
        per_day: The cost of one day, in base currency.
        price: What a customer pays; null without a cost.
        stock: How many the supplier has; null where it does not say.
        stale: Whether it was last observed longer ago than two sync intervals.
        selectable: Whether it can be sold now.
        why_not: The first thing that keeps it from sale; null when nothing does.
    """

    offer_id: OfferId
    supplier: SupplierName
    plan_id: PlanId
    name: OfferName
    declared: Annotated[str, example("1 GB")]
    total_mb: Annotated[int | None, example(1024)]
    days: Annotated[int, example(7)]
    scope: Scope
    cost: Cost | None
    cost_base: Cost | None
    per_gb: Cost | None
    per_day: Annotated[Price | None, example({"amount": "0.71"})]
    price: Price | None
    stock: int | None
    stale: bool
    selectable: Annotated[bool, example(True)]
    why_not: WhyNot | None


class PriceLead(msgspec.Struct, frozen=True):
    """Whose offer is cheapest, and by how much it beats the next supplier's.

    Attributes:
        supplier: The supplier.
        offer_id: Its offer.
        by: By how much, per plan, GB or day as asked; null where it is alone.
        percent: The same in percent of the next one's figure.
    """

    supplier: SupplierName
    offer_id: OfferId
    by: Annotated[Price | None, example({"amount": "0.40"})]
    percent: Annotated[float | None, example(7.4)]


class PriceRow(msgspec.Struct, frozen=True):
    """A country: of each supplier that has one the offer that the need would buy there.

    Attributes:
        country: The country.
        name: The country's name in English.
        cells: The offers, one for each supplier that has one.
        cheapest: The cheapest of them; null without one that can be compared.
    """

    country: CountryCode
    name: CountryName
    cells: list[PricedOffer]
    cheapest: PriceLead | None


class PriceColumn(msgspec.Struct, frozen=True):
    """A supplier of the matrix, and when its offers were last observed.

    Attributes:
        name: The supplier.
        stale: Whether its offers were last observed longer ago than two sync intervals.
        observed_at: When they were last observed; null when they never were.
    """

    name: SupplierName
    stale: bool
    observed_at: Annotated[datetime | None, example(AT)]


class PriceMatrix(Page[PriceRow], frozen=True):
    """Some rows of the matrix, by the countries' names.

    Attributes:
        per: By which figure the cheapest is marked.
        suppliers: The suppliers of the matrix.
        catalog: The catalogue that the offers are from.
    """

    per: Annotated[Literal["plan", "gb", "day"], example("plan")]
    suppliers: list[PriceColumn]
    catalog: CatalogNote


class ComparedOffer(PricedOffer, frozen=True, kw_only=True):
    """An offer with everything that tells it from another.

    Attributes:
        supplier_plan_id: The supplier's own id for it.
        plan_name: The plan's name.
        countries: Every country that it covers.
        data: How much data.
        validity: For how many days, and from when.
        networks: The operators that it uses.
        features: What it can do besides data.
        priced_by: How its price comes about; null without one.
        observed_at: When the supplier last listed it.
    """

    supplier_plan_id: SupplierPlanId
    plan_name: PlanName
    countries: list[CountryCode]
    data: PlanData
    validity: PlanValidity
    networks: list[PlanNetwork]
    features: PlanFeatures
    priced_by: Annotated[str | None, example("the settings: +10 %")]
    observed_at: Annotated[datetime | None, example(AT)]


class Comparison(msgspec.Struct, frozen=True):
    """Offers side by side, in the order asked.

    Attributes:
        data: The offers.
        missing: The ids of those that are not in the catalogue now.
    """

    data: list[ComparedOffer]
    missing: Annotated[list[str], example(["off_5c2a9e0b7d41f3a86c1e9b02"])]
