"""Top-ups and cancels of one eSIM, kept apart by one row lock.

The lock is that of the order which delivered the eSIM: its row says whether a cancel was asked for. A cancel holds it
with ``orders.lock`` (FOR UPDATE) while it looks for top-ups; a top-up holds it FOR SHARE while its own order is written
and while its attempt is begun. Whoever waited sees what the other one committed: PostgreSQL reads a locked row again in
its newest version. That is why the refusal is read from that very row, and why one statement may do both.

Take this lock before that of the top-up's own order, as a forced cancel does; otherwise the two can deadlock.
"""

from __future__ import annotations

from gateway.kit.pool import Connection, Pool

# $1: the eSIM's id. No row: there is no such eSIM. A null reason: it can be topped up. The state is the last that the
# supplier told ("enabled/active"); it is no part of the sealed status, so that SQL can read it.
TOPUP_REFUSAL = """
    SELECT CASE WHEN bought.cancel_requested_at IS NOT NULL OR bought.status = 'cancelled' THEN 'cancelled'
                WHEN split_part(e.state_notified, '/', 2) IN ('revoked', 'expired') THEN 'over' END AS reason
    FROM esims e JOIN orders bought ON bought.id = e.order_id
    WHERE e.id = $1 FOR SHARE OF bought
"""

_LIVE_TOPUPS = """
    SELECT t.id FROM esims e JOIN orders t ON t.target_esim_id = e.id
    WHERE e.order_id = $1 AND t.kind = 'topup' AND t.status NOT IN ('failed', 'cancelled')
      AND ($2 OR t.review_reason IS DISTINCT FROM 'esim_cancelled')
    ORDER BY t.created_at, t.id
"""


async def topup_refusal(connection: Connection | Pool, esim_id: str) -> str | None:
    """Why an eSIM cannot be topped up: "cancelled" (a cancel was asked for or is done), "over"; None when it can be.

    Holds the lock until the end of the caller's transaction.
    """
    reason: str | None = await connection.fetchval(TOPUP_REFUSAL, esim_id)
    return reason


async def live_topups(connection: Connection | Pool, order_id: str, *, cases: bool = True) -> list[str]:
    """Top-ups, live or fulfilled, of the eSIM that this order delivered, the oldest first.

    ``cases`` False leaves out those that are with an operator because their eSIM was cancelled.
    """
    return [row["id"] for row in await connection.fetch(_LIVE_TOPUPS, order_id, cases)]
