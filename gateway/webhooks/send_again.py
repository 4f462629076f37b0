"""An operator has what a storefront was told of an order sent once more."""

from __future__ import annotations

from gateway.access import audit_rows
from gateway.access.user_rows import Visitor
from gateway.kit.pool import Pool
from gateway.kit.problem import Problem
from gateway.webhooks import endpoint_rows

DELIVERED = "order.fulfilled"


async def send_delivery_again(pool: Pool, order_id: str, by: Visitor | str) -> int | Problem:
    """Send the event of an order's delivery again, with its own id, to the endpoints that ask for it; how many.

    Problems: not_found (no such event is kept), conflict (no endpoint asks for it).
    """
    async with pool.acquire() as connection, connection.transaction():
        event_id = await endpoint_rows.newest_event(connection, order_id, DELIVERED)
        if event_id is None:
            return Problem("not_found", f"no {DELIVERED} event of this order is kept")
        count = await endpoint_rows.send_again(connection, event_id)
        if not count:
            return Problem("conflict", f"no enabled webhook endpoint of the storefront asks for {DELIVERED}")
        detail = {"event": event_id, "endpoints": count}
        await audit_rows.record(connection, by, "order.delivery_sent_again", f"order:{order_id}", detail)
    return count
