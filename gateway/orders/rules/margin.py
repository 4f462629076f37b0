"""What is left of an order's price after what its suppliers took. Pure."""

from __future__ import annotations

from decimal import Decimal, localcontext

import msgspec

from gateway.pricing.price_rules import NoRate, Rates
from schemas.money import Money

_OPEN = frozenset({"pending", "cancel_pending", "needs_review"})
_SOLD = frozenset({"fulfilled", "cancel_pending"})
_PLACES = Decimal("0.0001")


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """An order's money. ``price_base``, ``cost_base`` are in base currency by the rates of their days.

    ``taken`` is what suppliers hold: charges less refunds, in the currency of the charge; None when nothing is booked.
    ``fee`` is what being paid cost, in base currency; None where the storefront was paid without us.
    """

    status: str
    price: Decimal
    price_base: Decimal
    refund: Decimal | None
    listed: Money | None
    cost_base: Decimal | None
    taken: Money | None
    fee: Decimal | None = None


class Margin(msgspec.Struct, frozen=True):
    """In base currency. ``expected``: nothing is booked yet, so the listed cost stands for it."""

    amount: Decimal
    expected: bool


def margin(sums: Sums, rates: Rates) -> Margin | None:
    """What the order earned, None where that cannot be known: no cost, no rate, or nothing sold and nothing taken."""
    with localcontext(prec=60):
        fee = sums.fee or Decimal(0)
        sold = _sold(sums) - fee
        if sums.taken is not None:
            cost = _in_base(sums.taken, sums, rates)
            return None if cost is None else Margin((sold - cost).quantize(_PLACES), expected=sums.status in _OPEN)
        if sums.status in _OPEN or sums.status in _SOLD:
            if sums.cost_base is None:
                return None
            return Margin((sums.price_base - fee - sums.cost_base).quantize(_PLACES), expected=True)
        return None


def _sold(sums: Sums) -> Decimal:
    if sums.status == "failed":
        return Decimal(0)
    if not sums.refund or not sums.price:
        return sums.price_base
    return sums.price_base * (sums.price - sums.refund) / sums.price


def _in_base(taken: Money, sums: Sums, rates: Rates) -> Decimal | None:
    """By the rate that the listed cost was converted by; where that tells none, by today's."""
    listed = sums.listed
    if listed is not None and listed.currency == taken.currency and listed.amount > 0 and sums.cost_base is not None:
        return taken.amount * sums.cost_base / listed.amount
    try:
        return rates.to_base(taken).amount
    except NoRate:
        return None
