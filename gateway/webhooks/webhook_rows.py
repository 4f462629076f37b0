"""Deliveries of events to webhook endpoints in the database: claimed when they are due, and what came of each try."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from gateway.kit.pool import Connection, Pool


class Due(msgspec.Struct, frozen=True):
    """A delivery to be made now by whoever claimed it; nobody else does before ``leased_until``.

    ``secrets`` are sealed, the newest first; ``body`` is sealed too. ``tries`` were made before.
    """

    id: str
    endpoint_id: str
    storefront_id: str
    event_id: str
    tries: int
    leased_until: datetime
    enabled: bool
    url: str
    secrets: tuple[bytes, ...]
    body: bytes


class Try(msgspec.Struct, frozen=True):
    """One try at a delivery, as its log shows it. ``error`` is a word, null where an answer came."""

    at: datetime
    http_status: int | None
    error: str | None
    ms: int


async def claim_due(
    pool: Pool, *, most: int, most_per_endpoint: int, most_per_storefront: int, lease_seconds: float,
    without: Sequence[str] = (), without_storefronts: Sequence[str] = (),
) -> list[Due]:  # fmt: skip
    """Take deliveries that are due, so that no other worker makes them for ``lease_seconds``.

    At most so many for one endpoint and for one storefront, and none for those in ``without`` and
    ``without_storefronts``: one that answers slowly, or has many that do, does not keep the others waiting.
    """
    rows = await pool.fetch(
        """WITH due AS (
               SELECT d.id, d.endpoint_id, p.storefront_id, d.next_at
               FROM webhook_deliveries d JOIN webhook_endpoints p ON p.id = d.endpoint_id
               WHERE d.next_at <= now() AND d.endpoint_id <> ALL ($4::text[]) AND p.storefront_id <> ALL ($5::text[])
               ORDER BY d.next_at LIMIT 1000
           ), ranked AS (
               SELECT *, row_number() OVER (PARTITION BY endpoint_id ORDER BY next_at, id) AS place FROM due
           ), fair AS (
               SELECT id, next_at, row_number() OVER (PARTITION BY storefront_id ORDER BY next_at, id) AS place
               FROM ranked WHERE place <= $2
           ), taken AS (
               SELECT d.id FROM webhook_deliveries d JOIN fair r ON r.id = d.id
               WHERE r.place <= $6 AND d.next_at <= now() ORDER BY r.next_at LIMIT $1 FOR UPDATE OF d SKIP LOCKED
           ), leased AS (
               UPDATE webhook_deliveries d SET next_at = now() + make_interval(secs => $3) FROM taken
               WHERE d.id = taken.id RETURNING d.id, d.endpoint_id, d.event_id, d.attempts, d.next_at
           )
           SELECT l.id, l.endpoint_id, p.storefront_id, l.event_id, jsonb_array_length(l.attempts) AS tries,
                  l.next_at AS leased_until,
                  p.status = 'enabled' AS enabled, p.url, p.secret,
                  CASE WHEN p.old_secret_until > now() THEN p.old_secret END AS old_secret, e.body
           FROM leased l JOIN webhook_endpoints p ON p.id = l.endpoint_id JOIN webhook_events e ON e.id = l.event_id""",
        most,
        most_per_endpoint,
        lease_seconds,
        list(without),
        list(without_storefronts),
        most_per_storefront,
    )
    return [
        Due(
            id=row["id"],
            endpoint_id=row["endpoint_id"],
            storefront_id=row["storefront_id"],
            event_id=row["event_id"],
            tries=row["tries"],
            leased_until=row["leased_until"],
            enabled=row["enabled"],
            url=row["url"],
            secrets=tuple(secret for secret in (row["secret"], row["old_secret"]) if secret is not None),
            body=row["body"],
        )
        for row in rows
    ]


async def record_try(connection: Connection, due: Due, made: Try, status: str, wait: float | None) -> bool:
    """Write what came of a claimed delivery; it is due again after ``wait`` seconds, or never.

    False, and nothing is written, when the claim had run out and somebody else took it, or it was called off.
    """
    row = await connection.fetchrow(
        "UPDATE webhook_deliveries SET attempts = attempts || jsonb_build_array($3::jsonb), status = $4,"
        " next_at = now() + make_interval(secs => $5) WHERE id = $1 AND next_at = $2 RETURNING id",
        due.id,
        due.leased_until,
        msgspec.to_builtins(made),
        status,
        wait,
    )
    return row is not None


async def call_off(pool: Pool, delivery_id: str) -> None:
    """Make no more tries at a delivery."""
    await pool.execute(
        "UPDATE webhook_deliveries SET status = 'failed', next_at = NULL WHERE id = $1 AND status = 'pending'",
        delivery_id,
    )


async def erase_old_secrets(pool: Pool) -> None:
    """Erase signing secrets whose time is over."""
    await pool.execute(
        "UPDATE webhook_endpoints SET old_secret = NULL, old_secret_until = NULL WHERE old_secret_until <= now()"
    )
