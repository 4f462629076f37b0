"""A customer who has the money back: the order that it paid for is cancelled, while that can still be done.

Everything here runs in the caller's transaction, which locks the order first and its checkout after it: the same
sequence as when the end of an order is written, so that the two never wait for each other.
"""

from __future__ import annotations

from gateway.kit.pool import Connection
from gateway.orders import order_state_rows
from gateway.orders.cancel import ask_cancel
from gateway.orders.order_rows import OrderRow
from gateway.suppliers.deps import Deps

_WAITING = frozenset({"pending", "cancel_pending", "needs_review"})


async def lock_order(connection: Connection, checkout_id: str) -> OrderRow | None:
    """The order of a checkout, held until the end of the transaction; None before there is one."""
    order_id = await order_state_rows.id_of_checkout(connection, checkout_id)
    return None if order_id is None else await order_state_rows.lock(connection, order_id)


async def cancel_refunded(deps: Deps, connection: Connection, order: OrderRow | None) -> bool:
    """Ask for the cancellation of an order whose payment was given back in full; True when it is cancelled now.

    Cancelled at once while nothing was sent for it; otherwise when it is known what became of that. An order that is
    delivered, or at its end, stays as it is.
    """
    if order is None or order.status not in _WAITING:
        return False
    await order_state_rows.add_event(connection, order.id, deps.clock(), "payment_refunded")
    if await ask_cancel(deps, connection, order, refunded=True) is not None:
        return False
    after = await order_state_rows.load(connection, order.id)
    return after is not None and after.status == "cancelled"
