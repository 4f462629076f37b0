"""Storefronts' webhook endpoints, and the log of what was sent to them. Every query carries the storefront."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from gateway.access.key_rows import Mode
from gateway.kit.pages import FIRST_PAGE, PageRequest, SortKey, SortOrders
from gateway.kit.pool import Connection, Pool
from gateway.webhooks.event_rows import NewEvent, add_event, asks
from schemas.page import Page
from schemas.webhooks import Delivery, Endpoint

_DELIVERY = """d.id, d.event_id, e.type AS event_type, d.status, d.attempts, d.created_at, d.next_at AS next_attempt_at
    FROM webhook_deliveries d JOIN webhook_events e ON e.id = d.event_id"""
DELIVERY_SORTS = SortOrders(
    at=(SortKey("d.created_at", datetime, descending=True), SortKey("d.id", str, descending=True)),
)
Also = Callable[[Connection], Awaitable[None]]


class Owner(msgspec.Struct, frozen=True):
    """Whose endpoints: a storefront in one mode."""

    storefront_id: str
    mode: Mode


async def add(
    pool: Pool, owner: Owner, *, url: str, events: Sequence[str], description: str, secret: bytes, most: int
) -> Endpoint | None:
    """A new endpoint; None when the storefront has ``most`` already. ``secret`` is sealed."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.fetchval("SELECT id FROM storefronts WHERE id = $1 FOR UPDATE", owner.storefront_id)
        row = await connection.fetchrow(
            """INSERT INTO webhook_endpoints (id, storefront_id, mode, url, events, description, secret)
                SELECT $1, $2, $3, $4, $5, $6, $7
                WHERE (SELECT count(*) FROM webhook_endpoints WHERE storefront_id = $2 AND mode = $3) < $8
                RETURNING *""",
            f"we_{secrets.token_hex(12)}",
            owner.storefront_id,
            owner.mode,
            url,
            list(events),
            description,
            secret,
            most,
        )
    return None if row is None else _endpoint(row)


async def all_of(pool: Pool, owner: Owner) -> list[Endpoint]:
    """The owner's endpoints, the oldest first."""
    rows = await pool.fetch(
        "SELECT * FROM webhook_endpoints WHERE storefront_id = $1 AND mode = $2 ORDER BY created_at, id",
        owner.storefront_id,
        owner.mode,
    )
    return [_endpoint(row) for row in rows]


async def find(pool: Pool, owner: Owner, endpoint_id: str) -> Endpoint | None:
    """One endpoint of the owner's."""
    row = await pool.fetchrow(
        "SELECT * FROM webhook_endpoints WHERE storefront_id = $1 AND mode = $2 AND id = $3",
        owner.storefront_id,
        owner.mode,
        endpoint_id,
    )
    return None if row is None else _endpoint(row)


async def change(
    pool: Pool,
    owner: Owner,
    endpoint_id: str,
    *,
    url: str | None,
    events: Sequence[str] | None,
    description: str | None,
    status: str | None,
    also: Also | None = None,
) -> Endpoint | None:
    """Change what is not None. Disabling calls off what is on its way. ``also`` in the same transaction."""
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            """UPDATE webhook_endpoints SET url = coalesce($4, url), events = coalesce($5, events),
                    description = coalesce($6, description), status = coalesce($7, status)
                WHERE storefront_id = $1 AND mode = $2 AND id = $3 RETURNING *""",
            owner.storefront_id,
            owner.mode,
            endpoint_id,
            url,
            None if events is None else list(events),
            description,
            status,
        )
        if row is not None and row["status"] == "disabled":
            await call_off_all(connection, endpoint_id)
        if row is not None and also is not None:
            await also(connection)
    return None if row is None else _endpoint(row)


async def disable(connection: Connection, endpoint_id: str, url: str) -> None:
    """Send an endpoint nothing more, unless it has another URL by now: what is on its way to it is called off."""
    row = await connection.fetchrow(
        "UPDATE webhook_endpoints SET status = 'disabled' WHERE id = $1 AND url = $2 RETURNING id", endpoint_id, url
    )
    if row is not None:
        await call_off_all(connection, endpoint_id)


async def call_off_all(connection: Connection, endpoint_id: str) -> None:
    """Make no more tries at what is on its way to an endpoint."""
    await connection.execute(
        "UPDATE webhook_deliveries SET status = 'failed', next_at = NULL WHERE endpoint_id = $1 AND status = 'pending'",
        endpoint_id,
    )


