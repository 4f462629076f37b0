"""Our money at the suppliers, as JSON: balances with their parts, their books beside ours, deposits."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.api import CurrencyCode, Price, SupplierName
from schemas.api_suppliers import SupplierBalance
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
    title: str
    online: bool
    what_to_do: str
    currency: str | None


class BooksRead(msgspec.Struct, frozen=True):
    """How far a supplier's books were read: whole from and to, the last look, and why it was not whole."""

    whole_from: datetime | None
    whole_to: datetime | None
    asked_at: datetime
    error: str | None


class SupplierMoney(msgspec.Struct, frozen=True):
    """Our money at one supplier. ``books`` is null where they were never read, or it shows none.

    ``books_of`` says what they are made of: its movements, or, where it lists none, its orders.
    """

    balance: SupplierBalance
    deposit_ways: list[SupplierDepositWay]
    books_of: Literal["transactions", "orders"] | None
    books: BooksRead | None


class RefreshRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to ask; all of them when none is named."""

    supplier: SupplierName | UnsetType = UNSET


class SupplierTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a supplier's books; ``amount`` is negative when it left us. ``reference`` is ours, where known."""

    id: int
    supplier: SupplierName
    kind: MovementKind
    amount: Price
    at: datetime
    supplier_order_id: str | None
    transaction_id: str | None
    reference: str | None
    seen_at: datetime


class SupplierLedgerLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a supplier's books and ours say of one order, or of money that moved for none.

    ``verdict``: the same at both; ``only_theirs``, ``only_ours``, ``amount_differs``; ``open``: of an attempt whose end
    is not recorded yet; ``explained`` by a person; ``apart``: a deposit or a correction, of which our ledger has no
    line; ``statement_not_read``: the supplier's statement of that time was not read yet. ``why`` names the exact
    difference, ``movement`` is what ``reconcile --explain`` takes.
    """

    at: datetime
    kind: MovementKind
    verdict: LedgerVerdict
    why: str | None
    movement: str
    theirs: Price | None
    ours: Price | None
    supplier_order_id: str | None
    attempt: str | None
    order_id: str | None


class SupplierLedgerTotal(msgspec.Struct, frozen=True):
    """All lines of a kind and currency together; ``differences`` counts those that nobody explained."""

    kind: MovementKind
    currency: str
    lines: int
    theirs: Price | None
    ours: Price | None
    differences: int


class SupplierLedgerPage(Page[SupplierLedgerLine], frozen=True):
    """A page of both books for some days (UTC), the newest first. ``totals`` are of all of them."""

    supplier: SupplierName
    first: date
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
    """A deposit that somebody began. A person pays at ``url``; no money moves before that.

    ``asked``: the supplier did not answer; ``begun``: it can be paid; ``arrived``: the supplier's books have it.
    """

    id: str
    supplier: SupplierName
    way: WayName
    amount: Price
    state: Literal["asked", "begun", "failed", "arrived"]
    url: str | None
    error: str | None
    begun_by: str
    begun_at: datetime
    arrived_at: datetime | None
