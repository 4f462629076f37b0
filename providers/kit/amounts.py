"""Amounts of money that suppliers state, held to what can be one. Pure.

A number may have any size in JSON. One that is no amount must not reach a sum or a row, and what a
supplier says that it took is never less than nothing.
"""

from __future__ import annotations

from decimal import Decimal

from schemas.money import Money

MOST = Decimal(10) ** 12
MOST_DECIMALS = 20


def is_amount(amount: Decimal) -> bool:
    """Whether this is an amount of any currency, of either sign."""
    exponent = amount.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -MOST_DECIMALS and -MOST <= amount <= MOST


def taken(amount: Decimal | None, currency: str) -> Money | None:
    """What a supplier took or gave back; None when it does not say, or says what cannot be."""
    return Money(amount, currency) if amount is not None and is_amount(amount) and amount >= 0 else None
