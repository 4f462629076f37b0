"""Messages of alerts on their way to channels: written with the alerts, claimed, tried, settled."""

from __future__ import annotations

import secrets
from datetime import datetime

import msgspec

from gateway.kit.pool import Connection, Pool
from schemas.api_alerts import AlertMessage, AlertsTold, AlertTry


class Due(msgspec.Struct, frozen=True):
    """A message to be sent now by whoever claimed it; ``secret`` is sealed. ``tries`` were made before."""

    id: str
    channel_id: str
    channel: str
    kind: str
    recipients: tuple[str, ...]
    url: str | None
    secret: bytes | None
    created_at: datetime
    tries: int
    leased_until: datetime
    body: AlertsTold


async def add(connection: Connection, channel_id: str, message: AlertsTold, now: datetime) -> str:
    """Write a message, due at once; its id."""
    made = f"alm_{secrets.token_hex(10)}"
    await connection.execute(
        "INSERT INTO alert_messages (id, channel_id, created_at, body, next_at) VALUES ($1, $2, $3, $4, $3)",
        made,
        channel_id,
        now,
        msgspec.to_builtins(message),
    )
    return made


async def claim_due(pool: Pool, most: int, lease_seconds: float) -> list[Due]:
    """Take messages that are due, the oldest first, so that nobody else sends them for ``lease_seconds``."""
    rows = await pool.fetch(
        """WITH taken AS (
               SELECT id FROM alert_messages WHERE next_at <= now() ORDER BY created_at LIMIT $1
               FOR UPDATE SKIP LOCKED
           ), leased AS (
               UPDATE alert_messages m SET next_at = now() + make_interval(secs => $2) FROM taken
               WHERE m.id = taken.id RETURNING m.*
           )
           SELECT l.id, l.channel_id, c.name AS channel, c.kind, c.recipients, c.url, c.secret, l.created_at,
                  jsonb_array_length(l.attempts) AS tries, l.next_at AS leased_until, l.body
           FROM leased l JOIN alert_channels c ON c.id = l.channel_id ORDER BY l.created_at""",
        most,
        lease_seconds,
    )
    return [
        Due(
            **{name: row[name] for name in row.keys() if name not in {"recipients", "body"}},  # noqa: SIM118 - a record iterates over its values
            recipients=tuple(row["recipients"]),
            body=msgspec.convert(row["body"], AlertsTold),
        )
        for row in rows
    ]


async def record(connection: Connection, due: Due, made: AlertTry, status: str, wait: float | None) -> bool:
    """Write what came of a claimed message; it is due again after ``wait`` seconds, or never.

    False, and nothing is written, when the claim had run out and somebody else took it, or it was called off.
    """
    row = await connection.fetchrow(
        "UPDATE alert_messages SET attempts = attempts || jsonb_build_array($3::jsonb), status = $4,"
        " next_at = now() + make_interval(secs => $5) WHERE id = $1 AND next_at = $2 RETURNING id",
        due.id,
        due.leased_until,
        msgspec.to_builtins(made),
        status,
        wait,
    )
    return row is not None


async def hurry(connection: Connection, channel_id: str) -> None:
    """Have what waits for a channel sent now: it takes messages again."""
    # What is being sent at this moment keeps its lease: that is at most a minute ahead.
    await connection.execute(
        "UPDATE alert_messages SET next_at = now() WHERE channel_id = $1 AND next_at > now() + interval '1 minute'",
        channel_id,
    )


async def newest(pool: Pool, channel_id: str, limit: int) -> list[AlertMessage]:
    """The last messages to a channel, the newest first."""
    rows = await pool.fetch(
        """SELECT id, created_at, status, next_at, coalesce((body ->> 'raised_count')::int, 0) AS raised,
                  coalesce((body ->> 'cleared_count')::int, 0) AS cleared, attempts
           FROM alert_messages WHERE channel_id = $1 ORDER BY created_at DESC, id LIMIT $2""",
        channel_id,
        limit,
    )
    return [msgspec.convert(dict(row), AlertMessage) for row in rows]
