"""Our own account at a supplier: what it is, its money and its keys; and virtual numbers."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from schemas.examples import example
from schemas.money import Money


class Wallet(msgspec.Struct, frozen=True):
    """One account of several; ``name`` is what the supplier knows it by."""

    name: str
    balance: Money


class Balance(msgspec.Struct, frozen=True):
    """Our money at a supplier. ``spendable`` counts reservations, credit and overdraft; it decides.

    ``reserved`` is kept back for what is under way, ``credit`` is what may be spent beyond the balance; None where
    the supplier does not say. ``wallets`` are the parts where it keeps several.
    """

    balance: Money
    spendable: Money
    reserved: Money | None = None
    credit: Money | None = None
    wallets: tuple[Wallet, ...] = ()


class TransactionKind(StrEnum):
    """What moved our balance; anything a page does not name is OTHER."""

    CHARGE = "charge"
    REFUND = "refund"
    DEPOSIT = "deposit"
    ADJUSTMENT = "adjustment"
    OTHER = "other"


class Transaction(msgspec.Struct, frozen=True):
    """One movement of our balance; ``amount`` is signed, negative when it left us.

    ``balance_after`` tells two lines apart that have no id and are alike in all else.
    """

    kind: TransactionKind
    amount: Money
    at: datetime
    supplier_order_id: str | None = None
    supplier_transaction_id: str | None = None
    balance_after: Money | None = None


class SupplierAccount(msgspec.Struct, frozen=True):
    """What a supplier says of our account; None where it does not say.

    Attributes:
        name: The account's name.
        active: Whether the account may be used.
        status: The supplier's word for its state.
        currency: Its currency.
        orders: How many orders it has.
    """

    name: Annotated[str | None, example("Partner Name")]
    active: Annotated[bool | None, example(True)]
    status: Annotated[str | None, example(None)] = None
    currency: Annotated[str | None, example("USD")] = None
    orders: Annotated[int | None, example(None)] = None


class SupplierKey(msgspec.Struct, frozen=True):
    """An API key as the supplier lists it, never the key itself.

    Attributes:
        id: The supplier's id for it.
        name: Its name.
        prefix: How the key begins.
        active: Whether it may be used.
        last_used_at: When it was last used; null where the supplier does not say.
        created_at: When it was made; null where the supplier does not say.
    """

    id: Annotated[str, example("2")]
    name: Annotated[str, example("esim-gateway beppay sky_7f3a9c20e1b84d65")]
    prefix: Annotated[str, example("pk_live_7c1")]
    active: Annotated[bool, example(True)]
    last_used_at: Annotated[datetime | None, example("2026-11-20T09:59:58Z")] = None
    created_at: Annotated[datetime | None, example("2026-11-01T08:00:00Z")] = None


class NewSupplierKey(msgspec.Struct, frozen=True):
    """A key that was just made. ``secret`` is told this once; repr leaves it out."""

    secret: str
    prefix: str
    created_at: datetime | None = None

    def __repr__(self) -> str:
        return f"NewSupplierKey(prefix={self.prefix!r})"


class DepositWay(msgspec.Struct, frozen=True):
    """A way to fill our balance. One that is not ``online`` is done by hand, as ``what_to_do`` says."""

    name: str
    title: str
    online: bool
    what_to_do: str
    currency: str | None = None


class DepositSession(msgspec.Struct, frozen=True):
    """Where an operator pays a deposit that was begun; ``id`` is None where the supplier names none."""

    id: str | None
    url: str
    amount: Money


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
