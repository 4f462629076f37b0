"""Orders that failed although a supplier would still have sold to them; pure, from rows read at the end.

An offer was left when the order never tried it, it cost no more than the order may cost, and its supplier had refused
neither it nor anything else for a reason of the supplier's own within the time that the gateway leaves it alone for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]
MOST_FAILED = 0.03
# The supplier said itself that it sells nothing to us now. Our own limiter and breaker are no such word.
_SUPPLIER_REFUSES = frozenset({"insufficient_balance", "not_authorised", "rate_limited", "not_reached"})
_OFFER_REFUSED = frozenset({"out_of_stock", "not_found"})

ORDERS = """
SELECT id, kind, status, mode, plan_id, max_cost, only_suppliers, ignore_suppliers, failure_code, updated_at
FROM orders WHERE kind = 'esim'
"""
ATTEMPTS = (
    "SELECT order_id, supplier, supplier_plan_id, state, error_code, ended_at FROM attempts WHERE kind = 'purchase'"
)
OFFERS = """
SELECT o.supplier, o.supplier_plan_id, o.plan_id, s.mode,
       o.cost * CASE WHEN o.currency IN ('USD', 'USDT') THEN 1 END AS cost
FROM offers o JOIN suppliers s ON s.name = o.supplier
WHERE o.gone_at IS NULL AND o.visible AND o.suspect IS NULL AND coalesce(o.stock, 1) > 0
  AND NOT EXISTS (SELECT FROM offer_marks m WHERE m.supplier = o.supplier
                  AND m.supplier_plan_id = o.supplier_plan_id AND m.until IS NULL)
"""


def failed_with_offer_left(
    orders: Iterable[Row],
    attempts: Sequence[Row],
    offers: Iterable[Row],
    *,
    offer_rests: timedelta,
    supplier_rests: timedelta,
    tolerances: Mapping[str, Decimal],
) -> dict[str, list[str]]:
    """By failed order, the suppliers' offers that were left."""
    by_plan: dict[tuple[str, str], list[Row]] = {}
    for offer in offers:
        by_plan.setdefault((offer["mode"], offer["plan_id"]), []).append(offer)
    found: dict[str, list[str]] = {}
    for order in orders:
        if order["status"] != "failed":
            continue
        left = [
            f"{offer['supplier']} {offer['supplier_plan_id']}"
            for offer in by_plan.get((order["mode"], order["plan_id"]), ())
            if _affordable(order, offer, tolerances)
            and not any(_refused(order, offer, one, offer_rests, supplier_rests) for one in attempts)
        ]
        if left:
            found[order["id"]] = left
    return found


def _affordable(order: Row, offer: Row, tolerances: Mapping[str, Decimal]) -> bool:
    name = offer["supplier"]
    if order["only_suppliers"] and name not in order["only_suppliers"]:
        return False
    most = offer["cost"] * (1 + tolerances.get(name, Decimal(0)))
    return name not in order["ignore_suppliers"] and bool(most <= order["max_cost"])


def _refused(order: Row, offer: Row, attempt: Row, offer_rests: timedelta, supplier_rests: timedelta) -> bool:
    """Whether this attempt, of this order or a short time ago of another, is a reason not to buy the offer."""
    if attempt["supplier"] != offer["supplier"]:
        return False
    same_offer = attempt["supplier_plan_id"] == offer["supplier_plan_id"]
    if attempt["order_id"] == order["id"]:
        return same_offer or attempt["error_code"] in _SUPPLIER_REFUSES
    if attempt["ended_at"] is None:
        return False
    ago = order["updated_at"] - attempt["ended_at"]
    if attempt["error_code"] in _OFFER_REFUSED:
        return same_offer and timedelta(0) <= ago <= offer_rests
    return attempt["error_code"] in _SUPPLIER_REFUSES and timedelta(0) <= ago <= supplier_rests
