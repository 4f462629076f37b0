"""An order that was pending in a backup goes to an operator: it may have been bought, or have ended, since."""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.kit.pool import Connection
from gateway.orders import order_state_rows
from gateway.orders.order_rows import OrderRow
from gateway.orders.rules.changes import Change
from gateway.orders.transitions import move
from gateway.suppliers.deps import Deps

WHY = "it was pending in the backup that the database was restored from, and may have been bought or have ended since"
_POLL_IN_REVIEW = timedelta(minutes=15)


async def ask_operator(deps: Deps, order_id: str) -> bool:
    """Leave an order that is marked as restored to an operator; False when it moved meanwhile."""
    async with deps.pool.acquire() as connection, connection.transaction():
        order = await order_state_rows.lock(connection, order_id)
        waits = order is not None and order.status in {"pending", "cancel_pending"}
        if order is None or not waits or order.review_reason != "restored":
            return False
        await to_operator(deps, connection, order, deps.clock())
    return True


async def to_operator(deps: Deps, connection: Connection, order: OrderRow, now: datetime) -> None:
    """Write it, under the order's lock. An attempt that may still be told of is polled on."""
    tries = [attempt.now for attempt in await order_state_rows.attempts_of(connection, order.id)]
    open_there = any(attempt.live and attempt.state != "succeeded" for attempt in tries)
    review = Change(
        status="needs_review", next_poll_at=now + _POLL_IN_REVIEW if open_there else None, events=("needs_review",)
    )
    await move(deps, connection, order, review, ops={"why": WHY}, review_reason="restored")
