"""Cancelling an order: asked for once, sent once, refunded when the supplier says so."""

from __future__ import annotations

from gateway.core.orders.items import ITEM_KINDS
from gateway.core.orders.states import AttemptState
from gateway.flows.accounts import account_of
from gateway.flows.deps import Deps
from gateway.flows.problem import Problem
from gateway.store import audit, orders
from gateway.store.keys import Mode
from gateway.store.order_rows import AttemptRow, OrderRow
from gateway.store.users import Visitor
from providers.contract import Capability


async def request_cancel(
    deps: Deps, storefront_id: str, mode: Mode, order_id: str, by: Visitor | None = None
) -> Problem | None:
    """Note that an order is to be cancelled; asking again changes nothing. None when it is noted or done.

    ``by`` is the person who asks, where it is not the storefront itself.
    Problems: not_found, not_cancellable (409), not_supported (501). ``flows.process`` does the rest.
    """
    async with deps.pool.acquire() as connection, connection.transaction():
        order = await orders.lock(connection, order_id)
        if order is None or (order.storefront_id, order.mode) != (storefront_id, mode):
            return Problem("not_found", "there is no such order")
        if order.status == "cancelled" or order.cancel_requested_at is not None:
            return None
        tries = await orders.attempts_of(connection, order_id)
        problem = _refused(deps, order, tries)
        if problem is not None:
            return problem
        now = deps.clock()
        # One that waits for a person goes on waiting; the cancel follows once it is known.
        status = order.status if order.status == "needs_review" else "cancel_pending"
        await orders.want_cancelled(connection, order_id, status, now)
        await orders.add_event(connection, order_id, now, "cancel_requested")
        if by is not None:
            await audit.record(connection, by, "order.cancel_requested", f"order:{order_id}")
    return None


def _refused(deps: Deps, order: OrderRow, tries: list[AttemptRow]) -> Problem | None:
    if order.kind in ITEM_KINDS:
        return Problem("not_supported", f"an order of kind {order.kind} cannot be cancelled: no supplier takes it back")
    if order.kind != "esim":
        return Problem("not_cancellable", f"an order of kind {order.kind} cannot be cancelled")
    if order.status == "failed":
        return Problem("not_cancellable", "the order failed; there is nothing to cancel")
    bought = next((one for one in tries if one.kind == "purchase" and one.state is not AttemptState.FAILED), None)
    if bought is None:
        return None
    account = account_of(deps.accounts, bought.supplier, order.mode)
    if account is None or Capability.CANCEL not in account.manifest.capabilities:
        note = "" if account is None else account.manifest.capability_notes.get(Capability.CANCEL, "")
        return Problem("not_supported", "the supplier of this eSIM takes nothing back" + (f": {note}" if note else ""))
    return None
