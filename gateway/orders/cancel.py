"""Cancelling an order: at once while nothing was sent, otherwise asked of its supplier, once."""

from __future__ import annotations

from gateway.access import audit_rows
from gateway.access.key_rows import Mode
from gateway.access.user_rows import Visitor
from gateway.inventory import esim_lock_rows
from gateway.items.item_rules import ITEM_KINDS
from gateway.kit.pool import Connection
from gateway.kit.problem import Problem, not_supported
from gateway.orders import order_state_rows
from gateway.orders.metrics import count_order
from gateway.orders.order_rows import AttemptRow, OrderRow
from gateway.orders.rules import cancelling
from gateway.orders.rules.changes import Change
from gateway.orders.transitions import move
from gateway.suppliers.accounts import account_of
from gateway.suppliers.deps import Deps
from providers.contract import Capability


async def request_cancel(deps: Deps, storefront_id: str, mode: Mode, order_id: str) -> Problem | None:
    """A storefront's cancel; None when the order is cancelled or its cancel is noted. Asking again changes nothing.

    Problems: not_found, not_cancellable and has_topups (409), not_supported (501). ``orders.process`` does the rest.
    """
    async with deps.pool.acquire() as connection, connection.transaction():
        order = await order_state_rows.lock(connection, order_id)
        if order is None or (order.storefront_id, order.mode) != (storefront_id, mode):
            return Problem("not_found", "there is no such order")
        return await ask_cancel(deps, connection, order)


async def cancel_by_operator(
    deps: Deps, order_id: str, by: Visitor | str, *, force: bool = False, note: str = ""
) -> Problem | None:
    """The same as an operator asks it, of any storefront's order.

    ``force`` cancels an eSIM that has top-ups: each of them becomes a case, an order that needs review. Problems as
    ``request_cancel``.
    """
    async with deps.pool.acquire() as connection, connection.transaction():
        order = await order_state_rows.lock(connection, order_id)
        if order is None:
            return Problem("not_found", "there is no such order")
        problem = await ask_cancel(deps, connection, order, force=force)
        if problem is None:
            detail: dict[str, object] = {"forced": True} if force else {}
            if note:
                detail["note"] = note
            await audit_rows.record(connection, by, "order.cancel_requested", f"order:{order_id}", detail)
        return problem


async def ask_cancel(
    deps: Deps, connection: Connection, order: OrderRow, *, force: bool = False, refunded: bool = False
) -> Problem | None:
    """Cancel an order, under its lock and in the caller's transaction; None when that is done or noted.

    An order of which nothing was sent is cancelled here, whatever its supplier can do and whether or not selling is
    stopped. ``refunded``: the customer has the money back, so that the cancel is noted although the supplier that was
    asked takes nothing back: then no other supplier is asked.
    """
    if order.status == "cancelled" or order.cancel_requested_at is not None:
        return None
    tries = await order_state_rows.attempts_of(connection, order.id)
    now = deps.clock()
    if cancelling.never_sent(order.now, [attempt.now for attempt in tries]):
        await order_state_rows.add_event(connection, order.id, now, "cancel_requested")
        done = Change(status="cancelled", events=("cancelled",))
        await move(deps, connection, order, done)
        return None
    problem = _refusal(deps, order, tries, refunded=refunded)
    if problem is not None:
        return problem
    topups = await esim_lock_rows.live_topups(connection, order.id, cases=False)
    if topups and not force:
        return Problem("has_topups", "data was added to this eSIM, so it cannot be cancelled")
    # One that waits for an operator goes on waiting; the cancel follows once it is known.
    status = order.status if order.status == "needs_review" else "cancel_pending"
    await order_state_rows.want_cancelled(connection, order.id, status, now)
    if status != order.status:
        count_order(order.mode, order.kind, status)
    await order_state_rows.add_event(connection, order.id, now, "cancel_requested", forced=True if topups else None)
    for topup_id in topups:
        await _to_operator(deps, connection, topup_id)
    return None


async def _to_operator(deps: Deps, connection: Connection, topup_id: str) -> None:
    """Make a case of a top-up whose eSIM is taken back; one of which nothing was sent is cancelled."""
    order = await order_state_rows.lock(connection, topup_id)
    if order is None or order.status in {"failed", "cancelled"}:
        return
    now = deps.clock()
    tries = [attempt.now for attempt in await order_state_rows.attempts_of(connection, topup_id)]
    if cancelling.never_sent(order.now, tries):
        await move(deps, connection, order, Change(status="cancelled", events=("cancelled",)))
        return
    case = cancelling.topup_case(tries, now)
    await move(deps, connection, order, case, ops={"why": cancelling.TOPUP_CASE}, review_reason="esim_cancelled")


def _refusal(  # noqa: PLR0911 - one for each way in which it may not be
    deps: Deps, order: OrderRow, tries: list[AttemptRow], *, refunded: bool
) -> Problem | None:
    if order.status == "failed":
        return Problem("not_cancellable", "the order failed; there is nothing to cancel")
    if refunded:
        return None
    if order.kind in ITEM_KINDS:
        return Problem("not_supported", f"an order of kind {order.kind} cannot be cancelled: no supplier cancels it")
    if order.kind != "esim":
        return Problem("not_cancellable", f"an order of kind {order.kind} cannot be cancelled")
    bought = next((attempt for attempt in tries if attempt.kind == "purchase" and attempt.now.live), None)
    if bought is None:
        return None
    account = account_of(deps.accounts, bought.supplier, order.mode)
    if account is None or Capability.CANCEL not in account.manifest.capabilities:
        return not_supported(Capability.CANCEL)
    return None
