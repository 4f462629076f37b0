"""Telling storefronts: an event is written in the transaction of what it tells, and delivered after that."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from gateway.access.key_rows import Mode
from gateway.kit.pool import Connection
from gateway.kit.sealing import Seal
from gateway.webhooks import webhook_rows
from gateway.webhooks.webhook_rows import EventWrite
from schemas.events import EventData
from schemas.notice import Notice, NoticeType

_SECRET_FIELDS = frozenset({"activation_code", "matching_id", "confirmation_code", "qr_code", "email"})


def prepared(
    seal: Seal,
    type: NoticeType,  # noqa: A002 - the event's own word
    data: EventData,
    now: datetime,
) -> EventWrite:
    """An event for the outbox, written with what it tells of; a worker writes its deliveries (``emit_outbox``).

    ``data`` as in ``emit_event``.
    """
    if leaked := _secrets_in(msgspec.to_builtins(data)):
        raise ValueError(f"an event may not carry {leaked}")
    return EventWrite(f"evt_{secrets.token_hex(12)}", type, seal.seal(msgspec.json.encode(Notice(type, now, data))))


async def emit_event(
    connection: Connection,
    seal: Seal,
    *,
    storefront_id: str,
    mode: Mode,
    type: NoticeType,  # noqa: A002 - the event's own word
    data: EventData,
    order_id: str | None = None,
) -> str | None:
    """Have an event delivered to the storefront's endpoints that ask for it; call it inside the caller's transaction.

    ``data`` is of the type that ``schemas.events`` has for the event; it may name an ICCID, and an activation code in
    it is a ``ValueError``. Returns the event's id (``evt_…``), None when no endpoint asks for it.
    Nothing is sent here: a worker delivers what the transaction committed.
    """
    if leaked := _secrets_in(msgspec.to_builtins(data)):
        raise ValueError(f"an event may not carry {leaked}")
    endpoints = await webhook_rows.asking_for(connection, storefront_id, mode, type)
    if not endpoints:
        return None
    now = datetime.now(UTC)
    event = webhook_rows.NewEvent(
        id=f"evt_{secrets.token_hex(12)}",
        storefront_id=storefront_id,
        mode=mode,
        type=type,
        order_id=order_id,
        body=seal.seal(msgspec.json.encode(Notice(type, now, data))),
        at=now,
    )
    await webhook_rows.add_event(connection, event, endpoints)
    return event.id


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
