"""Which lines of a supplier's statement the ledger lacks for one attempt. Pure.

A refund is known by the key of its statement line. A refund that the supplier's answer stated has no key until its
line was read: the line of the same amount is it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from schemas.money import Money


class StatementLine(msgspec.Struct, frozen=True):
    """Money that moved for the attempt at the supplier; ``amount`` is never negative."""

    key: str
    kind: Literal["charge", "refund"]
    amount: Money


class LedgerRow(msgspec.Struct, frozen=True):
    """A row of our ledger for the attempt."""

    kind: Literal["charge", "refund"]
    amount: Money
    transaction_key: str | None = None


class ToBook(msgspec.Struct, frozen=True):
    """What to write: the charge of an attempt that had failed, and refunds with their keys."""

    charge: Money | None = None
    refunds: tuple[StatementLine, ...] = ()


def to_book(lines: Sequence[StatementLine], rows: Sequence[LedgerRow], *, failed: bool) -> ToBook:
    """What the ledger lacks of an attempt's statement lines, which are all that there are so far.

    Nothing is guessed: refunds without a charge in the ledger, or beside a stated refund that no line shows, are left
    as a difference for an operator.
    """
    charge = None
    if not any(row.kind == "charge" for row in rows):
        charge = _late_charge(lines) if failed else None
        if charge is None:
            return ToBook()
    written = {row.transaction_key for row in rows}
    stated = [row.amount for row in rows if row.kind == "refund" and row.transaction_key is None]
    known, new = [], []
    for line in lines:
        if line.kind != "refund" or line.key in written:
            continue
        if line.amount in stated:
            stated.remove(line.amount)
            known.append(line)
        else:
            new.append(line)
    return ToBook(charge, tuple(known if stated else known + new))


def _late_charge(lines: Sequence[StatementLine]) -> Money | None:
    """What was taken for an attempt that failed; None when all of it came back, or in several currencies."""
    taken: dict[str, Decimal] = defaultdict(Decimal)
    balance: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        amount, currency = line.amount.amount, line.amount.currency
        taken[currency] += amount if line.kind == "charge" else 0
        balance[currency] += amount if line.kind == "charge" else -amount
    if not any(balance.values()) or len(taken) != 1:
        return None
    ((currency, amount),) = taken.items()
    return Money(amount, currency) if amount > 0 else None
