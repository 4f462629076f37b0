"""The address of a traveller's page: unguessable, good for a while, and kept nowhere. Pure.

It is the eSIM's id, the last day on which it is good and a keyed digest of both. It stays the same for a whole
day, so that an order that is fetched twice shows the same address.
"""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime, timedelta

from gateway.kit.sealing import Seal

PATH = "/e/"
_MAC_BYTES = 16
_DAY_BYTES = 3
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PREFIX = "esim_"
_LONGEST = 120


def token_for(seal: Seal, esim_id: str, now: datetime, days: int) -> str:
    """The secret part of the address of an eSIM's page, good for ``days`` more days than this one."""
    payload = (_day(now) + days).to_bytes(_DAY_BYTES, "big") + bytes.fromhex(esim_id.removeprefix(_PREFIX))
    return _text(_mac(seal.digest(_purpose(payload))) + payload)


def url_for(seal: Seal, esim_id: str, now: datetime, days: int, base: str = "") -> str:
    """The address; a path when ``base`` is empty."""
    return base.rstrip("/") + PATH + token_for(seal, esim_id, now, days)


def esim_of(seal: Seal, token: str, now: datetime) -> str | None:
    """The id of the eSIM whose page that is; None when the address is wrong or its time is over."""
    if len(token) > _LONGEST:
        return None
    try:
        raw = base64.b64decode(token.encode() + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    if _text(raw) != token:  # the last letter has bits to spare, and one page has one address
        return None
    mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    good = [hmac.compare_digest(mac, _mac(digest)) for digest in seal.digests(_purpose(payload))]
    if not any(good) or int.from_bytes(payload[:_DAY_BYTES], "big") < _day(now):
        return None
    return _PREFIX + payload[_DAY_BYTES:].hex()


def expires_at_of(token: str) -> datetime:
    """When an address that ``esim_of`` found good is good no longer."""
    raw = base64.urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4))
    return _EPOCH + timedelta(days=int.from_bytes(raw[_MAC_BYTES : _MAC_BYTES + _DAY_BYTES], "big") + 1)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _day(now: datetime) -> int:
    return (now - _EPOCH).days


def _purpose(payload: bytes) -> bytes:
    return b"page of an esim\0" + payload


def _mac(digest: bytes) -> bytes:
    return digest[:_MAC_BYTES]
