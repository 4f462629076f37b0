"""Signatures that suppliers ask for and send: HMAC-SHA256 in lower-case hex, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac


def hmac_sha256(secret: str, message: str | bytes) -> str:
    """The lower-case hex HMAC-SHA256 of ``message`` under ``secret`` (both UTF-8)."""
    data = message.encode() if isinstance(message, str) else message
    return hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()


def signed_by(secret: str, message: str | bytes, signature: str) -> bool:
    """Whether ``signature`` is that of ``message``, in either case of hex.

    An empty secret signs nothing: False, so that a forgotten setting never lets a forgery pass.
    """
    if not secret:
        return False
    expected = hmac_sha256(secret, message).encode()
    return hmac.compare_digest(expected, signature.strip().lower().encode("utf-8", "replace"))
