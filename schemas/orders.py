"""Orders as the public API has them: what a storefront or an operator sends, and what comes back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.api import Cost, Plan, Price, SupplierName, SupplierPlanId, Url, UrlPath
from schemas.examples import example

OrderStatus = Literal["pending", "fulfilled", "failed", "needs_review", "cancel_pending", "cancelled"]
Kind = Literal["esim", "topup", "number", "voucher"]
FailureCode = Literal[
    "no_stock", "price_changed", "supplier_refused", "supplier_unavailable", "not_supported", "cancelled", "spend_limit"
]  # fmt: skip
AttemptState = Literal["sending", "accepted", "succeeded", "unknown", "charged_undeliverable", "failed"]
ANSWERED: frozenset[str] = frozenset({"fulfilled", "failed", "needs_review", "cancelled"})
"""Statuses that only time, an operator or the storefront changes: the gateway has nothing more to do."""

# Text that PostgreSQL can keep: no NUL.
Reference = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+\Z", examples=["YOUR-1"])]
QuoteId = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"^qt_[A-Za-z0-9_-]+\Z", examples=["qt_Zm9vYmFy"])]
OrderId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=60,
        pattern=r"^[A-Za-z0-9_]+\Z",
        description="An order, by its id.",
        examples=["ord_7f3a9c20e1b84d65"],
    ),
]
Email = Annotated[
    str,
    Meta(
        max_length=254,
        pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){0,8}\Z",
        examples=["traveller@example.com"],
    ),
]
Note = Annotated[str, Meta(max_length=1000, pattern=r"^[^\x00]*\Z")]
Reason = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"^[^\x00]*[^\x00\s][^\x00]*\Z")]  # not blank
MetadataKey = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00]+\Z")]
MetadataValue = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*\Z")]
ActivationCode = Annotated[
    str, Meta(max_length=500, pattern=r"^(LPA:)?1\$[^\x00-\x20\x7f]+\Z", examples=["LPA:1$smdp.example.com$ABC-123"])
]


TierId = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9_.-]+\Z", examples=["7d"])]
GoodId = Annotated[
    str, Meta(min_length=1, max_length=120, pattern=r"^[A-Za-z0-9_.-]+\Z", examples=["good_5c2a9e0b7d41f3a86c1e9b02"])
]
FieldName = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00]+\Z")]
FieldValue = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*\Z")]


class Failure(msgspec.Struct, frozen=True):
    """Why an order came to nothing.

    Attributes:
        code: A word for programs.
        detail: The same in words.
    """

    code: FailureCode
    detail: str


class InstallLinks(msgspec.Struct, frozen=True):
    """Links that install the eSIM when they are opened on the phone itself.

    Attributes:
        ios: For iOS 17.4 and later.
        android: For Android.
    """

    ios: Annotated[
        Url,
        example("https://esimsetup.apple.com/esim_qrcode_provisioning?carddata=LPA%3A1%24smdp.example.com%24ABC-123"),
    ]
    android: Annotated[
        Url,
        example("https://esimsetup.android.com/esim_qrcode_provisioning?carddata=LPA%3A1%24smdp.example.com%24ABC-123"),
    ]


WITHOUT_CODE = dict.fromkeys(("activation_code", "smdp_address", "matching_id", "qr_svg_url", "qr_png_url", "install"))
"""What differs in the example of an eSIM whose code is not shown."""


class OrderedEsim(msgspec.Struct, frozen=True):
    """What a traveller installs. Whoever has the activation code takes the line.

    Of a top-up it is the eSIM that the data went to, without its code.

    Attributes:
        id: The eSIM's id.
        iccid: Its ICCID.
        activation_code: What a phone reads from the QR code; null where it is not shown or cannot be installed.
        smdp_address: The SM-DP+ address, for typing by hand.
        matching_id: The matching ID, for typing by hand.
        confirmation_code_required: Whether the phone asks for a confirmation code.
        qr_svg_url: The QR code as SVG, for requests with your key.
        qr_png_url: The QR code as PNG, for requests with your key.
        install: Links that install it on the phone itself.
        page_url: A page for the traveller that needs no key; null where the gateway has no public address.
    """

    id: Annotated[str, example("esim_5c1f0a9be2d44b7788aa0c13")]
    iccid: Annotated[str, example("8944500102198765432")]
    activation_code: Annotated[str | None, example("LPA:1$smdp.example.com$ABC-123")]
    smdp_address: Annotated[str | None, example("smdp.example.com")]
    matching_id: Annotated[str | None, example("ABC-123")]
    confirmation_code_required: bool
    qr_svg_url: Annotated[UrlPath | None, example("/v1/esims/esim_5c1f0a9be2d44b7788aa0c13/qr.svg")]
    qr_png_url: Annotated[UrlPath | None, example("/v1/esims/esim_5c1f0a9be2d44b7788aa0c13/qr.png")]
    install: InstallLinks | None
    page_url: Annotated[UrlPath | None, example(None)] = None


class NumberTierSold(msgspec.Struct, frozen=True):
    """How long a number is held.

    Attributes:
        id: The tier's id.
        name: The tier's name.
        days: For how many days.
    """

    id: Annotated[str, example("7d")]
    name: Annotated[str, example("7 Days")]
    days: Annotated[int, example(7)]


class OrderedNumber(msgspec.Struct, frozen=True):
    """A virtual number that was ordered.

    Attributes:
        country: The country of the number.
        country_name: The country's name in English.
        tier: How long it is held.
        id: The number's id; null until it is delivered.
        phone_number: The number; null until it is delivered.
        expires_at: When it ends, as the supplier said last; null where it does not say.
        autorenew: Whether the supplier renews it, as it said last; null where it does not say.
        observed_at: When the supplier said so; null until it is delivered.
    """

    country: str
    country_name: str
    tier: NumberTierSold
    id: str | None
    phone_number: str | None
    expires_at: datetime | None
    autorenew: bool | None
    observed_at: datetime | None


class OrderedCode(msgspec.Struct, frozen=True):
    """One code of a voucher. Whoever has it can spend it.

    Attributes:
        pin: The PIN; null without one.
        serial: The serial number; null without one.
        expires_at: Until when it can be spent; null where the supplier does not say.
        told: What a recharge says instead of a code.
    """

    pin: str | None
    serial: str | None
    expires_at: datetime | None
    told: str | None


class OrderedVoucher(msgspec.Struct, frozen=True):
    """A digital good that was ordered.

    Attributes:
        good_id: The good's id.
        name: The good's name.
        product_name: The name of its product.
        type: The kind of good.
        quantity: How many.
        amount: The denomination that was chosen; null for a fixed one.
        codes: The codes, one for each unit; empty until they are delivered.
    """

    good_id: str
    name: str
    product_name: str
    type: str
    quantity: int
    amount: Price | None
    codes: list[OrderedCode]


class Attempt(msgspec.Struct, frozen=True):
    """One try at one supplier.

    Attributes:
        n: Its number within the order, from 1.
        kind: What was asked of the supplier.
        supplier: The supplier that was asked.
        supplier_plan_id: The supplier's own id for what was asked for.
        state: What came of it.
        reference: The gateway's reference, which the supplier was sent.
        supplier_order_id: The supplier's id for its order; null while it is not known.
        cost: What the supplier charged; null while that is not known.
        listed: What the supplier listed.
        error: What the supplier said against it; null when nothing.
        why: Why this offer was chosen.
        started_at: When the supplier was asked.
        ended_at: When the outcome was known; null while it is not.
    """

    n: Annotated[int, example(1)]
    kind: Annotated[Literal["purchase", "topup", "cancel"], example("purchase")]
    supplier: SupplierName
    supplier_plan_id: SupplierPlanId
    state: Annotated[AttemptState, example("succeeded")]
    reference: Annotated[str, example("att_0b6f2d1c9e8a4735")]
    supplier_order_id: Annotated[str | None, example("a81bc81b")]
    cost: Cost | None
    listed: Cost | None
    error: str | None
    why: Annotated[str, example("the cheapest in stock")]
    started_at: datetime
    ended_at: Annotated[datetime | None, example("2026-11-20T10:00:02Z")]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order. Its plan and price stay as they were when it was placed.

    Attributes:
        id: The order's id.
        kind: What was ordered.
        status: Where the order stands. `fulfilled`, `failed` and `cancelled` are final; `needs_review` waits for an
            operator.
        reference: Your own reference; null without one.
        plan: The plan; null for a number or a voucher.
        price: What the customer pays.
        esim: What the traveller installs; null until it is delivered.
        number: The virtual number; null for anything else.
        voucher: The digital good; null for anything else.
        failure: Why the order failed; null when it did not.
        refund: What is given back; null unless the order was cancelled.
        metadata: The texts that you sent with the order.
        created_at: When the order was placed.
        updated_at: When the order last changed.
        fulfilled_at: When it was delivered; null before.
        cost_quoted: What the chosen offer was to cost. Needs the scope `ops:read`.
        cost_charged: What the supplier charged. Needs the scope `ops:read`.
        supplier: The supplier that delivered, or was asked last. Needs the scope `ops:read`.
        attempts: Each try at a supplier. Needs the scope `ops:read`.
    """

    id: Annotated[str, example("ord_7f3a9c20e1b84d65")]
    kind: Annotated[Kind, example("esim")]
    status: Annotated[OrderStatus, example("fulfilled")]
    reference: Annotated[str | None, example("YOUR-1")]
    plan: Plan | None
    price: Price
    esim: OrderedEsim | None
    number: Annotated[OrderedNumber | None, example(None)]
    voucher: Annotated[OrderedVoucher | None, example(None)]
    failure: Annotated[Failure | None, example(None)]
    refund: Annotated[Price | None, example(None)]
    metadata: Annotated[dict[str, Any], example({"cart": "8812"})]
    created_at: datetime
    updated_at: Annotated[datetime, example("2026-11-20T10:00:02Z")]
    fulfilled_at: Annotated[datetime | None, example("2026-11-20T10:00:02Z")]
    cost_quoted: Price | UnsetType | None = UNSET
    cost_charged: Price | UnsetType | None = UNSET
    supplier: str | UnsetType | None = UNSET
    attempts: list[Attempt] | UnsetType = UNSET


class OrderBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Orders that were placed together for one plan. Each goes its own way from then on.

    Attributes:
        id: The batch's id.
        orders: The orders, always in the same sequence.
    """

    id: Annotated[str, example("bat_7f3a9c20e1b84d65")]
    orders: list[Order]


class OrderEvent(msgspec.Struct, frozen=True):
    """Something that happened to an order.

    Attributes:
        at: When it happened.
        type: A word for what happened.
        detail: The same in words.
        ops: What operators see of it; needs the scope `ops:read`.
    """

    at: datetime
    type: Annotated[str, example("fulfilled")]
    detail: Annotated[str, example("the eSIM was delivered")]
    ops: dict[str, Any] | UnsetType = UNSET


class OrderEventList(msgspec.Struct, frozen=True):
    """Everything that happened to an order, the oldest first.

    Attributes:
        data: What happened, the oldest first.
    """

    data: list[OrderEvent]
