"""Webhooks that suppliers sent: once each, with the attempt that they name."""

from __future__ import annotations

import msgspec

from gateway.kit.pool import Connection, Pool


class Named(msgspec.Struct, frozen=True):
    """What a webhook is about. ``failed``: the attempt had failed before, so that nothing polls it any more."""

    attempt_id: str
    order_id: str
    failed: bool


async def find_attempt(
    connection: Connection, supplier: str, reference: str | None, supplier_order_id: str | None
) -> Named | None:
    """The attempt at this supplier that a webhook names: by our reference, else by the supplier's own order id."""
    row = await connection.fetchrow(
        "SELECT id, order_id, state = 'failed' AS failed FROM attempts"
        " WHERE supplier = $1 AND (id = $2 OR supplier_order_id = $3)"
        " ORDER BY (id = $2) IS TRUE DESC, started_at DESC LIMIT 1",
        supplier,
        reference,
        supplier_order_id,
    )
    return None if row is None else Named(row["id"], row["order_id"], row["failed"])


async def store_once(
    connection: Connection, supplier: str, key: str, event_type: str, attempt_id: str | None, *, settled: bool
) -> bool:
    """Keep an event; False when it is there already. ``settled``: its order is polled by a worker in any case."""
    row = await connection.fetchrow(
        "INSERT INTO supplier_webhooks (supplier, dedupe_key, type, attempt_id, settled_at)"
        " VALUES ($1, $2, $3, $4, CASE WHEN $5 THEN now() END)"
        " ON CONFLICT DO NOTHING RETURNING supplier",
        supplier,
        key,
        event_type,
        attempt_id,
        settled,
    )
    return row is not None


async def settled(pool: Pool, supplier: str, key: str) -> None:
    """Note that what an event was about has been looked at."""
    await pool.execute(
        "UPDATE supplier_webhooks SET settled_at = now()"
        " WHERE supplier = $1 AND dedupe_key = $2 AND settled_at IS NULL",
        supplier,
        key,
    )
