"""Forgetting customers' addresses in checkouts, and what payment suppliers told of those who paid.

The checkouts, their payments and their cases stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway.kit.pool import Connection, Pool


async def erase(connection: Connection | Pool, digests: Sequence[bytes]) -> list[str]:
    """Forget an address, known by its keyed digests, with the notifications of its payments; whose checkouts had it."""
    rows = await connection.fetch(
        """WITH found AS (
               UPDATE checkouts SET email = NULL, email_digest = NULL, customer_language = NULL
               WHERE email_digest = ANY($1::bytea[]) RETURNING id
           ), told AS (
               INSERT INTO checkout_events (checkout_id, at, type) SELECT id, now(), 'email_erased' FROM found
           ), unsaid AS (
               UPDATE payment_notices n SET body = NULL FROM payments p, found
               WHERE p.checkout_id = found.id AND n.account = p.account AND n.payment_id = p.payment_id
           ) SELECT id FROM found ORDER BY id""",
        list(digests),
    )
    return [row["id"] for row in rows]


async def erase_before(connection: Connection | Pool, before: datetime, most: int) -> int:
    """Forget the addresses of checkouts, and notifications, from before then, up to so many of each; how many."""
    addresses = await connection.execute(
        """WITH old AS (
               SELECT id FROM checkouts WHERE email IS NOT NULL AND created_at < $1 ORDER BY created_at LIMIT $2
               FOR UPDATE SKIP LOCKED
           )
           UPDATE checkouts c SET email = NULL, email_digest = NULL, customer_language = NULL FROM old
           WHERE c.id = old.id""",
        before,
        most,
    )
    notices = await connection.execute(
        """WITH old AS (
               SELECT id FROM payment_notices WHERE body IS NOT NULL AND received_at < $1 ORDER BY received_at LIMIT $2
               FOR UPDATE SKIP LOCKED
           )
           UPDATE payment_notices n SET body = NULL FROM old WHERE n.id = old.id""",
        before,
        most,
    )
    return sum(int(str(status).rpartition(" ")[2]) for status in (addresses, notices))
