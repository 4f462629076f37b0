"""Addresses for a traveller: of the eSIM's page and of its code's picture. Unguessable, good for a while. Pure.

An address is kept nowhere. It is the eSIM's id, the end of its time and a keyed digest of both and of what it is for,
so that one of a picture opens no page. The end is counted in whole units of time: within one unit the address stays
the same, so that an order that is fetched twice shows the same one.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.kit.sealing import Seal

PATH = "/e/"
_MAC_BYTES = 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PREFIX = "esim_"
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Link:
    """A kind of address: its ``purpose``, and the ``unit`` of its time, counted in so many ``size`` bytes."""

    purpose: bytes
    unit: timedelta
    size: int

    def token(self, seal: Seal, esim_id: str, now: datetime, units: int) -> str:
        """The secret part of the address, good for ``units`` more units than this one."""
        payload = (self._unit_of(now) + units).to_bytes(self.size, "big") + bytes.fromhex(esim_id.removeprefix(_PREFIX))
        return _text(_mac(seal.digest(self.purpose + payload)) + payload)

    def esim_of(self, seal: Seal, token: str, now: datetime) -> str | None:
        """The id of the eSIM that it is for; None when the address is wrong or its time is over."""
        if len(token) > _LONGEST:
            return None
        try:
            raw = base64.b64decode(token.encode() + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except ValueError:
            return None
        if _text(raw) != token:  # the last letter has bits to spare, and one page has one address
            return None
        mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        good = [hmac.compare_digest(mac, _mac(digest)) for digest in seal.digests(self.purpose + payload)]
        if not any(good) or int.from_bytes(payload[: self.size], "big") < self._unit_of(now):
            return None
        return _PREFIX + payload[self.size :].hex()

    def expires_at(self, token: str) -> datetime:
        """When an address that ``esim_of`` found good is good no longer."""
        raw = base64.urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4))
        return _EPOCH + self.unit * (int.from_bytes(raw[_MAC_BYTES : _MAC_BYTES + self.size], "big") + 1)

    def _unit_of(self, now: datetime) -> int:
        return (now - _EPOCH) // self.unit


PAGE = Link(b"page of an esim\0", timedelta(days=1), 3)
PICTURE = Link(b"picture of an esim's code\0", timedelta(minutes=1), 4)


def url_of(token: str, base: str = "", ending: str = "") -> str:
    """The address; a path when ``base`` is empty."""
    return f"{base.rstrip('/')}{PATH}{token}{ending}"


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _mac(digest: bytes) -> bytes:
    return digest[:_MAC_BYTES]
