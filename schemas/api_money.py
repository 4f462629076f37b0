"""Our money at the suppliers, as JSON: balances with their parts, their books beside ours, deposits."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.api import Cost, CurrencyCode, Price, SupplierName, Url
from schemas.api_suppliers import SupplierBalance
from schemas.examples import AT, example
from schemas.page import Page

MovementKind = Literal["charge", "refund", "deposit", "adjustment", "other"]
LedgerVerdict = Literal[
    "same", "only_theirs", "only_ours", "amount_differs", "open", "explained", "apart", "statement_not_read"
]
WayName = Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,40}\Z", examples=["stripe"])]
PositiveAmount = Annotated[str, Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?\Z", examples=["100.00"])]


class SupplierDepositWay(msgspec.Struct, frozen=True):
    """A way to fill our balance.

    Attributes:
        name: The way's name.
        title: What to call it.
        online: Whether a deposit can be begun here; else it is done by hand.
        what_to_do: What an operator does.
        currency: The currency that it takes; null where any.
    """

    name: WayName
    title: Annotated[str, example("Card, by Stripe")]
    online: Annotated[bool, example(True)]
    what_to_do: Annotated[str, example("Pay at the page that the supplier gives.")]
    currency: Annotated[str | None, example("USD")]


class BooksRead(msgspec.Struct, frozen=True):
    """How far a supplier's books were read.

    Attributes:
        whole_from: From when on they were read whole; null when they were not.
        whole_to: Until when they were read whole; null when they were not.
        asked_at: When they were last asked for.
        error: Why the last look was not whole; null when it was.
    """

    whole_from: Annotated[datetime | None, example("2026-10-21T10:00:00Z")]
    whole_to: Annotated[datetime | None, example(AT)]
    asked_at: datetime
    error: str | None


class SupplierMoney(msgspec.Struct, frozen=True):
    """Our money at one supplier.

    Attributes:
        balance: What we have there.
        deposit_ways: Ways to fill it.
        books_of: What its books are made of: its movements, or, where it lists none, its orders; null where it shows
            none.
        books: How far its books were read; null where they never were.
    """

    balance: SupplierBalance
    deposit_ways: list[SupplierDepositWay]
    books_of: Annotated[Literal["transactions", "orders"] | None, example("transactions")]
    books: BooksRead | None


class RefreshRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to ask; all of them when none is named.

    Attributes:
        supplier: The supplier to ask; all of them without it.
    """

    supplier: Annotated[SupplierName | UnsetType, example("pikasim")] = UNSET


class SupplierTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a supplier's books.

    Attributes:
        id: The line's id.
        supplier: The supplier.
        kind: Why the money moved.
        amount: How much; negative when it left us.
        at: When it moved.
        supplier_order_id: The supplier's id for the order; null where it names none.
        transaction_id: The supplier's id for the movement; null where it names none.
        reference: The gateway's reference of the attempt; null where that is not known.
        seen_at: When the line was read.
    """

    id: Annotated[int, example(4711)]
    supplier: SupplierName
    kind: Annotated[MovementKind, example("charge")]
    amount: Annotated[Price, example({"amount": "-5.18"})]
    at: datetime
    supplier_order_id: Annotated[str | None, example("65a4f8c9d2b34e7f8a901234")]
    transaction_id: Annotated[str | None, example("txn_90210")]
    reference: str | None
    seen_at: datetime


class SupplierLedgerLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a supplier's books and ours say of one order, or of money that moved for none.

    Attributes:
        at: When the money moved.
        kind: Why it moved.
        verdict: Whether both say the same. `open`: of an attempt whose end is not recorded yet; `explained` by an
            operator; `apart`: a deposit or a correction, of which our ledger has no line; `statement_not_read`: the
            supplier's statement of that time was not read yet.
        why: The exact difference; null without one.
        movement: What `reconcile --explain` takes.
        theirs: The amount in the supplier's books; null without a line there.
        ours: The amount in our ledger; null without a line there.
        supplier_order_id: The supplier's id for the order; null where it names none.
        attempt: The attempt, by its reference; null where none is known.
        order_id: The order; null where none is known.
    """

    at: datetime
    kind: Annotated[MovementKind, example("charge")]
    verdict: Annotated[LedgerVerdict, example("amount_differs")]
    why: Annotated[str | None, example("amount_differs")]
    movement: Annotated[str, example("charge:65a4f8c9d2b34e7f8a901234")]
    theirs: Annotated[Price | None, example({"amount": "5.18"})]
    ours: Cost | None
    supplier_order_id: Annotated[str | None, example("65a4f8c9d2b34e7f8a901234")]
    attempt: Annotated[str | None, example("att_1f0c2d3e4b5a69788796a5b4")]
    order_id: Annotated[str | None, example("ord_7f3a9c20e1b84d65")]


class SupplierLedgerTotal(msgspec.Struct, frozen=True):
    """All lines of a kind and currency together.

    Attributes:
        kind: Why the money moved.
        currency: The currency.
        lines: How many lines there are.
        theirs: Their sum in the supplier's books.
        ours: Their sum in our ledger.
        differences: How many differ and were not explained.
    """

    kind: Annotated[MovementKind, example("charge")]
    currency: Annotated[str, example("USD")]
    lines: Annotated[int, example(1)]
    theirs: Annotated[Price | None, example({"amount": "5.18"})]
    ours: Cost | None
    differences: Annotated[int, example(1)]


class SupplierLedgerPage(Page[SupplierLedgerLine], frozen=True):
    """A page of a statement beside the ledger for some days (UTC), the newest first.

    Attributes:
        supplier: The supplier.
        first: The first day.
        last: The last day.
        totals: The sums of all pages.
        books: How far its books were read; null where they never were.
    """

    supplier: SupplierName
    first: Annotated[date, example("2026-11-14")]
    last: date
    totals: list[SupplierLedgerTotal]
    books: BooksRead | None


class DepositAmount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much is to be paid in.

    Attributes:
        amount: The amount.
        currency: The currency of the amount.
    """

    amount: PositiveAmount
    currency: CurrencyCode


class NewDeposit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A deposit at a supplier by one of its ways that are online.

    Attributes:
        supplier: The supplier.
        way: The way: `name` among its deposit ways.
        amount: How much.
    """

    supplier: SupplierName
    way: WayName
    amount: DepositAmount


class DepositShown(msgspec.Struct, frozen=True, kw_only=True):
    """A deposit that an operator began.

    Attributes:
        id: The deposit's id.
        supplier: The supplier.
        way: The way.
        amount: How much.
        state: `asked`: the supplier did not answer; `begun`: it can be paid; `arrived`: the supplier's books have it.
        url: Where an operator pays; no money moves before that. Null when it cannot be paid.
        error: Why it could not be begun; null when it could.
        begun_by: Who began it.
        begun_at: When it was begun.
        arrived_at: When it arrived; null before.
    """

    id: Annotated[str, example("dep_5b6a798897a6b5c4d3e2f1a0")]
    supplier: SupplierName
    way: WayName
    amount: Annotated[Price, example({"amount": "100.00"})]
    state: Annotated[Literal["asked", "begun", "failed", "arrived"], example("begun")]
    url: Annotated[Url | None, example("https://checkout.stripe.com/c/pay/cs_live_a1b2")]
    error: str | None
    begun_by: Annotated[str, example("ana")]
    begun_at: datetime
    arrived_at: datetime | None
