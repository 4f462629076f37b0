"""What can still be bought at a supplier with the funds that we have there. Pure.

A supplier's balance is read now and then. Between two readings what it charged since, and what it may still charge for
attempts whose outcome is unknown, is subtracted. Refunds count from the next reading on, so that the figure is never
too high.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

import msgspec

from gateway.pricing.price_rules import NoRate, Rates
from schemas.money import Money

Sums = tuple[tuple[str, Decimal], ...]


class Funds(msgspec.Struct, frozen=True, order=True):
    """Our money at a supplier: what could be spent when its balance was read, and what went since, by currency.

    ``charged`` is what attempts are known to have been charged. ``open`` is the listed price of attempts whose charge
    is not known yet.
    """

    supplier: str
    at: datetime
    currency: str
    spendable: Decimal
    charged: Sums = ()
    open: Sums = ()


def available_funds(funds: Funds, rates: Rates, tolerance: Decimal) -> Decimal | None:
    """What can be spent now, in base currency; None where a currency has no rate, so that it is not known.

    ``tolerance`` is the share by which the supplier may charge more than it lists.
    """
    try:
        seen = rates.to_base(Money(funds.spendable, funds.currency)).amount
        charged = _sum(funds.charged, rates)
        open_attempts = _sum(funds.open, rates)
    except NoRate:
        return None
    return seen - charged - open_attempts * (1 + tolerance)


def available_funds_by_supplier(
    funds: Mapping[str, Funds], rates: Rates, tolerances: Mapping[str, Decimal], default: Decimal = Decimal(0)
) -> dict[str, Decimal]:
    """The available funds at each supplier where they are known; ``default`` is the tolerance of the others."""
    found = {name: available_funds(known, rates, tolerances.get(name, default)) for name, known in funds.items()}
    return {name: available for name, available in found.items() if available is not None}


def insufficient(available: Decimal | None, cost_base: Decimal | None, tolerance: Decimal) -> bool:
    """Whether an offer may come to cost more than is available; an unknown figure keeps nothing from sale."""
    return available is not None and cost_base is not None and cost_base * (1 + tolerance) > available


def funds_increased(before: Funds, seen: Money) -> bool:
    """Whether a balance is more than can have been left, so that money came in.

    Charges in another currency than the balance's are not counted.
    """
    gone = sum((amount for sums in (before.charged, before.open) for word, amount in sums if word == before.currency))
    return seen.currency == before.currency and seen.amount > before.spendable - gone


def covers(seen: Money, refused: Money | None) -> bool:
    """Whether a balance suffices for what was refused for want of money.

    Anything at all does where that is not known, or was in another currency.
    """
    if refused is None or refused.currency != seen.currency:
        return seen.amount > 0
    return seen.amount >= refused.amount


def ends_refusal(before: Funds | None, seen: Money, refused: Money | None) -> bool:
    """Whether a balance that was read after a purchase was refused for want of it lets the supplier sell again.

    It has to cover what was refused. Where the supplier had told its balance within the hour (``before``) it has to be
    more than that, too: with the same money the purchase was refused.
    """
    return covers(seen, refused) and (before is None or funds_increased(before, seen))


def highest_affordable_cost(available: Decimal, tolerance: Decimal, scale: int) -> int:
    """The highest sufficient cost, as a whole number of 10**-scale of base currency; negative for none."""
    whole = Fraction(available) * 10**scale / (1 + Fraction(tolerance))
    return int(whole // 1)


def _sum(sums: Sums, rates: Rates) -> Decimal:
    return sum((rates.to_base(Money(amount, currency)).amount for currency, amount in sums), Decimal(0))
