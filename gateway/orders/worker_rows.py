"""Workers' heartbeats, overdue orders, and leases on work that one process of several does."""

from __future__ import annotations

import os
import socket
from uuid import UUID

from gateway.kit.pool import Connection, Pool
from gateway.orders.health_rules import MOST_COUNTED, OVERDUE_SECONDS, OrderHealth, OverdueOrder

_NAMED = 10  # of the overdue orders
ORDER_HEALTH = """
    WITH overdue AS MATERIALIZED (
        SELECT id, mode, next_poll_at AS due_at FROM orders
        WHERE next_poll_at < now() - make_interval(secs => $1) ORDER BY next_poll_at LIMIT $2)
    SELECT extract(epoch FROM now() - (SELECT max(seen_at) FROM workers))::float8 AS seen,
    (SELECT count(*) FROM overdue) AS overdue,
    (SELECT count(*) FROM overdue WHERE mode = 'test') AS overdue_test,
    ARRAY(SELECT id FROM overdue ORDER BY due_at LIMIT $3) AS ids,
    ARRAY(SELECT due_at FROM overdue ORDER BY due_at LIMIT $3) AS due"""


async def record_heartbeat(pool: Pool, worker_id: UUID) -> None:
    """Say that this worker lives. Rows of workers that were not seen for a day are deleted."""
    await pool.execute(
        """WITH gone AS (DELETE FROM workers WHERE seen_at < now() - interval '1 day' AND id <> $1)
           INSERT INTO workers (id, host, pid) VALUES ($1, $2, $3)
           ON CONFLICT (id) DO UPDATE SET seen_at = now()""",
        worker_id,
        socket.gethostname(),
        os.getpid(),
    )


async def order_health(connection: Pool | Connection) -> OrderHealth:
    """When a worker was last seen, and which orders are overdue. Reads two indexes, however many orders there are."""
    row = await connection.fetchrow(
        ORDER_HEALTH,
        OVERDUE_SECONDS,
        MOST_COUNTED,
        _NAMED,
    )
    if row is None:
        return OrderHealth(worker_seen_seconds=None)
    oldest = tuple(OverdueOrder(*overdue) for overdue in zip(row["ids"], row["due"], strict=True))
    return OrderHealth(
        worker_seen_seconds=row["seen"], overdue=row["overdue"], overdue_test=row["overdue_test"], oldest=oldest
    )


async def take_lease(connection: Pool | Connection, name: str, holder: UUID, seconds: float) -> bool:
    """Take or renew a lease for so long; False while another process holds it."""
    taken = await connection.fetchval(
        """INSERT INTO leases AS l (name, holder, held_until) VALUES ($1, $2, now() + make_interval(secs => $3))
           ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
           WHERE l.holder = excluded.holder OR l.held_until <= now() RETURNING true""",
        name,
        holder,
        seconds,
    )
    return bool(taken)


async def release_lease(connection: Pool | Connection, name: str, holder: UUID) -> None:
    """Give a lease back, so that another process need not wait for its end."""
    await connection.execute("DELETE FROM leases WHERE name = $1 AND holder = $2", name, holder)
