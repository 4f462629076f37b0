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

Locale = Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?\Z", max_length=6, examples=["en"])]

GoodName = Annotated[str, example("$10 Apple gift card USA")]
ProductName = Annotated[str, example("Apple gift card | USA")]
Sku = Annotated[str, example("019bc0dd-8434-7246-a0fa-a8a29b88eeee")]


class GoodCategoryName(msgspec.Struct, frozen=True):
    """The category that a good stands in.

    Attributes:
        id: The category's id.
        name: Its name; null where the supplier has none.
    """

    id: Annotated[str, example("18")]
    name: Annotated[str | None, example("Gift cards")]


class GoodDenomination(msgspec.Struct, frozen=True):
    """What a good is worth to its holder.

    Attributes:
        kind: `fixed`: `face_value`. `custom`: an amount that the order names.
        face_value: What a fixed one is worth; null where the supplier does not say.
        currency: The currency of a custom amount.
        least: The least custom amount; null where that is not stated.
        most: The highest custom amount; null where that is not stated.
    """

    kind: Annotated[Literal["fixed", "custom"], example("fixed")]
    face_value: Annotated[Price | None, example({"amount": "10.00"})]
    currency: Annotated[CurrencyCode | None, example(None)]
    least: Annotated[Amount | None, example(None)]
    most: Annotated[Amount | None, example(None)]


class GoodFieldAsked(msgspec.Struct, frozen=True):
    """What an order must tell under ``fields``.

    Attributes:
        name: The name under which to tell it.
        label: What to ask the customer.
        required: Whether it must be given.
        pattern: A regular expression that it must match; null without one.
        options: All that may stand there; empty when anything may.
    """

    name: Annotated[str, example("player")]
    label: Annotated[str, example("Player")]
    required: bool
    pattern: Annotated[str | None, example("^[A-Za-z0-9]{3,20}$")]
    options: Annotated[list[str], example([])]


class DigitalGood(msgspec.Struct, frozen=True, kw_only=True):
    """A voucher or recharge.

    Attributes:
        id: The good's id.
        type: The kind of good.
        name: Its name.
        product_name: The name of its product.
        description: What it is for.
        image: A picture of it; null without one.
        category: The category that it stands in.
        countries: Where it is accepted, as far as that is told.
        attributes: The supplier's own words by their codes, which the categories list.
        denomination: What it is worth to its holder.
        fields: What an order must tell.
        max_per_order: The most that one order may be for; null without a limit.
        price: The price of one; null for a custom denomination until an amount is named.
        in_stock: Whether it can be bought now.
        stale: Whether it was last observed longer ago than two sync intervals.
        locale: The language of the texts; null where that is not known.
        updated_at: When it last changed.
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
    """An attribute that goods of a category carry.

    Attributes:
        code: The attribute's code.
        name: Its name.
        type: The kind of its values.
        target: Whether it is of a product or of each good.
    """

    code: Annotated[str, example("denomination")]
    name: Annotated[str, example("Denomination")]
    type: Annotated[str, example("number")]
    target: Annotated[Literal["product", "sku"], example("sku")]


class GoodCategoryShown(msgspec.Struct, frozen=True):
    """A category of goods, and how many goods stand in it.

    Attributes:
        id: The category's id.
        name: Its name.
        parent_id: The category above it; null for one at the top.
        attributes: The attributes that its goods carry.
        goods: How many goods stand in it.
    """

    id: Annotated[str, example("18")]
    name: Annotated[str, example("Gift cards")]
    parent_id: str | None
    attributes: list[GoodAttributeName]
    goods: Annotated[int, example(24)]


class GoodCategoryList(msgspec.Struct, frozen=True):
    """The categories, in the supplier's order.

    Attributes:
        data: The categories.
    """

    data: list[GoodCategoryShown]


class GoodCustomPrice(msgspec.Struct, frozen=True):
    """How a supplier prices a custom denomination.

    Attributes:
        currency: The currency of the denomination.
        rate: What one unit of it costs, in `cost_currency`.
        cost_currency: The currency of the cost.
        markup_percent: What comes on top, in percent.
        markup_fixed: What comes on top, as an amount.
        least: The least amount; null where that is not stated.
        most: The highest amount; null where that is not stated.
    """

    currency: CurrencyCode
    rate: str
    cost_currency: CurrencyCode
    markup_percent: str
    markup_fixed: str
    least: str | None
    most: str | None


class OpsGood(msgspec.Struct, frozen=True, kw_only=True):
    """One account's good.

    Attributes:
        id: The good's id.
        supplier: The supplier that sells it.
        sku: The supplier's own id for it.
        type: The kind of good.
        name: Its name.
        product_name: The name of its product.
        cost: What the supplier charges for one; null for a custom denomination.
        custom: How a custom denomination is priced; null for a fixed one.
        price: What a customer pays for one; null without a cost.
        stock: How many the supplier has; null where it does not say.
        max_per_order: The most that one order may be for; null without a limit.
        why_not: What keeps it from sale.
        suspect: What of its price cannot be right; null when nothing.
        changed_at: When it last changed.
        observed_at: When the supplier last listed it.
    """

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
    """What became of the last walk through a supplier's goods.

    Attributes:
        supplier: The supplier.
        at: When it ended.
        good_at: When one was last taken over; null when none was.
        state: What it came to.
        error: Why it failed or was held back; null when it was not.
        total: Goods that the supplier listed.
        mapped: Those that were understood.
        new: Goods that came.
        changed: Goods that changed.
        gone: Goods that left.
        suspect: Goods whose price is suspect.
        set_aside: Those that were not understood, by reason.
    """

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
    """A good that came or went, or a price that moved.

    Attributes:
        at: When it was found.
        supplier: The supplier.
        good_id: The good.
        sku: The supplier's own id for it.
        name: Its name.
        kind: What changed.
        old: The cost before, of one or of 100 of a custom denomination's currency; null where there was none.
        new: The cost after; null where there is none.
    """

    at: datetime
    supplier: Annotated[SupplierName, example("s2s")]
    good_id: GoodId
    sku: Sku
    name: GoodName
    kind: Annotated[Literal["new", "price", "gone"], example("price")]
    old: Annotated[Price | None, example({"amount": "10.90"})]
    new: Annotated[Price | None, example({"amount": "11.00"})]


class GoodSetAside(msgspec.Struct, frozen=True, kw_only=True):
    """A good that was not understood, with the reason.

    Attributes:
        supplier: The supplier.
        sku: The supplier's own id for it.
        name: Its name.
        reason: Why it was not understood.
        detail: What exactly was not understood.
    """

    supplier: Annotated[SupplierName, example("s2s")]
    sku: Annotated[str, example("019d732c-57c0-739a-8a38-b767229f881f")]
    name: Annotated[str, example("Travel voucher, any amount")]
    reason: Annotated[SetAsideReason, example("no_price")]
    detail: Annotated[str, example("in no price list")]


class GoodReleased(msgspec.Struct, frozen=True):
    """How many accounts' prices or stops held the good back until now.

    Attributes:
        id: The good.
        released: How many accounts' prices or stops held it back until now.
    """

    id: GoodId
    released: Annotated[int, example(1)]
