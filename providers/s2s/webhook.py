"""S2S's notification: verified over its header and envelope, then read for what it points at.

The signature covers timestamp, event and idempotency_key but not the order in the body, so the order
is a hint and is fetched before it is believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec
import structlog

from providers.kit.text import clean_text
from providers.s2s import orders, wire
from providers.s2s.signatures import SIGNATURE_HEADER, TIMESTAMP_HEADER, is_signed
from schemas.event import SupplierEvent, SupplierEventType

EVENTS: Mapping[str, SupplierEventType] = {"order.status_changed": SupplierEventType.ORDER_CHANGED}

_LONGEST_ID = 255

_log = structlog.get_logger("providers.s2s")


def verify(headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
    """Whether the supplier signed this within five minutes of ``now``; anything unreadable is False."""
    named = {name.casefold(): value for name, value in headers.items()}
    timestamp = named.get(TIMESTAMP_HEADER.casefold())
    signature = named.get(SIGNATURE_HEADER.casefold())
    if timestamp is None or signature is None:
        return False
    try:
        envelope = msgspec.json.decode(body, type=wire.WebhookEnvelope)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False
    if _id(envelope.idempotency_key) is None:
        return False
    return is_signed(secret, timestamp, envelope.event, envelope.idempotency_key, signature, now)


def parse(body: bytes) -> list[SupplierEvent]:
    """The event in a verified body. One that is not described on the page is UNKNOWN and points at nothing."""
    envelope = msgspec.json.decode(body, type=wire.WebhookEnvelope)
    kind = EVENTS.get(envelope.event)
    if kind is None:
        _log.warning("supplier_term_unknown", what="webhook event", word=clean_text(envelope.event, 60))
        return [SupplierEvent(SupplierEventType.UNKNOWN, envelope.idempotency_key)]
    try:
        pointer = msgspec.json.decode(body, type=wire.WebhookPointer)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        # Signed, so it is theirs: worth knowing of, even where its order cannot be read.
        return [SupplierEvent(kind, envelope.idempotency_key)]
    order = pointer.data.order
    return [
        SupplierEvent(
            type=kind,
            dedupe_key=envelope.idempotency_key,
            supplier_order_id=_id(order.id),
            reference=_id(order.external_id),
            occurred_at=orders.moment(pointer.timestamp),
        )
    ]


def _id(text: str | None) -> str | None:
    """An id as it may be looked up; the body is not signed, so anything may stand there."""
    return text if text and len(text) <= _LONGEST_ID and text.isprintable() else None
