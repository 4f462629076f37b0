"""What suppliers ask, side by side, as operators read it: the matrix, the offers of a cell, a comparison."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from schemas.api import (
    CatalogNote,
    CountryCode,
    PlanData,
    PlanFeatures,
    PlanId,
    PlanNetwork,
    PlanValidity,
    Price,
    SupplierName,
)
from schemas.page import Page
from schemas.plan import Scope, WhyNot


class PricedOffer(msgspec.Struct, frozen=True, kw_only=True):
    """An offer with its figures. ``cost`` is the supplier's own number; the others are in base currency.

    ``per_gb`` and ``per_day`` are of the cost. ``total_mb`` counts a daily amount for the days of the need, or for
    the plan's own; it is null when unlimited. ``why_not`` is the first thing that keeps it from sale.
    """

    offer_id: str
    supplier: SupplierName
    plan_id: PlanId
    name: str
    declared: str
    total_mb: int | None
    days: int
    scope: Scope
    cost: Price | None
    cost_base: Price | None
    per_gb: Price | None
    per_day: Price | None
    price: Price | None
    stock: int | None
    stale: bool
    selectable: bool
    why_not: WhyNot | None


class PriceLead(msgspec.Struct, frozen=True):
    """Whose offer is cheapest, and by how much it beats the next supplier's: null where it is alone.

    ``by`` is per plan, GB or day as asked; ``percent`` is of the next one's figure.
    """

    supplier: SupplierName
    offer_id: str
    by: Price | None
    percent: float | None


class PriceRow(msgspec.Struct, frozen=True):
    """A country: of each supplier that has one the offer that the need would buy there."""

    country: CountryCode
    name: str
    cells: list[PricedOffer]
    cheapest: PriceLead | None


class PriceColumn(msgspec.Struct, frozen=True):
    """A supplier of the matrix, and when its offers were last observed."""

    name: SupplierName
    stale: bool
    observed_at: datetime | None


class PriceMatrix(Page[PriceRow], frozen=True):
    """Some rows of the matrix, by the countries' names."""

    per: Literal["plan", "gb", "day"]
    suppliers: list[PriceColumn]
    catalog: CatalogNote


class ComparedOffer(PricedOffer, frozen=True, kw_only=True):
    """An offer with everything that tells it from another. ``priced_by`` says how its price comes about."""

    supplier_plan_id: str
    plan_name: str
    countries: list[CountryCode]
    data: PlanData
    validity: PlanValidity
    networks: list[PlanNetwork]
    features: PlanFeatures
    priced_by: str | None
    observed_at: datetime | None


class Comparison(msgspec.Struct, frozen=True):
    """Offers side by side, in the order asked. ``missing`` names those that are not in the catalogue now."""

    data: list[ComparedOffer]
    missing: list[str]
