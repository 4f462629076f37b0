"""Our money at the suppliers, as JSON: balances with their parts, their books beside ours, deposits."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.api import Cost, CurrencyCode, Price, SupplierName
from schemas.api_suppliers import SupplierBalance
from schemas.examples import AT, example
from schemas.page import Page

MovementKind = Literal["charge", "refund", "deposit", "adjustment", "other"]
LedgerVerdict = Literal[
    "same", "only_theirs", "only_ours", "amount_differs", "open", "explained", "apart", "statement_not_read"
]
WayName = Annotated[str, Meta(pattern="^[a-z0-9_]{1,40}$", examples=["stripe"])]
PositiveAmount = Annotated[str, Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?$", examples=["100.00"])]


class SupplierDepositWay(msgspec.Struct, frozen=True):
    """A way to fill our balance. One that is not ``online`` is done by hand, as ``what_to_do`` says."""

    name: WayName
    title: Annotated[str, example("Card, by Stripe")]
    online: Annotated[bool, example(True)]
    what_to_do: Annotated[str, example("Pay at the page that the supplier gives.")]
    currency: Annotated[str | None, example("USD")]


class BooksRead(msgspec.Struct, frozen=True):
    """How far a supplier's books were read: whole from and to, the last look, and why it was not whole."""

    whole_from: Annotated[datetime | None, example("2026-10-21T10:00:00Z")]
    whole_to: Annotated[datetime | None, example(AT)]
    asked_at: datetime
    error: str | None


class SupplierMoney(msgspec.Struct, frozen=True):
    """Our money at one supplier. ``books`` is null where they were never read, or it shows none.

    ``books_of`` says what they are made of: its movements, or, where it lists none, its orders.
    """

    balance: SupplierBalance
    deposit_ways: list[SupplierDepositWay]
    books_of: Annotated[Literal["transactions", "orders"] | None, example("transactions")]
    books: BooksRead | None


class RefreshRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to ask; all of them when none is named."""

    supplier: Annotated[SupplierName | UnsetType, example("pikasim")] = UNSET


class SupplierTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a supplier's books; ``amount`` is negative when it left us. ``reference`` is ours, where known."""

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

    ``verdict``: the same at both; ``only_theirs``, ``only_ours``, ``amount_differs``; ``open``: of an attempt whose end
    is not recorded yet; ``explained`` by an operator; ``apart``: a deposit or a correction, of which our ledger has no
    line; ``statement_not_read``: the supplier's statement of that time was not read yet. ``why`` names the exact
    difference, ``movement`` is what ``reconcile --explain`` takes.
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
    """All lines of a kind and currency together; ``differences`` counts those that nobody explained."""

    kind: Annotated[MovementKind, example("charge")]
    currency: Annotated[str, example("USD")]
    lines: Annotated[int, example(1)]
    theirs: Annotated[Price | None, example({"amount": "5.18"})]
    ours: Cost | None
    differences: Annotated[int, example(1)]


class SupplierLedgerPage(Page[SupplierLedgerLine], frozen=True):
    """A page of a statement beside the ledger for some days (UTC), the newest first. ``totals`` are of all of them."""

    supplier: SupplierName
    first: Annotated[date, example("2026-11-14")]
    last: date
    totals: list[SupplierLedgerTotal]
    books: BooksRead | None


class DepositAmount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much is to be paid in."""

    amount: PositiveAmount
    currency: CurrencyCode


class NewDeposit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A deposit at a supplier by one of its ways that are online."""

    supplier: SupplierName
    way: WayName
    amount: DepositAmount


class DepositShown(msgspec.Struct, frozen=True, kw_only=True):
    """A deposit that somebody began. An operator pays at ``url``; no money moves before that.

    ``asked``: the supplier did not answer; ``begun``: it can be paid; ``arrived``: the supplier's books have it.
    """

    id: Annotated[str, example("dep_5b6a798897a6b5c4d3e2f1a0")]
    supplier: SupplierName
    way: WayName
    amount: Annotated[Price, example({"amount": "100.00"})]
    state: Annotated[Literal["asked", "begun", "failed", "arrived"], example("begun")]
    url: Annotated[str | None, example("https://checkout.stripe.com/c/pay/cs_live_a1b2")]
    error: str | None
    begun_by: Annotated[str, example("ana")]
    begun_at: datetime
    arrived_at: datetime | None
