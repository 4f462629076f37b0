"""Checkouts as the public API has them: a price held, a link to pay it at, and the order that comes of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.api import Plan, PlanId, Price, Url
from schemas.examples import example
from schemas.order_requests import Customer
from schemas.orders import MetadataKey, MetadataValue, Note, QuoteId, Reference
from schemas.quotes import NeedFeatures

CheckoutStatus = Literal["creating", "open", "paid", "expired", "needs_review", "failed", "closed"]
CheckoutId = Annotated[
    str, Meta(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9_]+\Z", examples=["co_7f3a9c20e1b8"])
]
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
    str, Meta(pattern=r"^[a-z]{2}\Z", description="Of the payment page, ISO 639-1.", examples=["en", "ru"])
]
ReturnUrl = Annotated[
    str,
    Meta(
        max_length=500,
        pattern=r"^https?://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?(/[!-~]*)?\Z",
        description="Where the customer comes back to after paying; https in live mode.",
        examples=["https://shop.example.com/thanks"],
    ),
]


class CheckoutOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may be said of any checkout.

    Attributes:
        customer: Who travels, and pays.
        reference: Your own reference; it becomes the order's.
        metadata: Up to 50 texts of your own; they become the order's.
    """

    customer: Annotated[Customer | UnsetType, example({})] = UNSET
    language: Annotated[Language, example("en")] = "en"
    return_url: Annotated[ReturnUrl | UnsetType, example("https://shop.example.com/thanks")] = UNSET
    reference: Annotated[Reference | UnsetType, example("YOUR-1")] = UNSET
    metadata: Annotated[dict[MetadataKey, MetadataValue], Meta(max_length=50)] | UnsetType = UNSET


class CheckoutForPlan(CheckoutOptions, frozen=True, forbid_unknown_fields=True):
    """Have a plan paid at its price of now.

    Attributes:
        plan_id: The plan to be paid.
        features: Features that the offer must have.
    """

    plan_id: PlanId
    features: NeedFeatures | UnsetType = UNSET


class CheckoutForQuote(CheckoutOptions, frozen=True, forbid_unknown_fields=True):
    """Have what was quoted paid, at the price that is held.

    Attributes:
        quote_id: The quote's `id`.
    """

    quote_id: QuoteId


class CheckoutFailure(msgspec.Struct, frozen=True):
    """Why no payment link came about. Nothing can have been paid through one.

    Attributes:
        code: Whether the payment supplier refused, or did not answer.
        detail: The same in words.
    """

    code: Literal["refused", "unavailable"]
    detail: str


class CheckoutReview(msgspec.Struct, frozen=True):
    """What waits for an operator.

    Attributes:
        reason: What the operator has to decide.
        since: Since when it waits.
    """

    reason: Annotated[CaseReason, example("paid_too_little")]
    since: Annotated[datetime, example("2026-11-20T10:05:02Z")]


class Checkout(msgspec.Struct, frozen=True, kw_only=True):
    """A checkout. Its plan and price stay as they were when it was made.

    Attributes:
        id: The checkout's id.
        status: Where the checkout stands.
        plan: The plan that is paid.
        price: What the customer pays.
        payment_url: Where the customer pays; null when it cannot be paid.
        expires_at: Until when it can be paid.
        order_id: The order that was placed for it; null before it is paid.
        reference: Your own reference; null without one.
        language: The language of the payment page, ISO 639-1.
        return_url: Where the customer comes back to after paying; null without one.
        review: What waits for an operator; null when nothing does.
        failure: Why no payment link came about; null when one did.
        metadata: The texts that you sent with it.
        created_at: When it was made.
        updated_at: When it last changed.
        paid_at: When it was paid; null before.
    """

    id: Annotated[str, example("co_7f3a9c20e1b84d65")]
    status: Annotated[CheckoutStatus, example("open")]
    plan: Plan
    price: Price
    payment_url: Annotated[Url | None, example("https://api.bepaid.by/products/prd_ed27b047d3ccd1a6/pay")]
    expires_at: Annotated[datetime, example("2026-11-20T11:00:00Z")]
    order_id: str | None
    reference: Annotated[str | None, example("YOUR-1")]
    language: Annotated[str, example("en")]
    return_url: Annotated[str | None, example("https://shop.example.com/thanks")]
    review: Annotated[CheckoutReview | None, example(None)]
    failure: Annotated[CheckoutFailure | None, example(None)]
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    paid_at: datetime | None


# -- operations ----------------------------------------------------------------------------------------------------


