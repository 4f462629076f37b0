"""What an operator does by hand: place an order for a storefront, record a refund that no answer reported."""

from __future__ import annotations

from gateway.access import audit_rows
from gateway.access.key_rows import Mode
from gateway.access.user_rows import Visitor
from gateway.kit.problem import Problem
from gateway.orders import ledger_rows, order_state_rows
from gateway.orders.admit import Admitted, admit
from gateway.orders.process import follow, start
from gateway.suppliers.deps import Deps
from schemas.money import Money
from schemas.order_requests import OrderForPlan

_ENDED = {"cancelled", "failed"}


async def place_order(
    deps: Deps, storefront_id: str, mode: Mode, body: OrderForPlan, token: str, note: str, by: Visitor | str
) -> Admitted | Problem:
    """Place an order as the storefront itself would, at its price and within its limits.

    The same ``token`` is the same order, however often it is sent. Problems: those of admission.
    """
    async with deps.pool.acquire() as connection, connection.transaction():
        detail = {"plan": body.plan_id, "mode": mode, "note": note}
        await audit_rows.record(connection, by, "order.place_requested", f"storefront:{storefront_id}", detail)
    placed = await admit(deps, storefront_id, mode, body, f"operator-{token}")
    if isinstance(placed, Problem) or placed.replayed:
        return placed
    if placed.sending is not None:
        follow(deps, placed.order_id, placed.sending)
    elif deps.inline:
        start(deps, placed.order_id)
    return placed


async def refund_rest(deps: Deps, order_id: str, note: str, by: Visitor | str) -> list[Money] | Problem:
    """Record that a supplier gave back what it still held for an order that ended without a delivery; how much.

    Problems: not_found, conflict (the order has not ended so, nothing is left, or only the statement can tell).
    """
    async with deps.pool.acquire() as connection, connection.transaction():
        order = await order_state_rows.lock(connection, order_id)
        if order is None:
            return Problem("not_found", "there is no such order")
        if order.status not in _ENDED:
            return Problem("conflict", "only a cancelled or failed order has something left to refund")
        recorded = []
        for attempt in await order_state_rows.attempts_of(connection, order_id):
            left = await ledger_rows.net_charge(connection, attempt.id)
            if left is not None and await ledger_rows.refund(connection, attempt, left, deps.clock()):
                recorded.append(left)
        if not recorded:
            return Problem("conflict", "nothing is left, or a refund is recorded and the statement has the rest")
        detail = {"amounts": [str(amount) for amount in recorded], "note": note}
        await audit_rows.record(connection, by, "order.rest_refunded", f"order:{order_id}", detail)
    return recorded
