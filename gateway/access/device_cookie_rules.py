"""The cookie by which a browser is known again that logged in before. Pure.

It holds one token for each user who logged in there, the newest first: a random device id and a keyed digest of it
and the user. A token proves nothing but that: it opens no session, and only exempts the device from the waits that
strangers cause.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets

from gateway.kit.sealing import Seal

MOST_USERS = 5
_SEPARATOR = "~"
_ID_BYTES = 12
_MAC_BYTES = 16
_TOKEN = re.compile(r"([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{22})\Z")


def device_of(seal: Seal, user_id: str, cookie: str) -> str | None:
    """The id of the device on which this user logged in before; None for any other device."""
    for token in _tokens(cookie):
        if (found := _verified(seal, user_id, token)) is not None:
            return found
    return None


def remember_device(seal: Seal, user_id: str, cookie: str) -> str:
    """The cookie's new text after this user logged in: their device id stays if they have one there."""
    device = device_of(seal, user_id, cookie) or secrets.token_urlsafe(_ID_BYTES)
    others = [token for token in _tokens(cookie) if _verified(seal, user_id, token) is None]
    made = f"{device}.{_text(_mac(seal.digest(_purpose(user_id, device))))}"
    return _SEPARATOR.join([made, *others][:MOST_USERS])


def _tokens(cookie: str) -> list[str]:
    return [token for token in cookie.split(_SEPARATOR, MOST_USERS)[:MOST_USERS] if _TOKEN.match(token)]


def _verified(seal: Seal, user_id: str, token: str) -> str | None:
    device, _, mac = token.partition(".")
    good = [hmac.compare_digest(mac, _text(_mac(digest))) for digest in seal.digests(_purpose(user_id, device))]
    return device if any(good) else None


def _purpose(user_id: str, device: str) -> bytes:
    return f"console device\0{user_id}\0{device}".encode()


def _mac(digest: bytes) -> bytes:
    return digest[:_MAC_BYTES]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