PaymentKindWord = Literal["payment", "authorisation", "refund", "other"]
PaymentStateWord = Literal["pending", "captured", "failed", "expired"]
CaseOutcome = Literal["placed", "refunded", "closed", "settled"]


class CheckoutPayment(msgspec.Struct, frozen=True):
    """A payment as its supplier told it.

    Attributes:
        id: The payment's id.
        supplier_payment_id: The payment supplier's own id for it.
        kind: What kind of movement it is; only a payment is money taken.
        state: What became of it.
        amount: How much.
        test: Whether it was a test payment.
        accepted: Whether it pays for its checkout.
        paid_at: When the customer paid.
        received_at: When the gateway heard of it.
    """

    id: Annotated[str, example("pay_5c1d2e3f4a5b6c7d")]
    supplier_payment_id: Annotated[str, example("4107-310b0da80b")]
    kind: Annotated[PaymentKindWord, example("payment")]
    state: Annotated[PaymentStateWord, example("captured")]
    amount: Annotated[Price, example({"amount": "4.50"})]
    test: bool
    accepted: bool
    paid_at: Annotated[datetime, example("2026-11-20T10:05:00Z")]
    received_at: Annotated[datetime, example("2026-11-20T10:05:02Z")]


class PaymentCase(msgspec.Struct, frozen=True):
    """Something about a checkout or a payment that an operator decides, or has decided.

    Attributes:
        id: The case's id.
        reason: What is to be decided.
        means: The reason in words.
        detail: What exactly is the matter.
        mode: Live or test.
        checkout_id: The checkout; null where the payment belongs to none.
        payment: The payment; null where it is about the checkout alone.
        opened_at: When the case was opened.
        closed_at: When it was closed; null while it is open.
        outcome: What was decided; `settled`: the case resolved itself. Null while it is open.
        note: What the operator wrote; null without a note.
    """

    id: Annotated[str, example("pc_1a2b3c4d5e6f7a8b")]
    reason: Annotated[CaseReason, example("paid_too_little")]
    means: Annotated[str, example("less was paid than the price")]
    detail: Annotated[str, example("4.50 USD where the price is 5.50 USD")]
    mode: Annotated[Literal["live", "test"], example("live")]
    checkout_id: Annotated[str | None, example("co_7f3a9c20e1b84d65")]
    payment: CheckoutPayment | None
    opened_at: Annotated[datetime, example("2026-11-20T10:05:02Z")]
    closed_at: datetime | None
    outcome: CaseOutcome | None
    note: str | None


class CheckoutEvent(msgspec.Struct, frozen=True):
    """Something that happened to a checkout.

    Attributes:
        at: When it happened.
        type: A word for what happened.
        detail: More of it.
    """

    at: datetime
    type: str
    detail: dict[str, Any]


class OpsCheckout(Checkout, frozen=True, kw_only=True):
    """A checkout of any storefront, with its payments, its cases and what is left of its price.

    Attributes:
        status: Where the checkout stands.
        payment_url: Where the customer pays; null when it cannot be paid.
        review: What waits for an operator; null when nothing does.
        storefront: The storefront that made it.
        mode: Live or test.
        account: The payment account.
        link_id: The payment supplier's id for the link; null without one.
        order_status: Where its order stands; null without one.
        fee: What being paid costs, in base currency; null while that is not known.
        margin: Price less fee less what the supplier took, in base currency; null while that is not known.
        payments: The payments that bePaid reported.
        cases: What operators decide, or have decided.
        next_look_at: When the gateway looks at it next; null when it is final.
    """

    status: Annotated[CheckoutStatus, example("needs_review")]
    payment_url: Annotated[Url | None, example(None)]
    review: Annotated[CheckoutReview | None, example({})]
    storefront: Annotated[str, example("shop")]
    mode: Annotated[Literal["live", "test"], example("live")]
    account: Annotated[str, example("bepaid")]
    link_id: Annotated[str | None, example("prd_ed27b047d3ccd1a6")]
    order_status: str | None
    fee: Annotated[Price | None, example(None)]
    margin: Annotated[Price | None, example(None)]
    payments: list[CheckoutPayment]
    cases: list[PaymentCase]
    next_look_at: Annotated[datetime | None, example("2026-11-20T10:15:00Z")]


class CaseResolveRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator decided, and why.

    Attributes:
        as_: What was decided.
        note: Why.
    """

    as_: Annotated[Literal["placed", "refunded", "closed"], example("refunded")] = msgspec.field(name="as")
    note: Annotated[Note, example("given back at bePaid")]


class CasesResolved(msgspec.Struct, frozen=True):
    """The cases that were closed by it.

    Attributes:
        data: The cases.
    """

    data: list[PaymentCase]
