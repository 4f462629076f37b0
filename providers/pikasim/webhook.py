"""PikaSim's webhooks: verified over the bytes that came, then read as events. Pure.

The signature is hex HMAC-SHA256 of ``JSON.stringify(payload)`` in ``X-Webhook-Signature``. Nothing
signed carries an event id or a time but the body's own ``timestamp`` (seen 2026-11).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from providers.kit.signing import signed_by
from providers.pikasim import wire
from schemas.event import SupplierEvent, SupplierEventType

SIGNATURE = "x-webhook-signature"
MAX_AGE = timedelta(hours=24)
MAX_BODY = 64 * 1024

EVENTS: dict[str, SupplierEventType] = {
    "esim.provisioned": SupplierEventType.ESIM_PROVISIONED,
    "esim.topup.completed": SupplierEventType.TOPUP_COMPLETED,
    "order.failed": SupplierEventType.ORDER_FAILED,
}

_WEBHOOK = msgspec.json.Decoder(wire.Webhook, strict=False)


def verify(headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
    """Whether the supplier signed these bytes, and not longer than 24 hours before ``now`` (UTC).

    The bytes as they came are tried first, then their compact form, which is what the supplier signs
    when something on the way laid the JSON out anew. A body that does not say when it was made, or
    is larger than 64 KiB, is refused.
    """
    signature = next((value for name, value in headers.items() if name.lower() == SIGNATURE), "")
    if not secret or not signature or len(body) > MAX_BODY:
        return False
    if not signed_by(secret, body, signature):
        compact = stringified(body)
        if compact is None or not signed_by(secret, compact, signature):
            return False
    made_at = _made_at(body)
    return made_at is not None and now - made_at <= MAX_AGE


def parse(body: bytes) -> list[SupplierEvent]:
    """The one event in a verified body; an event that the page does not name is UNKNOWN.

    Raises ``ValueError`` for a body that is no notification. Equal event, order and eSIM are the same
    event, whenever it was delivered.
    """
    notice = _WEBHOOK.decode(body)
    data = notice.data or wire.WebhookData()
    iccid = data.esim.iccid if data.esim else None
    identity = msgspec.json.encode((notice.event, data.order_id, iccid))
    return [
        SupplierEvent(
            type=EVENTS.get(notice.event, SupplierEventType.UNKNOWN),
            dedupe_key=hashlib.blake2b(identity, digest_size=16).hexdigest(),
            supplier_order_id=data.order_id,
            reference=data.external_order_id,
            iccid=iccid,
            occurred_at=notice.timestamp,
        )
    ]


def stringified(body: bytes) -> bytes | None:
    """The body as ``JSON.stringify`` writes it; None when it is not valid JSON."""
    try:
        return json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None


def _made_at(body: bytes) -> datetime | None:
    try:
        made_at = _WEBHOOK.decode(body).timestamp
    except (ValueError, RecursionError):
        return None
    if made_at is None:
        return None
    return made_at if made_at.tzinfo else made_at.replace(tzinfo=UTC)