async def rotate(pool: Pool, owner: Owner, endpoint_id: str, secret: bytes, overlap: timedelta) -> Endpoint | None:
    """Put a new sealed secret in place; the one before signs too for ``overlap``."""
    row = await pool.fetchrow(
        """UPDATE webhook_endpoints SET old_secret = secret, old_secret_until = now() + $5, secret = $4
            WHERE storefront_id = $1 AND mode = $2 AND id = $3 RETURNING *""",
        owner.storefront_id,
        owner.mode,
        endpoint_id,
        secret,
        overlap,
    )
    return None if row is None else _endpoint(row)


async def remove(pool: Pool, owner: Owner, endpoint_id: str) -> bool:
    """Delete an endpoint with its log; False when the owner has none of that id."""
    row = await pool.fetchrow(
        "DELETE FROM webhook_endpoints WHERE storefront_id = $1 AND mode = $2 AND id = $3 RETURNING id",
        owner.storefront_id,
        owner.mode,
        endpoint_id,
    )
    return row is not None


async def send_one(pool: Pool, event: NewEvent, endpoint_id: str) -> Delivery:
    """Write an event for one endpoint alone; the caller has seen that it is the owner's."""
    async with pool.acquire() as connection, connection.transaction():
        await add_event(connection, event, dispatched=True)
        delivery_id = await connection.fetchval(
            "INSERT INTO webhook_deliveries (id, endpoint_id, event_id, next_at)"
            " VALUES ($1, $2, $3, now()) RETURNING id",
            f"whd_{secrets.token_hex(12)}",
            endpoint_id,
            event.id,
        )
        row = await connection.fetchrow(f"SELECT {_DELIVERY} WHERE d.id = $1", delivery_id)
    return _delivery(row)


async def deliveries(pool: Pool, endpoint_id: str, page_request: PageRequest = FIRST_PAGE) -> Page[Delivery]:
    """What was sent to an endpoint, the newest first or as the page is sorted.

    The caller has seen that the endpoint is the owner's.
    """
    arguments: list[Any] = [endpoint_id]
    keyset = DELIVERY_SORTS.keyset(page_request, arguments)
    rows = await pool.fetch(
        f"""SELECT {_DELIVERY} WHERE d.endpoint_id = $1 AND {keyset.condition}
            ORDER BY {keyset.order} LIMIT ${len(arguments) + 1}""",
        *arguments,
        page_request.fetch,
    )
    return page_request.page(rows, keyset.key).map(_delivery)


async def replay(pool: Pool, endpoint_id: str, delivery_id: str, also: Also | None = None) -> Delivery | None:
    """A new delivery of the same event, due at once; None when the endpoint has no delivery of that id.

    ``also`` is done in the same transaction.
    """
    async with pool.acquire() as connection, connection.transaction():
        new_id = await connection.fetchval(
            """INSERT INTO webhook_deliveries (id, endpoint_id, event_id, next_at)
               SELECT $3, endpoint_id, event_id, now() FROM webhook_deliveries WHERE id = $2 AND endpoint_id = $1
               RETURNING id""",
            endpoint_id,
            delivery_id,
            f"whd_{secrets.token_hex(12)}",
        )
        row = await connection.fetchrow(f"SELECT {_DELIVERY} WHERE d.id = $1", new_id)
        if row is not None and also is not None:
            await also(connection)
    return None if row is None else _delivery(row)


_SEND_AGAIN = f"""
    INSERT INTO webhook_deliveries (id, endpoint_id, event_id, next_at)
    SELECT 'whd_' || substr(replace(gen_random_uuid()::text, '-', ''), 1, 24), w.id, e.id, now()
    FROM webhook_events e JOIN webhook_endpoints w ON {asks("e.storefront_id", "e.mode", "e.type")} WHERE e.id = $1
"""  # noqa: S608 - our own words


async def newest_event(connection: Connection, order_id: str, event_type: str) -> str | None:
    """The id of the newest event of that type about an order; None when there was none, or it is deleted by age."""
    found: str | None = await connection.fetchval(
        "SELECT id FROM webhook_events WHERE order_id = $1 AND type = $2 ORDER BY at DESC LIMIT 1", order_id, event_type
    )
    return found


async def send_again(connection: Connection, event_id: str) -> int:
    """A new delivery of an event, due at once, to every endpoint that asks for it now; how many those are."""
    return int(str(await connection.execute(_SEND_AGAIN, event_id)).rpartition(" ")[2])


def _endpoint(row: asyncpg.Record) -> Endpoint:
    until = row["old_secret_until"]
    return Endpoint(
        id=row["id"],
        url=row["url"],
        events=row["events"],
        description=row["description"],
        status=row["status"],
        old_secret_until=until if until is not None and until > datetime.now(UTC) else None,
        created_at=row["created_at"],
    )


def _delivery(row: Any) -> Delivery:
    return msgspec.convert(dict(row), Delivery)
