"""Amounts of money that suppliers state, held to what can be one. Pure.

A number may have any size in JSON. One that is no amount must not reach a sum or a row, and what a
supplier says that it took is never less than nothing.
"""

from __future__ import annotations

from decimal import Decimal

from schemas.money import Money

MOST = Decimal(10) ** 12
MOST_DECIMALS = 20
# A supplier that counts in binary floats writes 0.89 as 0.8899999999999999.
_DECIMALS, _FLOAT_TAIL = 6, Decimal("1e-9")


def is_amount(amount: Decimal) -> bool:
    """Whether this is an amount of any currency, of either sign."""
    exponent = amount.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -MOST_DECIMALS and -MOST <= amount <= MOST


def without_float_tail(amount: Decimal) -> Decimal:
    """An amount; one within 10^-9 of a number with at most six decimals is that number."""
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or exponent >= -_DECIMALS or abs(amount) > MOST:
        return amount
    near = round(amount, _DECIMALS)
    return near.normalize() if near and abs(near - amount) <= _FLOAT_TAIL else amount


def taken(amount: Decimal | None, currency: str) -> Money | None:
    """What a supplier took or gave back; None when it does not say, or says what cannot be."""
    if amount is None or not is_amount(amount) or amount < 0:
        return None
    return Money(without_float_tail(amount), currency)
