"""What S2S has signed: texts strung together without anything between them, HMAC-SHA256, lower-case hex.

The key is ``partner_secret``, which is not the bearer token. Timestamps are whole Unix seconds and
hold for five minutes either way.
"""

from __future__ import annotations

from datetime import datetime

from providers.kit.signing import hmac_sha256, signed_by

TOLERANCE_SECONDS = 300
TIMESTAMP_HEADER = "X-Timestamp"
SIGNATURE_HEADER = "X-Signature"


def order_headers(secret: str, signed_at: datetime, sku_id: str, external_id: str) -> dict[str, str]:
    """The headers of POST /orders; ``signed_at`` is the attempt's committed time, never a later one."""
    return _headers(secret, signed_at, sku_id, external_id)


def topup_headers(secret: str, signed_at: datetime, iccid: str, external_id: str) -> dict[str, str]:
    """The headers of a top-up, which are signed over the ICCID instead of a SKU."""
    return _headers(secret, signed_at, iccid, external_id)


def is_signed(secret: str, timestamp: str, first: str, second: str, signature: str, now: datetime) -> bool:
    """Whether ``signature`` covers timestamp + first + second, and the timestamp is within five minutes of ``now``."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):  # noqa: PLR2004 - 12 digits: the year 33658
        return False
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    return signed_by(secret, timestamp + first + second, signature)


def _headers(secret: str, signed_at: datetime, first: str, second: str) -> dict[str, str]:
    timestamp = str(int(signed_at.timestamp()))
    return {TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: hmac_sha256(secret, timestamp + first + second)}
