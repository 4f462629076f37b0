"""Events that the gateway sends to a storefront's webhook endpoint, verified as Standard Webhooks says."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import cast

from .decoding import decode
from .errors import WebhookVerificationError
from .events import EventBase
from .models import Event

_PREFIX = "whsec_"
TOLERANCE_SECONDS = 300


def read_webhook(
    body: bytes,
    headers: Mapping[str, str],
    secret: str,
    *,
    tolerance_seconds: float = TOLERANCE_SECONDS,
    now: float | None = None,
) -> Event:
    """The event in a webhook: ``body`` exactly as it came, and the request's headers.

    ``secret`` is the endpoint's, ``whsec_…``. The header ``webhook-id`` is the same whenever an event is sent again.
    Raises ``WebhookVerificationError`` for what the gateway did not sign, or not within ``tolerance_seconds`` of
    ``now`` (seconds since 1970; the clock by default), and ``ValueError`` for a secret that is none.
    """
    key = _key(secret)
    named = {name.lower(): value for name, value in headers.items()}
    try:
        event_id, sent_at, signatures = (named[f"webhook-{word}"] for word in ("id", "timestamp", "signature"))
        at = int(sent_at)
    except (KeyError, ValueError):
        raise WebhookVerificationError("a header of Standard Webhooks is missing or malformed") from None
    signed = _bytes(f"{event_id}.{sent_at}.") + body
    expected = b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
    # All are compared, so that the time taken does not depend on which of them fits.
    fits = [hmac.compare_digest(expected, _bytes(signature)) for signature in signatures.split(" ")]
    if not any(fits):
        raise WebhookVerificationError("the signature is wrong")
    if abs((time.time() if now is None else now) - at) > tolerance_seconds:
        raise WebhookVerificationError("the webhook is too old, or its time is in the future")
    try:
        return cast("Event", decode(body, EventBase))
    except ValueError as error:
        raise WebhookVerificationError(f"the body is not an event: {error}") from error


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not key:  # whoever sends a webhook could sign it with an empty key
        raise ValueError(f"secret is not a webhook secret; it begins with {_PREFIX}")
    return key


def _bytes(text: str) -> bytes:
    """Text of a header; servers write bytes that are no text as surrogates."""
    return text.encode("utf-8", "surrogatepass")
