"""Orders as the public API has them: what a storefront or an operator sends, and what comes back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.api import (
    Cost,
    CountryCode,
    CurrencyCode,
    NeedFeatures,
    Plan,
    PlanId,
    Price,
    SupplierName,
    SupplierPlanId,
    Url,
    UrlPath,
)
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
Reference = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["YOUR-1"])]
QuoteId = Annotated[str, Meta(min_length=1, max_length=1000, pattern="^qt_[A-Za-z0-9_-]+$", examples=["qt_Zm9vYmFy"])]
OrderId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=60,
        pattern="^[A-Za-z0-9_]+$",
        description="An order, by its id.",
        examples=["ord_7f3a9c20e1b84d65"],
    ),
]
Email = Annotated[
    str,
    Meta(
        max_length=254,
        pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){0,8}$",
        examples=["traveller@example.com"],
    ),
]
Note = Annotated[str, Meta(max_length=1000, pattern=r"^[^\x00]*$")]
MetadataKey = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00]+$")]
MetadataValue = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")]
Iccid = Annotated[str, Meta(pattern="^[0-9]{18,22}$", examples=["8999901000000000017"])]
ActivationCode = Annotated[
    str, Meta(max_length=500, pattern=r"^(LPA:)?1\$[^\x00-\x20\x7f]+$", examples=["LPA:1$smdp.example.com$ABC-123"])
]


TierId = Annotated[str, Meta(min_length=1, max_length=60, pattern="^[A-Za-z0-9_.-]+$", examples=["7d"])]
GoodId = Annotated[
    str, Meta(min_length=1, max_length=120, pattern="^[A-Za-z0-9_.-]+$", examples=["good_5c2a9e0b7d41f3a86c1e9b02"])
]
FieldName = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00]+$")]
FieldValue = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")]


PhoneNumber = Annotated[str, Meta(max_length=26, pattern=r"^\+?[0-9][0-9 ().-]{3,24}$", examples=["+12025550123"])]
CodeText = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]


class PriceLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most that an order may cost the customer.

    Attributes:
        amount: The amount.
        currency: The currency of the amount.
    """

    amount: Annotated[str, Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?$", examples=["9.90"])]
    currency: CurrencyCode


class Customer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who travels. The address is kept encrypted and never given to a supplier.

    Attributes:
        email: The traveller's e-mail address.
    """

    email: Annotated[Email | UnsetType, example("traveller@example.com")] = UNSET


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

    topup_plan_id: Annotated[str, Meta(min_length=1, max_length=200, pattern="^[A-Za-z0-9_.-]+$"), example("tp_3b9d20")]


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


class Validated(msgspec.Struct, frozen=True):
    """An order that would be taken now, and its price.

    Attributes:
        valid: Always true: an order that would not be taken is answered with its problem.
        price: What the customer would pay.
    """

    valid: Literal[True]
    price: Price


# -- operations ----------------------------------------------------------------------------------------------------


class OpsOrder(Order, frozen=True, kw_only=True):
    """An order of any storefront, with its attempts and costs and never with its activation code.

    Attributes:
        esim: What was delivered, without its activation code.
        cost_quoted: What the chosen offer was to cost.
        cost_charged: What the supplier charged.
        supplier: The supplier that delivered, or was asked last.
        attempts: Each try at a supplier.
        storefront: The storefront that placed the order.
        mode: Live or test.
        next_look_at: When the gateway looks at the order next; null when it is final.
    """

    esim: Annotated[OrderedEsim | None, example(WITHOUT_CODE)]
    cost_quoted: Annotated[Cost | UnsetType | None, example({})] = UNSET
    cost_charged: Annotated[Cost | UnsetType | None, example({})] = UNSET
    supplier: Annotated[str | UnsetType | None, example("pikasim")] = UNSET
    attempts: Annotated[list[Attempt] | UnsetType, example([{}])] = UNSET
    storefront: Annotated[str, example("My shop")]
    mode: Annotated[Literal["live", "test"], example("live")]
    next_look_at: datetime | None


class ResolvedCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One code of a voucher, as an operator was told it; one of the three is needed.

    Attributes:
        pin: The PIN.
        serial: The serial number.
        told: What a recharge says instead of a code.
        expires_at: Until when it can be spent.
    """

    pin: CodeText | UnsetType = UNSET
    serial: CodeText | UnsetType = UNSET
    told: CodeText | UnsetType = UNSET
    expires_at: Annotated[datetime, Meta(tz=True)] | UnsetType = UNSET


class ResolveRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator found out about an order, and where from.

    Attributes:
        as_: What became of the order.
        note: How you know.
        activation_code: Of a fulfilled eSIM: its activation code.
        iccid: Of a fulfilled eSIM: its ICCID.
        phone_number: Of a fulfilled virtual number: the number.
        expires_at: Of a fulfilled virtual number: until when it is held.
        codes: Of a fulfilled voucher: its codes.
    """

    as_: Annotated[Literal["fulfilled", "failed", "refunded", "released"], example("fulfilled")] = msgspec.field(
        name="as"
    )
    note: Annotated[Note, example("the supplier's support sent the code")]
    activation_code: Annotated[ActivationCode | UnsetType, example("LPA:1$smdp.example.com$ABC-123")] = UNSET
    iccid: Annotated[Iccid | UnsetType, example("8944500102198765432")] = UNSET
    phone_number: PhoneNumber | UnsetType = UNSET
    expires_at: Annotated[datetime, Meta(tz=True)] | UnsetType = UNSET
    codes: Annotated[list[ResolvedCode], Meta(max_length=1000)] | UnsetType = UNSET


class OpsCancelRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether an eSIM is cancelled although it has top-ups, and why.

    Attributes:
        force: Whether an eSIM is cancelled although it has top-ups.
        note: Why.
    """

    force: Annotated[bool, example(True)] = False
    note: Annotated[Note, example("the customer gets both back")] = ""


class LedgerEntry(msgspec.Struct, frozen=True):
    """Money that moved between us and a supplier.

    Attributes:
        at: When it was booked.
        supplier: The supplier.
        attempt: The attempt that the money is of, by its reference.
        order_id: The order.
        kind: Whether the supplier took it or gave it back.
        amount: How much.
    """

    at: datetime
    supplier: SupplierName
    attempt: Annotated[str, example("att_0b6f2d1c9e8a4735")]
    order_id: Annotated[str, example("ord_7f3a9c20e1b84d65")]
    kind: Annotated[Literal["charge", "refund"], example("charge")]
    amount: Cost


class SellingStop(msgspec.Struct, frozen=True):
    """Nothing is bought while it stands.

    Attributes:
        supplier: The supplier whose offers are not sold; null: of no supplier at all.
        note: Why, as an operator wrote it.
        since: Since when.
    """

    supplier: SupplierName | None
    reason: Annotated[
        Literal["person", "restored", "account"],
        example("person"),
        Meta(
            description="`person`: asked for; `account`: the supplier refused our credentials; `restored`: the "
            "database was put back, and selling goes on when `reconcile` finds nothing open."
        ),
    ]
    note: Annotated[str, example("their portal shows wrong prices")]
    since: datetime


class StopRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where to stop, and why. Without a supplier: everywhere.

    Attributes:
        supplier: The supplier whose offers are not to be sold; all suppliers without it.
        note: Why.
    """

    supplier: Annotated[SupplierName | UnsetType | None, example("pikasim")] = UNSET
    note: Annotated[Note, example("their portal shows wrong prices")] = ""
