"""Orders as the public API has them: what a storefront or an operator sends, and what comes back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.api import CountryCode, CurrencyCode, NeedFeatures, Plan, PlanId, Price, SupplierName

OrderStatus = Literal["pending", "fulfilled", "failed", "needs_review", "cancel_pending", "cancelled"]
Kind = Literal["esim", "topup", "number", "voucher"]
FailureCode = Literal[
    "no_stock", "price_changed", "supplier_refused", "supplier_unavailable", "not_supported", "cancelled", "spend_limit"
]  # fmt: skip
AttemptState = Literal["sending", "accepted", "succeeded", "unknown", "charged_undeliverable", "failed"]
ANSWERED: frozenset[str] = frozenset({"fulfilled", "failed", "needs_review", "cancelled"})
"""Statuses that only time, a person or the storefront changes: the gateway has nothing more to do."""

# Text that PostgreSQL can keep: no NUL.
Reference = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["YOUR-1"])]
QuoteId = Annotated[str, Meta(min_length=1, max_length=1000, pattern="^qt_[A-Za-z0-9_-]+$", examples=["qt_Zm9vYmFy"])]
OrderId = Annotated[
    str, Meta(min_length=1, max_length=60, pattern="^[A-Za-z0-9_]+$", examples=["ord_7f3a9c20e1b84d65"])
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
GoodId = Annotated[str, Meta(min_length=1, max_length=120, pattern="^[A-Za-z0-9_.-]+$", examples=["good_5c2a9e"])]
FieldName = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00]+$")]
FieldValue = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")]


PhoneNumber = Annotated[str, Meta(max_length=26, pattern=r"^\+?[0-9][0-9 ().-]{3,24}$", examples=["+12025550123"])]
CodeText = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]


class PriceLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most that an order may cost the customer."""

    amount: Annotated[str, Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?$", examples=["9.90"])]
    currency: CurrencyCode


class Customer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who travels. The address is kept encrypted and never given to a supplier."""

    email: Email | UnsetType = UNSET


class SupplierChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which suppliers an order may go to; needs the scope `routing`."""

    only: Annotated[list[SupplierName], Meta(max_length=100)] | UnsetType = UNSET
    ignore: Annotated[list[SupplierName], Meta(max_length=100)] | UnsetType = UNSET


class OrderOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may be said of any order. ``reference`` is the storefront's own and unique within it."""

    reference: Reference | UnsetType = UNSET
    customer: Customer | UnsetType = UNSET
    max_price: PriceLimit | UnsetType = UNSET
    metadata: Annotated[dict[MetadataKey, MetadataValue], Meta(max_length=50)] | UnsetType = UNSET


class OrderForPlan(OrderOptions, frozen=True, forbid_unknown_fields=True):
    """Buy a plan at its price of now."""

    plan_id: PlanId
    features: NeedFeatures | UnsetType = UNSET
    suppliers: SupplierChoice | UnsetType = UNSET


class OrderForQuote(OrderOptions, frozen=True, forbid_unknown_fields=True):
    """Buy what was quoted, at the price that is held."""

    quote_id: QuoteId
    features: NeedFeatures | UnsetType = UNSET
    suppliers: SupplierChoice | UnsetType = UNSET


class NumberChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A virtual number: where, and how long it is held (`id` in the list of tiers)."""

    country: CountryCode
    tier_id: TierId


class OrderForNumber(OrderOptions, frozen=True, forbid_unknown_fields=True):
    """Buy a virtual number at its price of now."""

    number: NumberChoice
    suppliers: SupplierChoice | UnsetType = UNSET


class OrderForGood(OrderOptions, frozen=True, forbid_unknown_fields=True):
    """Buy a digital good at its price of now; needs the scope `goods`.

    ``amount`` is the denomination of a good that has one of one's choice, ``fields`` the answers to what its product
    asks for.
    """

    good_id: GoodId
    quantity: Annotated[int, Meta(ge=1, le=1000)] | UnsetType = UNSET
    amount: PriceLimit | UnsetType = UNSET
    fields: Annotated[dict[FieldName, FieldValue], Meta(max_length=50)] | UnsetType = UNSET
    suppliers: SupplierChoice | UnsetType = UNSET


class TopupForPlan(OrderOptions, frozen=True, forbid_unknown_fields=True):
    """Add a plan to an eSIM."""

    plan_id: PlanId


class TopupForOption(OrderOptions, frozen=True, forbid_unknown_fields=True):
    """Add one of the eSIM's top-up plans to it (`id` in its list)."""

    topup_plan_id: Annotated[str, Meta(min_length=1, max_length=200, pattern="^[A-Za-z0-9_.-]+$")]


class Failure(msgspec.Struct, frozen=True):
    """Why an order came to nothing."""

    code: FailureCode
    detail: str


class InstallLinks(msgspec.Struct, frozen=True):
    """Links that install the eSIM when they are opened on the phone itself."""

    ios: str
    android: str


class OrderedEsim(msgspec.Struct, frozen=True):
    """What a traveller installs. Whoever has the activation code takes the line.

    Of a top-up it is the eSIM that the data went to, without its code.
    """

    id: str
    iccid: str
    activation_code: str | None
    smdp_address: str | None
    matching_id: str | None
    confirmation_code_required: bool
    qr_svg_url: str | None
    qr_png_url: str | None
    install: InstallLinks | None
    page_url: str | None = None


class NumberTierSold(msgspec.Struct, frozen=True):
    """How long a number is held."""

    id: str
    name: str
    days: int


class OrderedNumber(msgspec.Struct, frozen=True):
    """A virtual number that was ordered. ``id`` and what follows are null until it is delivered.

    ``expires_at`` and ``autorenew`` are as the supplier said last, at ``observed_at``; null where it does not say.
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
    """One code of a voucher. Whoever has it can spend it. ``told`` is what a recharge says instead."""

    pin: str | None
    serial: str | None
    expires_at: datetime | None
    told: str | None


class OrderedVoucher(msgspec.Struct, frozen=True):
    """A digital good that was ordered; ``codes`` are empty until it is delivered, then one for each unit."""

    good_id: str
    name: str
    product_name: str
    type: str
    quantity: int
    amount: Price | None
    codes: list[OrderedCode]


class Attempt(msgspec.Struct, frozen=True):
    """One try at one supplier."""

    n: int
    kind: Literal["purchase", "topup", "cancel"]
    supplier: SupplierName
    supplier_plan_id: str
    state: AttemptState
    reference: str
    supplier_order_id: str | None
    cost: Price | None
    listed: Price | None
    error: str | None
    why: str
    started_at: datetime
    ended_at: datetime | None


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order. ``plan`` and ``price`` are frozen as they were when it was placed.

    The last four need the scope `ops:read`.

    ``plan`` is null for a number or a voucher, which stand under their own names.
    """

    id: str
    kind: Kind
    status: OrderStatus
    reference: str | None
    plan: Plan | None
    price: Price
    esim: OrderedEsim | None
    number: OrderedNumber | None
    voucher: OrderedVoucher | None
    failure: Failure | None
    refund: Price | None
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    fulfilled_at: datetime | None
    cost_quoted: Price | UnsetType | None = UNSET
    cost_charged: Price | UnsetType | None = UNSET
    supplier: str | UnsetType | None = UNSET
    attempts: list[Attempt] | UnsetType = UNSET


class OrderEvent(msgspec.Struct, frozen=True):
    """Something that happened to an order; ``ops`` needs the scope `ops:read`."""

    at: datetime
    type: str
    detail: str
    ops: dict[str, Any] | UnsetType = UNSET


class OrderEventList(msgspec.Struct, frozen=True):
    """Everything that happened to an order, the oldest first."""

    data: list[OrderEvent]


class Validated(msgspec.Struct, frozen=True):
    """An order that would be taken now, and its price."""

    valid: Literal[True]
    price: Price


# -- operations ----------------------------------------------------------------------------------------------------


class OpsOrder(Order, frozen=True, kw_only=True):
    """An order of any storefront, with its attempts and costs and never with its activation code."""

    storefront: str
    mode: Literal["live", "test"]
    next_look_at: datetime | None


class ResolvedCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One code of a voucher, as a person was told it; one of the three is needed."""

    pin: CodeText | UnsetType = UNSET
    serial: CodeText | UnsetType = UNSET
    told: CodeText | UnsetType = UNSET
    expires_at: Annotated[datetime, Meta(tz=True)] | UnsetType = UNSET


class ResolveRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person found out about an order, and where from."""

    as_: Literal["fulfilled", "failed", "refunded", "released"] = msgspec.field(name="as")
    note: Note
    activation_code: ActivationCode | UnsetType = UNSET
    iccid: Iccid | UnsetType = UNSET
    phone_number: PhoneNumber | UnsetType = UNSET
    expires_at: Annotated[datetime, Meta(tz=True)] | UnsetType = UNSET
    codes: Annotated[list[ResolvedCode], Meta(max_length=1000)] | UnsetType = UNSET


class OpsCancelRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether an eSIM is cancelled although it has top-ups, and why."""

    force: bool = False
    note: Note = ""


class LedgerEntry(msgspec.Struct, frozen=True):
    """Money that moved between us and a supplier."""

    at: datetime
    supplier: SupplierName
    attempt: str
    order_id: str
    kind: Literal["charge", "refund"]
    amount: Price


class SellingStop(msgspec.Struct, frozen=True):
    """Nothing is bought while it stands. ``supplier`` null: at no supplier at all."""

    supplier: SupplierName | None
    reason: Annotated[
        Literal["person", "restored", "account"],
        Meta(
            description="`person`: asked for; `account`: the supplier refused our credentials; `restored`: the "
            "database was put back, and selling goes on when `reconcile` finds nothing open."
        ),
    ]
    note: str
    since: datetime


class StopRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where to stop, and why. Without a supplier: everywhere."""

    supplier: SupplierName | UnsetType | None = UNSET
    note: Note = ""
