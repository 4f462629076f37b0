"""Checkouts as the public API has them: a price held, a link to pay it at, and the order that comes of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.api import NeedFeatures, Plan, PlanId, Price
from schemas.orders import Customer, MetadataKey, MetadataValue, Note, QuoteId, Reference

CheckoutStatus = Literal["creating", "open", "paid", "expired", "needs_review", "failed", "closed"]
CheckoutId = Annotated[str, Meta(min_length=1, max_length=60, pattern="^[A-Za-z0-9_]+$", examples=["co_7f3a9c20e1b8"])]
CaseReason = Literal[
    "paid_twice",
    "paid_too_little",
    "paid_too_much",
    "paid_late",
    "other_currency",
    "other_link",
    "test_payment",
    "live_payment",
    "authorisation_only",
    "paid_after_close",
    "refund",
    "other_movement",
    "unknown_checkout",
    "payment_not_seen",
    "order_refused",
    "undeliverable",
    "order_cancelled",
]
Language = Annotated[
    str, Meta(pattern="^[a-z]{2}$", description="Of the payment page, ISO 639-1.", examples=["en", "ru"])
]
ReturnUrl = Annotated[
    str,
    Meta(
        max_length=500,
        pattern=r"^https?://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?(/[!-~]*)?$",
        description="Where the customer comes back to after paying; https in live mode.",
        examples=["https://shop.example.com/thanks"],
    ),
]


class CheckoutOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may be said of any checkout. ``reference`` becomes the order's."""

    customer: Customer | UnsetType = UNSET
    language: Language = "en"
    return_url: ReturnUrl | UnsetType = UNSET
    reference: Reference | UnsetType = UNSET
    metadata: Annotated[dict[MetadataKey, MetadataValue], Meta(max_length=50)] | UnsetType = UNSET


class CheckoutForPlan(CheckoutOptions, frozen=True, forbid_unknown_fields=True):
    """Have a plan paid at its price of now."""

    plan_id: PlanId
    features: NeedFeatures | UnsetType = UNSET


class CheckoutForQuote(CheckoutOptions, frozen=True, forbid_unknown_fields=True):
    """Have what was quoted paid, at the price that is held."""

    quote_id: QuoteId


class CheckoutFailure(msgspec.Struct, frozen=True):
    """Why no payment link came about. Nothing can have been paid through one."""

    code: Literal["refused", "unavailable"]
    detail: str


class CheckoutReview(msgspec.Struct, frozen=True):
    """What waits for a person."""

    reason: CaseReason
    since: datetime


class Checkout(msgspec.Struct, frozen=True, kw_only=True):
    """A checkout. ``plan`` and ``price`` are frozen; ``payment_url`` stands there while it can be paid."""

    id: str
    status: CheckoutStatus
    plan: Plan
    price: Price
    payment_url: str | None
    expires_at: datetime
    order_id: str | None
    reference: str | None
    language: str
    return_url: str | None
    review: CheckoutReview | None
    failure: CheckoutFailure | None
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    paid_at: datetime | None


# -- operations ----------------------------------------------------------------------------------------------------


PaymentKindWord = Literal["payment", "authorisation", "refund", "other"]
PaymentStateWord = Literal["pending", "captured", "failed", "expired"]
CaseOutcome = Literal["placed", "refunded", "closed", "settled"]


class CheckoutPayment(msgspec.Struct, frozen=True):
    """A payment as its supplier told it. ``accepted``: it pays for its checkout."""

    id: str
    supplier_payment_id: str
    kind: PaymentKindWord
    state: PaymentStateWord
    amount: Price
    test: bool
    accepted: bool
    paid_at: datetime
    received_at: datetime


class PaymentCase(msgspec.Struct, frozen=True):
    """Something about a checkout or a payment that a person decides, or has decided.

    ``outcome`` settled: it came right by itself.
    """

    id: str
    reason: CaseReason
    means: str
    detail: str
    mode: Literal["live", "test"]
    checkout_id: str | None
    payment: CheckoutPayment | None
    opened_at: datetime
    closed_at: datetime | None
    outcome: CaseOutcome | None
    note: str | None


class CheckoutEvent(msgspec.Struct, frozen=True):
    """Something that happened to a checkout."""

    at: datetime
    type: str
    detail: dict[str, Any]


class OpsCheckout(Checkout, frozen=True, kw_only=True):
    """A checkout of any storefront, with its payments, its cases and what is left of its price.

    ``fee`` is what being paid costs, ``margin`` price less fee less what the supplier took, both in base currency.
    """

    storefront: str
    mode: Literal["live", "test"]
    account: str
    link_id: str | None
    order_status: str | None
    fee: Price | None
    margin: Price | None
    payments: list[CheckoutPayment]
    cases: list[PaymentCase]
    next_look_at: datetime | None


class CaseResolveRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person decided, and why."""

    as_: Literal["placed", "refunded", "closed"] = msgspec.field(name="as")
    note: Note


class CasesResolved(msgspec.Struct, frozen=True):
    """The cases that were closed by it."""

    data: list[PaymentCase]
