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
    """An offer with its figures. ``cost`` is the supplier's own number; the others are in base currency.

    ``per_gb`` and ``per_day`` are of the cost. ``total_mb`` counts a daily amount for the days of the need, or for
    the plan's own; it is null when unlimited. ``why_not`` is the first thing that keeps it from sale.
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
    """Whose offer is cheapest, and by how much it beats the next supplier's: null where it is alone.

    ``by`` is per plan, GB or day as asked; ``percent`` is of the next one's figure.
    """

    supplier: SupplierName
    offer_id: OfferId
    by: Annotated[Price | None, example({"amount": "0.40"})]
    percent: Annotated[float | None, example(7.4)]


class PriceRow(msgspec.Struct, frozen=True):
    """A country: of each supplier that has one the offer that the need would buy there."""

    country: CountryCode
    name: CountryName
    cells: list[PricedOffer]
    cheapest: PriceLead | None


class PriceColumn(msgspec.Struct, frozen=True):
    """A supplier of the matrix, and when its offers were last observed."""

    name: SupplierName
    stale: bool
    observed_at: Annotated[datetime | None, example(AT)]


class PriceMatrix(Page[PriceRow], frozen=True):
    """Some rows of the matrix, by the countries' names."""

    per: Annotated[Literal["plan", "gb", "day"], example("plan")]
    suppliers: list[PriceColumn]
    catalog: CatalogNote


class ComparedOffer(PricedOffer, frozen=True, kw_only=True):
    """An offer with everything that tells it from another. ``priced_by`` says how its price comes about."""

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
    """Offers side by side, in the order asked. ``missing`` names those that are not in the catalogue now."""

    data: list[ComparedOffer]
    missing: Annotated[list[str], example(["off_5c2a9e0b7d41f3a86c1e9b02"])]
