"""Digital goods beside eSIMs as JSON: what storefronts see of them, and what operators see."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from schemas.api import Amount, CountryCode, CurrencyCode, Price, SupplierName
from schemas.examples import AT, example
from schemas.orders import GoodId
from schemas.plan import SetAsideReason, WhyNot

Locale = Annotated[str, Meta(pattern="^[a-z]{2,3}(-[A-Z]{2})?$", max_length=6, examples=["en"])]

GoodName = Annotated[str, example("$10 Apple gift card USA")]
ProductName = Annotated[str, example("Apple gift card | USA")]
Sku = Annotated[str, example("019bc0dd-8434-7246-a0fa-a8a29b88eeee")]


class GoodCategoryName(msgspec.Struct, frozen=True):
    """The category that a good stands in."""

    id: Annotated[str, example("18")]
    name: Annotated[str | None, example("Gift cards")]


class GoodDenomination(msgspec.Struct, frozen=True):
    """What a good is worth to its holder.

    ``fixed``: ``face_value``, null where the supplier does not say. ``custom``: an amount of ``currency`` that the
    order names as ``amount``, from ``least`` to ``most`` where these are told.
    """

    kind: Annotated[Literal["fixed", "custom"], example("fixed")]
    face_value: Annotated[Price | None, example({"amount": "10.00"})]
    currency: Annotated[CurrencyCode | None, example(None)]
    least: Annotated[Amount | None, example(None)]
    most: Annotated[Amount | None, example(None)]


class GoodFieldAsked(msgspec.Struct, frozen=True):
    """What an order must tell under ``fields``: ``pattern`` is a regular expression, ``options`` all that may stand."""

    name: Annotated[str, example("player")]
    label: Annotated[str, example("Player")]
    required: bool
    pattern: Annotated[str | None, example("^[A-Za-z0-9]{3,20}$")]
    options: Annotated[list[str], example([])]


class DigitalGood(msgspec.Struct, frozen=True, kw_only=True):
    """A voucher or recharge. ``price`` is of one, null for a custom denomination until an amount is named.

    ``countries`` are where it is accepted, as far as that is told. ``attributes`` are the supplier's own words by
    their codes (see the categories). ``locale`` is the language of the texts.
    """

    id: GoodId
    type: Annotated[str, example("voucher")]
    name: GoodName
    product_name: ProductName
    description: Annotated[str, example("Music, films, apps and more.")]
    image: str | None
    category: GoodCategoryName | None
    countries: Annotated[list[CountryCode], example(["US"])]
    attributes: Annotated[dict[str, str], example({"denomination": "10", "denomination_currency": "USD"})]
    denomination: GoodDenomination
    fields: list[GoodFieldAsked]
    max_per_order: Annotated[int | None, example(5)]
    price: Annotated[Price | None, example({"amount": "12.10"})]
    in_stock: Annotated[bool, example(True)]
    stale: bool
    locale: Annotated[str | None, example("en")]
    updated_at: datetime


class GoodAttributeName(msgspec.Struct, frozen=True):
    """An attribute that goods of a category carry."""

    code: Annotated[str, example("denomination")]
    name: Annotated[str, example("Denomination")]
    type: Annotated[str, example("number")]
    target: Annotated[Literal["product", "sku"], example("sku")]


class GoodCategoryShown(msgspec.Struct, frozen=True):
    """A category of goods, and how many goods stand in it."""

    id: Annotated[str, example("18")]
    name: Annotated[str, example("Gift cards")]
    parent_id: str | None
    attributes: list[GoodAttributeName]
    goods: Annotated[int, example(24)]


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
    supplier: Annotated[SupplierName, example("s2s")]
    sku: Sku
    type: Annotated[str, example("voucher")]
    name: GoodName
    product_name: ProductName
    cost: Annotated[Price | None, example({"amount": "11.00"})]
    custom: Annotated[GoodCustomPrice | None, example(None)]
    price: Annotated[Price | None, example({"amount": "12.10"})]
    stock: Annotated[int | None, example(100)]
    max_per_order: Annotated[int | None, example(5)]
    why_not: Annotated[list[WhyNot], example([])]
    suspect: str | None
    changed_at: datetime
    observed_at: Annotated[datetime | None, example(AT)]


class GoodsWalk(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the last walk through a supplier's goods; ``set_aside`` counts what was not understood."""

    supplier: Annotated[SupplierName, example("s2s")]
    at: datetime
    good_at: Annotated[datetime | None, example(AT)]
    state: Annotated[Literal["ok", "failed", "quarantined"], example("ok")]
    error: str | None
    total: Annotated[int, example(412)]
    mapped: Annotated[int, example(409)]
    new: Annotated[int, example(2)]
    changed: Annotated[int, example(11)]
    gone: int
    suspect: Annotated[int, example(1)]
    set_aside: Annotated[dict[str, int], example({"no_price": 2, "unknown_fields": 1})]


class GoodChange(msgspec.Struct, frozen=True, kw_only=True):
    """A good that came or went, or a price that moved: of one, or of 100 of a custom denomination's currency."""

    at: datetime
    supplier: Annotated[SupplierName, example("s2s")]
    good_id: GoodId
    sku: Sku
    name: GoodName
    kind: Annotated[Literal["new", "price", "gone"], example("price")]
    old: Annotated[Price | None, example({"amount": "10.90"})]
    new: Annotated[Price | None, example({"amount": "11.00"})]


class GoodSetAside(msgspec.Struct, frozen=True, kw_only=True):
    """A good that was not understood, with the reason."""

    supplier: Annotated[SupplierName, example("s2s")]
    sku: Annotated[str, example("019d732c-57c0-739a-8a38-b767229f881f")]
    name: Annotated[str, example("Travel voucher, any amount")]
    reason: Annotated[SetAsideReason, example("no_price")]
    detail: Annotated[str, example("in no price list")]


class GoodReleased(msgspec.Struct, frozen=True):
    """How many accounts' prices or stops held the good back until now."""

    id: GoodId
    released: Annotated[int, example(1)]
