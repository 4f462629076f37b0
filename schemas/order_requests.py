"""What a storefront sends to order: a plan, a quote, a number, a good or a top-up, with what all of them may say."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.api import CountryCode, CurrencyCode, PlanId, SupplierName
from schemas.examples import example
from schemas.orders import Email, FieldName, FieldValue, GoodId, MetadataKey, MetadataValue, QuoteId, Reference, TierId
from schemas.quotes import NeedFeatures

LanguageTag = Annotated[str, Meta(max_length=35, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}\Z", examples=["de"])]


class PriceLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most that an order may cost the customer.

    Attributes:
        amount: The amount.
        currency: The currency of the amount.
    """

    amount: Annotated[str, Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?\Z", examples=["9.90"])]
    currency: CurrencyCode


class Customer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who travels. The address is kept encrypted and never given to a supplier.

    Attributes:
        email: The traveller's e-mail address.
        language: The language of e-mails to the traveller, such as `de` or `pt-BR`; the storefront's by default.
    """

    email: Annotated[Email | UnsetType, example("traveller@example.com")] = UNSET
    language: Annotated[LanguageTag | UnsetType, example("de")] = UNSET


class SupplierChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which suppliers an order may go to; needs the scope `routing`.

    Attributes:
        only: Only these suppliers.
        ignore: All suppliers but these.
    """

    only: Annotated[list[SupplierName], Meta(max_length=100)] | UnsetType = UNSET
    ignore: Annotated[list[SupplierName], Meta(max_length=100)] | UnsetType = UNSET


class OrderOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may be said of any order.

    Attributes:
        reference: Your own reference, unique within your storefront.
        customer: Who travels.
        max_price: The order fails with `price_changed` when it would cost more.
        metadata: Up to 50 texts of your own, returned with the order.
    """

    reference: Annotated[Reference | UnsetType, example("YOUR-1")] = UNSET
    customer: Customer | UnsetType = UNSET
    max_price: Annotated[PriceLimit | UnsetType, example({"amount": "6.00"})] = UNSET
    metadata: Annotated[
        Annotated[dict[MetadataKey, MetadataValue], Meta(max_length=50)] | UnsetType, example({"cart": "8812"})
    ] = UNSET


class OrderForPlan(OrderOptions, frozen=True, forbid_unknown_fields=True):
    """Buy a plan at its price of now.

    Attributes:
        plan_id: The plan to buy.
        features: Features that the offer must have.
        suppliers: Which suppliers may be asked; needs the scope `routing`.
    """

    plan_id: PlanId
    features: NeedFeatures | UnsetType = UNSET
    suppliers: SupplierChoice | UnsetType = UNSET


class OrderForQuote(OrderOptions, frozen=True, forbid_unknown_fields=True):
    """Buy what was quoted, at the price that is held.

    Attributes:
        quote_id: The quote's `id`.
        features: Features that the offer must have.
        suppliers: Which suppliers may be asked; needs the scope `routing`.
    """

    quote_id: QuoteId
    features: NeedFeatures | UnsetType = UNSET
    suppliers: SupplierChoice | UnsetType = UNSET


Quantity = Annotated[int, Meta(ge=1, le=20)]
BatchReference = Annotated[str, Meta(min_length=1, max_length=97, pattern=r"^[^\x00-\x1f\x7f]+\Z", examples=["YOUR-1"])]


class BatchForPlan(OrderForPlan, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Buy a plan several times at its price of now.

    Attributes:
        quantity: How many orders are placed, each for one eSIM.
        reference: Your own reference. The orders get it with `-1`, `-2` and so on, unique within your storefront.
        max_price: Nothing is placed, with `price_changed`, when one of the orders would cost more.
    """

    quantity: Annotated[Quantity, example(5)]
    reference: Annotated[BatchReference | UnsetType, example("YOUR-1")] = UNSET


class BatchForQuote(OrderForQuote, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Buy what was quoted several times, each at the price that is held.

    Attributes:
        quantity: How many orders are placed, each for one eSIM.
        reference: Your own reference. The orders get it with `-1`, `-2` and so on, unique within your storefront.
        max_price: Nothing is placed, with `price_changed`, when one of the orders would cost more.
    """

    quantity: Annotated[Quantity, example(5)]
    reference: Annotated[BatchReference | UnsetType, example("YOUR-1")] = UNSET


class NumberChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A virtual number: where, and how long it is held.

    Attributes:
        country: The country of the number.
        tier_id: How long it is held: `id` in the list of tiers.
    """

    country: CountryCode
    tier_id: TierId


class OrderForNumber(OrderOptions, frozen=True, forbid_unknown_fields=True):
    """Buy a virtual number at its price of now.

    Attributes:
        number: The number to buy.
        suppliers: Which suppliers may be asked; needs the scope `routing`.
    """

    number: NumberChoice
    suppliers: SupplierChoice | UnsetType = UNSET


class OrderForGood(OrderOptions, frozen=True, forbid_unknown_fields=True):
    """Buy a digital good at its price of now; needs the scope ``goods``.

    Attributes:
        good_id: The good's `id`.
        quantity: How many; one by default.
        amount: The denomination of a good that has one of one's choice.
        fields: The answers to what the good's product asks for, by the names of its `fields`.
        suppliers: Which suppliers may be asked; needs the scope `routing`.
    """

    good_id: GoodId
    quantity: Annotated[int, Meta(ge=1, le=1000)] | UnsetType = UNSET
    amount: PriceLimit | UnsetType = UNSET
    fields: Annotated[dict[FieldName, FieldValue], Meta(max_length=50)] | UnsetType = UNSET
    suppliers: SupplierChoice | UnsetType = UNSET


class TopupForPlan(OrderOptions, frozen=True, forbid_unknown_fields=True):
    """Add a plan to an eSIM.

    Attributes:
        plan_id: The plan to add.
    """

    plan_id: PlanId


class TopupForOption(OrderOptions, frozen=True, forbid_unknown_fields=True):
    """Add one of the eSIM's top-up plans to it.

    Attributes:
        topup_plan_id: The plan to add: `id` in the eSIM's list of top-up plans.
    """

    topup_plan_id: Annotated[
        str, Meta(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_.-]+\Z"), example("tp_3b9d20")
    ]
