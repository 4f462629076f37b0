"""What can still be bought at a supplier for the money that we have there. Pure.

A supplier tells its figure now and then. Between two looks we know better: what it took since, and what it may still
take for attempts whose end is not known, is gone. What came back counts from the next look on, so that the figure is
never too high.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

import msgspec

from gateway.core.pricing import NoRate, Rates
from schemas.money import Money

Sums = tuple[tuple[str, Decimal], ...]


class Purse(msgspec.Struct, frozen=True, order=True):
    """Our money at a supplier: what could be spent when it was last asked, and what went since, by currency.

    ``charged`` is what our ledger says it took. ``open`` is what attempts are listed for of which it is not known yet
    what they took.
    """

    supplier: str
    at: datetime
    currency: str
    spendable: Decimal
    charged: Sums = ()
    open: Sums = ()


def room(purse: Purse, rates: Rates, tolerance: Decimal) -> Decimal | None:
    """What can be spent now, in base currency; None where a currency has no rate, so that nothing is known.

    ``tolerance`` is the share by which the supplier may charge more than it lists.
    """
    try:
        seen = rates.to_base(Money(purse.spendable, purse.currency)).amount
        charged = _sum(purse.charged, rates)
        open_ones = _sum(purse.open, rates)
    except NoRate:
        return None
    return seen - charged - open_ones * (1 + tolerance)


def rooms(
    purses: Mapping[str, Purse], rates: Rates, tolerances: Mapping[str, Decimal], usual: Decimal = Decimal(0)
) -> dict[str, Decimal]:
    """The room at each supplier of which it is known."""
    found = {name: room(purse, rates, tolerances.get(name, usual)) for name, purse in purses.items()}
    return {name: left for name, left in found.items() if left is not None}


def too_little(left: Decimal | None, cost_base: Decimal | None, tolerance: Decimal) -> bool:
    """Whether an offer may come to cost more than is left; what is not known keeps nothing from sale."""
    return left is not None and cost_base is not None and cost_base * (1 + tolerance) > left


def more_came(before: Purse, seen: Money) -> bool:
    """Whether a look found more than can have been left, so that money came in.

    What went in another currency than the balance's is not counted.
    """
    gone = sum((amount for sums in (before.charged, before.open) for word, amount in sums if word == before.currency))
    return seen.currency == before.currency and seen.amount > before.spendable - gone


def most_payable(left: Decimal, tolerance: Decimal, scale: int) -> int:
    """The highest cost that is not too much, as a whole number of 10**-scale of base currency; negative for none."""
    whole = Fraction(left) * 10**scale / (1 + Fraction(tolerance))
    return int(whole // 1)


def _sum(sums: Sums, rates: Rates) -> Decimal:
    return sum((rates.to_base(Money(amount, currency)).amount for currency, amount in sums), Decimal(0))
