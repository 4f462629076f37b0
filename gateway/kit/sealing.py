"""Secrets at rest: sealed with AES-256-GCM under a key that the sealed bytes name, found by keyed digests.

Both keys come from ``secret_key`` by HKDF. The first of the list seals, every one of it opens, so a new key is
put in front and ``secrets rotate`` seals everything anew, after which the old one can go. Pure: no row, no file.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.kit.settings import Settings
from schemas.errors import ConfigurationError

VERSION = b"\x01"
KEY_ID_BYTES = 8
_NONCE_BYTES = 12
_TAG_BYTES = 16
_HEAD_BYTES = len(VERSION) + KEY_ID_BYTES
_PURPOSE = b"esim-gateway sealing 1: "


class Unsealable(Exception):  # noqa: N818 - a fact about the bytes
    """No configured key opens these bytes: they were altered, or their key left ``secret_key`` too early."""


class _Key(NamedTuple):
    id: bytes
    cipher: AESGCM
    digesting: bytes


class Seal:
    """Seals and opens with the configured keys, the newest first.

    A gateway without any can be made; it raises ``ConfigurationError`` where a key is needed.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        self._keys = tuple(_key(secret) for secret in secrets)
        self._by_id = {key.id: key for key in self._keys}

    @classmethod
    def from_settings(cls, settings: Settings) -> Seal:
        """The keys that ``secret_key`` lists."""
        return cls([key.get_secret_value() for key in settings.secret_key])

    def seal(self, plain: str | bytes) -> bytes:
        """Version, key id, nonce, ciphertext and tag: 37 bytes more than the text. Never the same bytes twice."""
        key = self._first()
        head = VERSION + key.id
        nonce = os.urandom(_NONCE_BYTES)
        return head + nonce + key.cipher.encrypt(nonce, _bytes(plain), head)

    def open(self, sealed: bytes) -> bytes:
        """What was sealed, as bytes. Raises ``Unsealable``."""
        head, rest = sealed[:_HEAD_BYTES], sealed[_HEAD_BYTES:]
        key = self._by_id.get(head[len(VERSION) :])
        if not head.startswith(VERSION) or key is None or len(rest) < _NONCE_BYTES + _TAG_BYTES:
            raise Unsealable("no key of secret_key opens this")
        try:
            return key.cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], head)
        except InvalidTag:
            raise Unsealable("these bytes were altered") from None

    def open_text(self, sealed: bytes) -> str:
        """What was sealed, as text. Raises ``Unsealable``."""
        return self.open(sealed).decode()

    def digest(self, text: str | bytes) -> bytes:
        """32 bytes by which a sealed value is written to be found again; without the key nobody can try values on it.

        Under the newest key, so in a row it may only stand beside the sealed value it is of: ``secrets rotate``
        makes it anew from that. Find by ``digests``, which knows the older keys too.
        """
        return _digest(self._first(), text)

    def digests(self, text: str | bytes) -> list[bytes]:
        """The digests under every key, for ``= ANY($1)``: rows that were not rotated yet are found as well."""
        self._first()
        return [_digest(key, text) for key in self._keys]

    @property
    def single(self) -> bool:
        """Whether one key alone is configured, so that a value has one digest."""
        return len(self._keys) == 1

    def is_current(self, sealed: bytes) -> bool:
        """Whether the newest key sealed it."""
        return sealed[:_HEAD_BYTES] == VERSION + self._first().id

    @property
    def head(self) -> bytes:
        """How bytes that the newest key sealed begin."""
        return VERSION + self._first().id

    def _first(self) -> _Key:
        if not self._keys:
            raise ConfigurationError(
                "secret_key: secrets are kept only under one; set GATEWAY_SECRET_KEY to what "
                "`esim-gateway secrets new` prints"
            )
        return self._keys[0]


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _digest(key: _Key, text: str | bytes) -> bytes:
    return hmac.digest(key.digesting, _bytes(text), "sha256")


@lru_cache(maxsize=16)
def _key(secret: str) -> _Key:
    sealing = _derive(secret, b"seal")
    return _Key(sha256(_derive(secret, b"key id")).digest()[:KEY_ID_BYTES], AESGCM(sealing), _derive(secret, b"digest"))


def _derive(secret: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_PURPOSE + purpose).derive(secret.encode())
