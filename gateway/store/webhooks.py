"""Webhooks to storefronts in the database: endpoints, events and deliveries."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

import msgspec

from gateway.store.keys import Mode
from gateway.store.pool import Connection


class NewEvent(msgspec.Struct, frozen=True):
    """An event to be written; ``body`` is sealed."""

    id: str
    storefront_id: str
    mode: Mode
    type: str
    order_id: str | None
    body: bytes
    at: datetime


async def asking_for(connection: Connection, storefront_id: str, mode: Mode, event_type: str) -> list[str]:
    """The ids of the storefront's enabled endpoints that want events of this type."""
    rows = await connection.fetch(
        "SELECT id FROM webhook_endpoints WHERE storefront_id = $1 AND mode = $2 AND status = 'enabled'"
        " AND (events = '{}' OR $3 = ANY (events)) ORDER BY id",
        storefront_id,
        mode,
        event_type,
    )
    return [row["id"] for row in rows]


async def add_event(connection: Connection, event: NewEvent, endpoints: Sequence[str]) -> list[str]:
    """Write an event and, due at once, a delivery to each of the endpoints; returns the deliveries' ids."""
    await connection.execute(
        "INSERT INTO webhook_events (id, storefront_id, mode, type, order_id, body, at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        event.id,
        event.storefront_id,
        event.mode,
        event.type,
        event.order_id,
        event.body,
        event.at,
    )
    ids = [f"whd_{secrets.token_hex(12)}" for _ in endpoints]
    await connection.execute(
        "INSERT INTO webhook_deliveries (id, endpoint_id, event_id, next_at)"
        " SELECT d.id, d.endpoint_id, $3, now() FROM unnest($1::text[], $2::text[]) AS d (id, endpoint_id)",
        ids,
        list(endpoints),
        event.id,
    )
    return ids
