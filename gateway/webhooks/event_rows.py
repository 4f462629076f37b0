"""Events of storefronts in the database: written with what they tell of, dispatched to endpoints, listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import msgspec

from gateway.access.key_rows import Mode
from gateway.kit.pages import PageRequest, columns
from gateway.kit.pool import Connection, Pool
from schemas.page import Page

LISTED_DAYS = 30


class NewEvent(msgspec.Struct, frozen=True):
    """An event to be written; ``body`` is sealed."""

    id: str
    storefront_id: str
    mode: Mode
    type: str
    order_id: str | None
    body: bytes
    at: datetime


class StoredEvent(msgspec.Struct, frozen=True):
    """An event as it is listed; ``body`` is sealed."""

    id: str
    type: str
    body: bytes
    at: datetime


@dataclass(slots=True)
class EventWrite:
    """An event for the storefront; ``body`` is sealed."""

    id: str
    type: str
    body: bytes


def anybody_asks(storefront: str, mode: str, event_type: str) -> str:
    """The condition that anybody is sent an event of this storefront, mode and type, all three SQL.

    That is an endpoint, or the traveller by e-mail.
    """
    endpoint = f"SELECT FROM webhook_endpoints w WHERE {asks(storefront, mode, event_type)}"
    traveller = f"""SELECT FROM traveller_settings s
        WHERE s.storefront_id = {storefront} AND {_traveller_asks(event_type)}"""
    return f"EXISTS ({endpoint}) OR EXISTS ({traveller})"


def asks(storefront: str, mode: str, event_type: str) -> str:
    """The condition that an endpoint ``w`` is sent an event of this storefront, mode and type, all three SQL."""
    return (
        f"w.storefront_id = {storefront} AND w.mode = {mode} AND w.status = 'enabled'"
        f" AND (w.events = '{{}}' OR {event_type} = ANY (w.events))"
    )


def _traveller_asks(event_type: str) -> str:
    """The condition that settings ``s`` have the traveller told of an event of this type."""
    return (
        f"s.email_enabled AND ({event_type} = 'order.fulfilled'"
        f" OR ({event_type} = 'topup.completed' AND s.email_topups)"
        f" OR ({event_type} = 'esim.usage_low' AND s.email_usage))"
    )


# An event that nobody asks for is as good as dispatched.
_ADD = f"""
    INSERT INTO webhook_events (id, storefront_id, mode, type, order_id, body, at, dispatched)
    VALUES ($1, $2, $3, $4, $5, $6, $7,
            $8::bool OR NOT ({anybody_asks("$2::text", "$3::text", "$4::text")}))
"""  # noqa: S608 - our own words
_DISPATCH = f"""
    WITH picked AS (
        SELECT id FROM webhook_events WHERE NOT dispatched ORDER BY at, id LIMIT $1 FOR UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE webhook_events SET dispatched = true WHERE id = ANY (ARRAY(SELECT id FROM picked))
        RETURNING id, storefront_id, mode, type, order_id
    ), due AS (
        INSERT INTO webhook_deliveries (id, endpoint_id, event_id, next_at)
        SELECT 'whd_' || substr(replace(gen_random_uuid()::text, '-', ''), 1, 24), w.id, t.id, now()
        FROM taken t JOIN webhook_endpoints w ON {asks("t.storefront_id", "t.mode", "t.type")}
    ), emails AS (
        INSERT INTO traveller_emails (id, kind, about, order_id, esim_order_id, event_id)
        SELECT 'eml_' || substr(replace(gen_random_uuid()::text, '-', ''), 1, 24), k.kind,
               CASE WHEN k.kind = 'usage' THEN t.id ELSE o.id END, o.id, coalesce(e.order_id, o.id), t.id
        FROM taken t JOIN traveller_settings s ON s.storefront_id = t.storefront_id AND {_traveller_asks("t.type")}
        JOIN orders o ON o.id = t.order_id AND o.kind IN ('esim', 'topup')
        LEFT JOIN esims e ON e.id = o.target_esim_id
        CROSS JOIN LATERAL (
            SELECT CASE t.type WHEN 'order.fulfilled' THEN 'delivery' WHEN 'topup.completed' THEN 'topup'
                ELSE 'usage' END AS kind) k
        ON CONFLICT (kind, about) DO NOTHING
    )
    SELECT count(*)::int FROM taken
"""  # noqa: S608 - our own words


async def add_event(connection: Connection, event: NewEvent, *, dispatched: bool = False) -> None:
    """Write an event; a worker writes its deliveries, or with ``dispatched`` the caller does."""
    await connection.execute(
        _ADD,
        event.id,
        event.storefront_id,
        event.mode,
        event.type,
        event.order_id,
        event.body,
        event.at,
        dispatched,
    )


async def dispatch(pool: Pool, most: int) -> int:
    """Write deliveries and e-mails, due at once, of events that have none yet; how many events they were.

    An event that nobody asks for any more gets none.
    An e-mail about the same thing is written once. Safe from any number of workers at once.
    """
    taken: int = await pool.fetchval(_DISPATCH, most)
    return taken


async def storefronts_asking(pool: Pool, mode: Mode, event_type: str) -> list[str]:
    """The storefronts that have an enabled endpoint for events of this type."""
    rows = await pool.fetch(
        "SELECT DISTINCT storefront_id AS id FROM webhook_endpoints WHERE mode = $1 AND status = 'enabled'"
        " AND (events = '{}' OR $2 = ANY (events)) ORDER BY 1",
        mode,
        event_type,
    )
    return [row["id"] for row in rows]


async def newest_first(
    pool: Pool, storefront_id: str, mode: Mode, types: Sequence[str], page_request: PageRequest
) -> Page[StoredEvent]:
    """The storefront's events of these types from the last ``LISTED_DAYS`` days, the newest first."""
    async with pool.acquire() as connection, connection.transaction():
        # A plan that fits all storefronts alike reads everybody's events for one that has few, or few of a type.
        await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        rows = await connection.fetch(
            """SELECT id, type, body, at FROM webhook_events
               WHERE storefront_id = $1 AND mode = $2 AND at >= now() - make_interval(days => $3)
                 AND (at, id) < ($4, $5) AND type = ANY ($6::text[])
               ORDER BY at DESC, id DESC LIMIT $7""",
            storefront_id,
            mode,
            LISTED_DAYS,
            *page_request.before(datetime, str),
            list(types),
            page_request.fetch,
        )
    return page_request.page(rows, columns("at", "id")).map(_event)


def _event(row: asyncpg.Record) -> StoredEvent:
    return StoredEvent(row["id"], row["type"], row["body"], row["at"])
