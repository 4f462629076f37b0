"""An attempt that our books lost and the supplier's still have, taken back into ours."""

from __future__ import annotations

import secrets
from datetime import timedelta

from gateway.items import item_rules, item_source
from gateway.items.item_rules import ItemWanted
from gateway.kit.pool import Connection
from gateway.kit.problem import Problem
from gateway.orders import attempt_rows, order_state_rows
from gateway.orders.order_rows import Bound, OrderRow
from gateway.suppliers.accounts import account_of
from gateway.suppliers.deps import Deps
from providers.contract import Capability

_SOON = timedelta(seconds=1)


async def link_supplier_order(  # noqa: PLR0911 - one for each way in which it may not be
    deps: Deps, order_id: str, supplier: str, reference: str | None = None, supplier_order_id: str | None = None
) -> Problem | None:
    """Give an order that waits the attempt which a restore took from it; None when that is done.

    ``reference`` is our own, as the supplier shows it (``reconcile`` names it); where it takes none of ours (virtual
    numbers) its own ``supplier_order_id`` names the attempt, and one of the two is needed. The attempt counts as
    unknown, so the next look asks the supplier for it and settles what it says; nothing is sent. Problems: not_found,
    conflict.
    """
    if reference is None and supplier_order_id is None:
        return Problem("conflict", "our reference or the supplier's order is required")
    reference = reference or f"att_{secrets.token_hex(12)}"
    account = deps.accounts.get(supplier)
    if account is None or Capability.ORDERS not in account.manifest.capabilities:
        return Problem("not_found", f"no supplier {supplier} that sells is configured")
    async with deps.pool.acquire() as connection, connection.transaction():
        order = await order_state_rows.lock(connection, order_id)
        if order is None:
            return Problem("not_found", "there is no such order")
        if account_of(deps.accounts, supplier, order.mode) is None:
            return Problem("conflict", f"the account {supplier} is not in the mode of this order, {order.mode}")
        tries = await order_state_rows.attempts_of(connection, order_id)
        waits = order.status == "pending" or order.review_reason == "restored"
        if not waits or any(attempt.now.live for attempt in tries):
            return Problem(
                "conflict", f"the order is {order.status}; only one that waits and has no attempt can be linked"
            )
        if await order_state_rows.attempt(connection, reference) is not None:
            return Problem("conflict", "that attempt is known already")
        if supplier_order_id is not None and await attempt_rows.is_known_order(connection, supplier, supplier_order_id):
            return Problem("conflict", "that order of the supplier belongs to another attempt")
        offer, wanted = await _offer(deps, connection, order, supplier)
        if offer is None:
            return Problem("conflict", f"{supplier} has no offer of the plan {order.plan_id}")
        now = deps.clock()
        provision_by = now + timedelta(seconds=account.settings.provisioning_seconds)
        await attempt_rows.link(
            connection,
            attempt_rows.LinkedAttempt(
                id=reference,
                order=order,
                number=len(tries) + 1,
                supplier=supplier,
                offer=offer,
                quiescent_at=max(now, order.created_at + _SOON),
                provision_by=provision_by,
                supplier_order_id=supplier_order_id,
                item=item_rules.stored(wanted),
            ),
        )
        await order_state_rows.add_event(
            connection, order_id, now, "attempt_adopted", supplier=supplier, attempt=reference
        )
        await order_state_rows.due_now(connection, order_id, now)
    return None


async def _offer(
    deps: Deps, connection: Connection, order: OrderRow, supplier: str
) -> tuple[Bound | None, ItemWanted | None]:
    """What was bought: a top-up's own offer, else the supplier's cheapest of the plan, or its line of the item."""
    if order.bound is not None:
        return (order.bound if order.bound.supplier == supplier else None), None
    if order.kind in item_rules.ITEM_KINDS:
        source = item_source.source_of(order.mode, item_rules.item_of(order.plan))
        lines = [] if source is None else await source.lines(deps)
        line = next((offered for offered in lines if offered.supplier == supplier and offered.cost is not None), None)
        if line is None or line.cost is None:
            return None, None
        return Bound(supplier, line.key, line.cost.amount * line.units, line.cost.currency), line.wanted
    return await attempt_rows.cheapest_of(connection, supplier, order.plan_id), None
