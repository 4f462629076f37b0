"""Telling storefronts: an event is written in the transaction of what it tells, and delivered after that."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from gateway.access.key_rows import Mode
from gateway.kit.pages import PageRequest
from gateway.kit.pool import Connection, Pool
from gateway.kit.sealing import Seal
from gateway.webhooks import event_rows
from gateway.webhooks.event_rows import EventWrite, NewEvent, StoredEvent
from schemas.events import EventData
from schemas.notice import Notice, NoticeType
from schemas.page import Page

_SECRET_FIELDS = frozenset({"activation_code", "matching_id", "confirmation_code", "qr_code", "email"})


def prepared(
    seal: Seal,
    type: NoticeType,  # noqa: A002 - the event's own word
    data: EventData,
    now: datetime,
) -> EventWrite:
    """An event to be written with what it tells of; a worker writes its deliveries (``event_rows.dispatch``).

    ``data`` as in ``emit_event``.
    """
    if leaked := _secrets_in(msgspec.to_builtins(data)):
        raise ValueError(f"an event may not carry {leaked}")
    event_id = new_event_id()
    return EventWrite(event_id, type, seal.seal(msgspec.json.encode(Notice(type, event_id, now, data))))


async def emit_event(
    connection: Connection,
    seal: Seal,
    *,
    storefront_id: str,
    mode: Mode,
    type: NoticeType,  # noqa: A002 - the event's own word
    data: EventData,
    order_id: str | None = None,
) -> str:
    """Write an event for the storefront; call it inside the caller's transaction. Returns the event's id (``evt_…``).

    ``data`` is of the type that ``schemas.events`` has for the event; it may name an ICCID, and an activation code in
    it is a ``ValueError``. Nothing is sent here: a worker delivers what the transaction committed to the endpoints
    that ask for it.
    """
    now = datetime.now(UTC)
    event = prepared(seal, type, data, now)
    await event_rows.add_event(
        connection,
        NewEvent(
            id=event.id,
            storefront_id=storefront_id,
            mode=mode,
            type=event.type,
            order_id=order_id,
            body=event.body,
            at=now,
        ),
    )
    return event.id


async def recent_events(
    pool: Pool, seal: Seal, storefront_id: str, mode: Mode, types: Sequence[NoticeType], page_request: PageRequest
) -> Page[Notice]:
    """The storefront's events of these types from the last ``event_rows.LISTED_DAYS`` days, the newest first."""
    found = await event_rows.newest_first(pool, storefront_id, mode, types, page_request)
    return found.map(lambda event: _opened(seal, event))


def new_event_id() -> str:
    """The id of an event."""
    return f"evt_{secrets.token_hex(12)}"


class _Body(msgspec.Struct):
    data: msgspec.Raw


def _opened(seal: Seal, event: StoredEvent) -> Notice:
    """An event as it was sent. The row has the id: bodies from before 2026-11-23 do not."""
    body = msgspec.json.decode(seal.open(event.body), type=_Body)
    return Notice(event.type, event.id, event.at, body.data)


def _secrets_in(data: Any) -> str | None:
    """The first field that no event may carry, at any depth."""
    if isinstance(data, Mapping):
        for name, value in data.items():
            if name in _SECRET_FIELDS and value is not None:
                return str(name)
            if (found := _secrets_in(value)) is not None:
                return found
    elif isinstance(data, list | tuple):
        for value in data:
            if (found := _secrets_in(value)) is not None:
                return found
    return None
