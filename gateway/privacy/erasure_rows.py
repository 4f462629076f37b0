"""Forgetting customers' e-mail addresses, and what a product asked them for.

The orders, their keys and their money stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway.kit.pool import Connection, Pool


async def erase(connection: Connection | Pool, digests: Sequence[bytes]) -> list[str]:
    """Forget an address, known by its keyed digests, in every order; the orders that had it.

    What a product asked for goes with it, but for orders that are still to be bought with it: see ``erase_left``.
    """
    rows = await connection.fetch(
        """WITH found AS (
               UPDATE orders SET email = NULL, email_digest = NULL, customer_language = NULL,
                      fields = CASE WHEN status IN ('pending', 'needs_review') THEN fields END
               WHERE email_digest = ANY($1::bytea[]) RETURNING id
           ), told AS (
               INSERT INTO order_events (order_id, type) SELECT id, 'email_erased' FROM found
           ) SELECT id FROM found ORDER BY id""",
        list(digests),
    )
    return [row["id"] for row in rows]


async def erase_left(connection: Connection | Pool) -> int:
    """Forget the answers of orders that have ended since their address was forgotten; how many there were."""
    status = await connection.execute(
        """WITH ended AS (
               SELECT o.id FROM orders o
               WHERE o.fields IS NOT NULL AND o.status NOT IN ('pending', 'needs_review')
                 AND EXISTS (SELECT FROM order_events e WHERE e.order_id = o.id AND e.type = 'email_erased')
               FOR UPDATE OF o SKIP LOCKED
           )
           UPDATE orders o SET fields = NULL FROM ended WHERE o.id = ended.id"""
    )
    return int(str(status).rpartition(" ")[2])


async def erase_before(connection: Connection | Pool, before: datetime, most: int) -> int:
    """Forget the addresses and answers of orders that were placed before then, up to so many; how many there were."""
    status = await connection.execute(
        """WITH old AS (
               SELECT id FROM orders WHERE (email IS NOT NULL OR fields IS NOT NULL) AND created_at < $1
               ORDER BY created_at LIMIT $2
               FOR UPDATE SKIP LOCKED
           )
           UPDATE orders o SET email = NULL, email_digest = NULL, customer_language = NULL, fields = NULL
           FROM old WHERE o.id = old.id""",
        before,
        most,
    )
    return int(str(status).rpartition(" ")[2])
