"""Which mapped offers may be sold, and why the others may not: one function over plain values."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from schemas.plan import WhyNot


def why_not(
    *,
    visible: bool = True,
    stock: int | None = None,
    cost_base: Decimal | None,
    has_cost: bool = True,
    suspect: bool = False,
    expired: bool = False,
    marks: Collection[str] = (),
    quarantined: bool = False,
    paused: bool = False,
    no_balance: bool = False,
    tolerance: Decimal = Decimal(0),
    max_cost_base: Decimal | None = None,
) -> tuple[WhyNot, ...]:
    """Every reason that keeps an offer out of the selection, in a fixed order; none when it may be sold.

    ``cost_base`` is the cost in base currency, None when there is no rate or no cost at all
    (``has_cost`` says which). ``stock`` None means that the supplier does not say. ``marks`` are the
    ``why`` words of the offer's rows in offer_marks. ``quarantined`` is a supplier whose whole list waits
    for an operator, ``paused`` one that an operator paused or stopped. ``max_cost_base`` is the most that
    an order may cost: the offer's own price less the minimum margin, in base currency (None: not judged);
    ``tolerance`` is the supplier's share by which it may charge more than it lists.
    """
    thin = cost_base is not None and max_cost_base is not None and cost_base * (1 + tolerance) > max_cost_base
    conditions = (
        (WhyNot.INVISIBLE, not visible),
        (WhyNot.OUT_OF_STOCK, (stock is not None and stock <= 0) or "out_of_stock" in marks),
        (WhyNot.EXPIRED, expired),
        (WhyNot.SUSPECT_PRICE, suspect),
        (WhyNot.STOPPED, "stopped" in marks),
        (WhyNot.QUARANTINED, quarantined),
        (WhyNot.NO_RATE, has_cost and cost_base is None),
        (WhyNot.NO_FIXED_PRICE, not has_cost),
        (WhyNot.THIN_MARGIN, thin),
        (WhyNot.SUPPLIER_PAUSED, paused),
        (WhyNot.NO_BALANCE, no_balance),
    )
    return tuple(reason for reason, holds in conditions if holds)
