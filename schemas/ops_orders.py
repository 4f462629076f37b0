"""Orders as operators have them: with costs, attempts and ledger, and what they decide by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.api import Cost, Price, SupplierName
from schemas.examples import example
from schemas.orders import WITHOUT_CODE, ActivationCode, Attempt, Note, Order, OrderedEsim, Reason

Iccid = Annotated[str, Meta(pattern=r"^[0-9]{18,22}\Z", examples=["8999901000000000017"])]
PhoneNumber = Annotated[str, Meta(max_length=26, pattern=r"^\+?[0-9][0-9 ().-]{3,24}\Z", examples=["+12025550123"])]
CodeText = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+\Z")]


class Validated(msgspec.Struct, frozen=True):
    """An order that would be taken now, and its price.

    Attributes:
        valid: Always true: an order that would not be taken is answered with its problem.
        price: What the customer would pay.
    """

    valid: Literal[True]
    price: Price


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
    note: Annotated[Reason, example("the supplier's support sent the code")]
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
