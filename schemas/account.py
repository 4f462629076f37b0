"""Our own money and goods at a supplier, beside eSIMs: balance, transactions, virtual numbers."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from schemas.money import Money


class Balance(msgspec.Struct, frozen=True):
    """Our money at a supplier. ``spendable`` counts reservations, credit and overdraft; it decides."""

    balance: Money
    spendable: Money


class TransactionKind(StrEnum):
    """What moved our balance; anything a page does not name is OTHER."""

    CHARGE = "charge"
    REFUND = "refund"
    DEPOSIT = "deposit"
    ADJUSTMENT = "adjustment"
    OTHER = "other"


class Transaction(msgspec.Struct, frozen=True):
    """One movement of our balance; ``amount`` is signed, negative when it left us."""

    kind: TransactionKind
    amount: Money
    at: datetime
    supplier_order_id: str | None = None
    supplier_transaction_id: str | None = None


class NumberCountry(msgspec.Struct, frozen=True):
    """A country in which a virtual number can be bought."""

    code: str
    name: str


class NumberTier(msgspec.Struct, frozen=True):
    """How long a virtual number is held, and for how much."""

    id: str
    name: str
    days: int
    cost: Money
