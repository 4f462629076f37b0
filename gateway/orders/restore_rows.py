"""Orders that were pending in the backup that the database was restored from."""

from __future__ import annotations

from datetime import datetime

from gateway.kit.pool import Connection, Pool, allow_long_work

ANALYZE_SECONDS = 3600.0


async def analyze(pool: Pool) -> None:
    """Make the planner's statistics, which no backup has: without them it reads all rows where a few would do."""
    async with pool.acquire() as connection, connection.transaction():
        await allow_long_work(connection)
        await connection.execute("ANALYZE", timeout=ANALYZE_SECONDS)


async def pending(pool: Pool) -> list[str]:
    """Orders that wait, the oldest first, and were not marked yet: all that the backup left pending."""
    rows = await pool.fetch(
        """SELECT id FROM orders WHERE status IN ('pending', 'cancel_pending') AND review_reason IS NULL
           ORDER BY created_at, id"""
    )
    return [row["id"] for row in rows]


async def poll_first(connection: Connection, order_id: str, now: datetime) -> None:
    """Mark an order whose attempt the backup knows: it is polled before an operator has to decide. Under its lock."""
    await connection.execute(
        "UPDATE orders SET review_reason = 'restored', next_poll_at = $2, polls = 0, step = step + 1 WHERE id = $1",
        order_id,
        now,
    )


async def to_poll(pool: Pool) -> list[str]:
    """Orders that were marked by ``poll_first`` and are not settled, the oldest first."""
    rows = await pool.fetch(
        """SELECT id FROM orders WHERE review_reason = 'restored' AND status IN ('pending', 'cancel_pending')
           ORDER BY created_at, id"""
    )
    return [row["id"] for row in rows]


async def known_there(connection: Connection, order_id: str) -> None:
    """The supplier knows the order: it is followed as usual. Under its lock."""
    await connection.execute(
        "UPDATE orders SET review_reason = NULL, step = step + 1 WHERE id = $1 AND review_reason = 'restored'", order_id
    )


async def awaiting_release(pool: Pool) -> list[str]:
    """Orders that wait for an operator because they were pending in the backup, the oldest first."""
    rows = await pool.fetch(
        """SELECT id FROM orders WHERE review_reason = 'restored' AND status = 'needs_review'
           ORDER BY created_at, id"""
    )
    return [row["id"] for row in rows]


async def release(connection: Connection, order_id: str, now: datetime) -> None:
    """Let an order go on as pending, or as the cancel that was asked for. Under its lock."""
    await connection.execute(
        """UPDATE orders SET status = CASE WHEN cancel_requested_at IS NULL THEN 'pending' ELSE 'cancel_pending' END,
                  review_reason = NULL, next_poll_at = $2, polls = 0, step = step + 1, updated_at = $2
           WHERE id = $1 AND status = 'needs_review' AND review_reason = 'restored'""",
        order_id,
        now,
    )
