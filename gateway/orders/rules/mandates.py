"""Whether a key's mandate allows orders: each of them, their sum in the day and the month, and the time. Pure."""

from __future__ import annotations

from datetime import datetime

from gateway.access.mandate_rows import Mandate
from gateway.kit.problem import Problem
from gateway.suppliers.spend_rows import MandateSpend
from schemas.money import Money


def refusal(mandate: Mandate, each: Money, orders: int, spent: MandateSpend, now: datetime) -> Problem | None:
    """Why so many orders at this price, in base currency, may not be placed under a mandate; None when they may."""
    if now >= mandate.ends_at:
        return Problem("mandate_ended", f"the mandate of this key ended at {mandate.ends_at:%Y-%m-%dT%H:%M:%SZ}")
    if each.currency != mandate.currency:
        return Problem("mandate_exceeded", f"the mandate of this key is in {mandate.currency}, not in {each.currency}")
    total = each.amount * orders
    bounds = (
        (each.amount, mandate.per_order, "one order"),
        (spent.day + total, mandate.per_day, "this UTC day"),
        (spent.month + total, mandate.per_month, "this UTC month"),
    )
    for amount, most, of_what in bounds:
        if amount > most:
            would, may = Money(amount, mandate.currency), Money(most, mandate.currency)
            return Problem("mandate_exceeded", f"{of_what} would come to {would}; the mandate of this key allows {may}")
    return None
