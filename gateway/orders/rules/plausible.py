"""What a supplier's words must be like to be taken as money, names and texts of an order.

A sum that nobody could have taken is a sum that was not told, and a number that no row can hold names no order:
what is left of the answer still stands, so that a paid eSIM is not lost over it.
"""

from __future__ import annotations

import re

import msgspec

from schemas.money import Money
from schemas.order import SupplierOrder

MOST = 10**9  # of any currency, for one eSIM
MOST_DIGITS = 12  # after the point
LONGEST_ID = 255
LONGEST_TEXT = 500
_CURRENCY = re.compile(r"[A-Z][A-Z0-9_]{1,19}")


def order(reported: SupplierOrder) -> SupplierOrder:
    """The order with what can be believed of it."""
    number = reported.supplier_order_id
    return msgspec.structs.replace(
        reported,
        supplier_order_id=number if number and len(number) <= LONGEST_ID and number.isprintable() else None,
        charged=money(reported.charged),
        error=text(reported.error),
    )


def money(reported: Money | None) -> Money | None:
    """The amount, None for one that cannot be."""
    if reported is None or not reported.amount.is_finite() or not 0 <= reported.amount < MOST:
        return None
    exponent = reported.amount.as_tuple().exponent
    fits = isinstance(exponent, int) and exponent >= -MOST_DIGITS
    return reported if fits and _CURRENCY.fullmatch(reported.currency) else None


def text(reported: str | None) -> str | None:
    """Words that a row can hold."""
    if reported is None:
        return None
    return "".join(letter if letter.isprintable() else " " for letter in reported[:LONGEST_TEXT])
