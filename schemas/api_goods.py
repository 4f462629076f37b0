"""Digital goods beside eSIMs as JSON: what storefronts see of them, and what operators see."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from schemas.api import Amount, CountryCode, CurrencyCode, Price, SupplierName
from schemas.orders import GoodId
from schemas.plan import SetAsideReason, WhyNot

Locale = Annotated[str, Meta(pattern="^[a-z]{2,3}(-[A-Z]{2})?$", max_length=6, examples=["en"])]


class GoodCategoryName(msgspec.Struct, frozen=True):
    """The category that a good stands in."""

    id: str
    name: str | None


class GoodDenomination(msgspec.Struct, frozen=True):
    """What a good is worth to its holder.

    ``fixed``: ``face_value``, null where the supplier does not say. ``custom``: an amount of ``currency`` that the
    order names as ``amount``, from ``least`` to ``most`` where these are told.
    """

    kind: Literal["fixed", "custom"]
    face_value: Price | None
    currency: CurrencyCode | None
    least: Amount | None
    most: Amount | None


class GoodFieldAsked(msgspec.Struct, frozen=True):
    """What an order must tell under ``fields``: ``pattern`` is a regular expression, ``options`` all that may stand."""

    name: str
    label: str
    required: bool
    pattern: str | None
    options: list[str]


class DigitalGood(msgspec.Struct, frozen=True, kw_only=True):
    """A voucher or recharge. ``price`` is of one, null for a custom denomination until an amount is named.

    ``countries`` are where it is accepted, as far as that is told. ``attributes`` are the supplier's own words by
    their codes (see the categories). ``locale`` is the language of the texts.
    """

    id: GoodId
    type: str
    name: str
    product_name: str
    description: str
    image: str | None
    category: GoodCategoryName | None
    countries: list[CountryCode]
    attributes: dict[str, str]
    denomination: GoodDenomination
    fields: list[GoodFieldAsked]
    max_per_order: int | None
    price: Price | None
    in_stock: bool
    stale: bool
    locale: str | None
    updated_at: datetime


class GoodAttributeName(msgspec.Struct, frozen=True):
    """An attribute that goods of a category carry."""

    code: str
    name: str
    type: str
    target: Literal["product", "sku"]


class GoodCategoryShown(msgspec.Struct, frozen=True):
    """A category of goods, and how many goods stand in it."""

    id: str
    name: str
    parent_id: str | None
    attributes: list[GoodAttributeName]
    goods: int


class GoodCategoryList(msgspec.Struct, frozen=True):
    """The categories, in the supplier's order."""

    data: list[GoodCategoryShown]


class GoodCustomPrice(msgspec.Struct, frozen=True):
    """How a supplier prices a custom denomination: one unit costs ``rate`` of ``cost_currency``, markups on top."""

    currency: CurrencyCode
    rate: str
    cost_currency: CurrencyCode
    markup_percent: str
    markup_fixed: str
    least: str | None
    most: str | None


class OpsGood(msgspec.Struct, frozen=True, kw_only=True):
    """One account's good. ``why_not`` keeps it from sale; ``suspect`` says what of its price cannot be right."""

    id: GoodId
    supplier: SupplierName
    sku: str
    type: str
    name: str
    product_name: str
    cost: Price | None
    custom: GoodCustomPrice | None
    price: Price | None
    stock: int | None
    max_per_order: int | None
    why_not: list[WhyNot]
    suspect: str | None
    changed_at: datetime
    observed_at: datetime | None


class GoodsWalk(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the last walk through a supplier's goods; ``set_aside`` counts what was not understood."""

    supplier: SupplierName
    at: datetime
    good_at: datetime | None
    state: Literal["ok", "failed", "quarantined"]
    error: str | None
    total: int
    mapped: int
    new: int
    changed: int
    gone: int
    suspect: int
    set_aside: dict[str, int]


class GoodChange(msgspec.Struct, frozen=True, kw_only=True):
    """A good that came or went, or a price that moved: of one, or of 100 of a custom denomination's currency."""

    at: datetime
    supplier: SupplierName
    good_id: GoodId
    sku: str
    name: str
    kind: Literal["new", "price", "gone"]
    old: Price | None
    new: Price | None


class GoodSetAside(msgspec.Struct, frozen=True, kw_only=True):
    """A good that was not understood, with the reason."""

    supplier: SupplierName
    sku: str
    name: str
    reason: SetAsideReason
    detail: str


class GoodReleased(msgspec.Struct, frozen=True):
    """How many accounts' prices or stops held the good back until now."""

    id: GoodId
    released: int
