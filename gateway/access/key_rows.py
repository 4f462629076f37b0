"""Storefronts and their API keys. A key's text is shown once, when it is made; its SHA-256 is what stays.

A key reads ``gw_live_`` or ``gw_test_``, 32 random letters and digits (190 bits), and six that are a
checksum of what stands before them: a guess or a typo is refused without a look at the database.
"""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

import asyncpg
import msgspec

from gateway.access.scope_rules import SCOPES, fault_of_scopes
from gateway.kit.pages import PageRequest
from schemas.page import Page

Mode = Literal["live", "test"]

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM = 32
_CHECK = 6
_LONGEST_NAME = 200
_LONGEST_KEY_NAME = 100
_PREFIXES: Mapping[str, Mode] = {"gw_live_": "live", "gw_test_": "test"}
_LENGTH = len("gw_live_") + _RANDOM + _CHECK

_SELECT = """
    SELECT k.id, k.name, k.storefront_id, s.name AS storefront, k.mode, k.scopes, k.prefix, k.per_minute,
           k.created_at, k.revoked_at, k.last_used_at
    FROM api_keys k JOIN storefronts s ON s.id = k.storefront_id
"""


class ApiKey(msgspec.Struct, frozen=True):
    """One key as the database has it.

    ``name`` is None for a key without one, ``per_minute`` None means the default of the settings.
    """

    id: str
    name: str | None
    storefront_id: str
    storefront: str
    mode: Mode
    scopes: tuple[str, ...]
    prefix: str
    per_minute: int | None
    created_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


class NewKey(msgspec.Struct, frozen=True):
    """A key that was just made; ``key`` is its text, which nothing can show again."""

    id: str
    name: str | None
    key: str
    storefront: str
    mode: Mode
    scopes: tuple[str, ...]


class InvalidKeyError(ValueError):
    """A key was asked for that cannot be: no storefront's name, no scope, or an unknown one."""


def new_key_text(mode: Mode) -> str:
    """The text of a fresh key."""
    body = f"gw_{mode}_" + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return body + _checksum(body)


def is_key_text(text: str) -> bool:
    """Whether the text could be a key at all."""
    return (
        len(text) == _LENGTH
        and text[:8] in _PREFIXES
        and text.isascii()
        and text[8:].isalnum()
        and _checksum(text[:-_CHECK]) == text[-_CHECK:]
    )


def key_digest(text: str) -> bytes:
    """What is kept of a key."""
    return sha256(text.encode()).digest()


async def create_key(
    pool: asyncpg.Pool,
    *,
    storefront: str,
    mode: Mode,
    scopes: Collection[str],
    name: str | None = None,
    per_minute: int | None = None,
    storefront_id: str | None = None,
    also: Callable[[Any, NewKey], Awaitable[None]] | None = None,
) -> NewKey:
    """Make a key for the storefront of that name, which is made too when it is new; ``also`` in the same transaction.

    With ``storefront_id`` the key is that storefront's, whose name ``storefront`` then is.

    Raises ``InvalidKeyError`` for a blank name, an unknown mode, scopes that cannot be, or a rate below one.
    """
    owner, name = storefront.strip(), (name or "").strip() or None
    if not _is_text(owner, _LONGEST_NAME):
        raise InvalidKeyError("a storefront's name has 1 to 200 characters")
    if name is not None and not _is_text(name, _LONGEST_KEY_NAME):
        raise InvalidKeyError("a key's name has at most 100 characters")
    if mode not in _PREFIXES.values():
        raise InvalidKeyError(f"unknown mode {mode!r}: live or test")
    if (fault := fault_of_scopes(scopes)) is not None:
        raise InvalidKeyError(fault)
    if per_minute is not None and per_minute < 1:
        raise InvalidKeyError("a rate is at least one request a minute")
    text = new_key_text(mode)
    key_id = f"key_{secrets.token_hex(8)}"
    made = NewKey(key_id, name, text, owner, mode, tuple(scope for scope in SCOPES if scope in scopes))
    async with pool.acquire() as connection, connection.transaction():
        storefront_id = storefront_id or await connection.fetchval(
            """INSERT INTO storefronts (id, name) VALUES ($1, $2)
               ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id""",
            f"sf_{secrets.token_hex(8)}",
            owner,
        )
        await connection.execute(
            """INSERT INTO api_keys (id, name, storefront_id, mode, scopes, hash, prefix, per_minute)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
            key_id,
            name,
            storefront_id,
            mode,
            list(made.scopes),
            key_digest(text),
            text[:12],
            per_minute,
        )
        if also is not None:
            await also(connection, made)
    return made


async def list_keys(pool: asyncpg.Pool) -> list[ApiKey]:
    """Every key, the oldest first."""
    return [_key(row) for row in await pool.fetch(_SELECT + "ORDER BY k.created_at, k.id")]


async def newest_first(pool: asyncpg.Pool, page_request: PageRequest) -> Page[ApiKey]:
    """The keys of all storefronts, the newest first; revoked ones too."""
    rows = await pool.fetch(
        f"""{_SELECT} WHERE $1::text IS NULL
                OR (k.created_at, k.id) < (SELECT l.created_at, l.id FROM api_keys l WHERE l.id = $1)
             ORDER BY k.created_at DESC, k.id DESC LIMIT $2""",  # noqa: S608 - the words above
        *page_request.before(str),
        page_request.fetch,
    )
    return page_request.page([_key(row) for row in rows], lambda key: (key.id,))


async def keys_of(pool: asyncpg.Pool, storefront_id: str) -> list[ApiKey]:
    """A storefront's keys, those in use first, then the newest; 200 at most."""
    rows = await pool.fetch(
        _SELECT + "WHERE s.id = $1 ORDER BY k.revoked_at IS NOT NULL, k.created_at DESC, k.id LIMIT 200", storefront_id
    )
    return [_key(row) for row in rows]


async def one_key(pool: Any, key_id: str) -> ApiKey | None:
    """A key by its id, revoked or not."""
    row = await pool.fetchrow(_SELECT + "WHERE k.id = $1", key_id)
    return None if row is None else _key(row)


async def narrowed_keys(connection: Any) -> list[ApiKey]:
    """Keys in force that opened a storefront's routes when they were made, and do not now; the oldest first."""
    rows = await connection.fetch(_SELECT + "WHERE k.narrowed AND k.revoked_at IS NULL ORDER BY k.created_at, k.id")
    return [_key(row) for row in rows]


async def revoke_key(pool: Any, key_id: str) -> bool:
    """Revoke a key for good; False when there is none of that id. Doing it twice changes nothing."""
    row = await pool.fetchrow(
        "UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1 RETURNING id", key_id
    )
    return row is not None


async def find_key(pool: asyncpg.Pool, digest: bytes) -> ApiKey | None:
    """The key with that digest, None when there is none or it is revoked."""
    row = await pool.fetchrow(_SELECT + "WHERE k.hash = $1 AND k.revoked_at IS NULL", digest)
    return None if row is None else _key(row)


async def valid_keys(pool: asyncpg.Pool, ids: Collection[str]) -> dict[str, ApiKey]:
    """Those of the ids that are still good, as they stand now."""
    rows = await pool.fetch(_SELECT + "WHERE k.id = ANY($1) AND k.revoked_at IS NULL", list(ids))
    return {row["id"]: _key(row) for row in rows}


async def mark_used(pool: asyncpg.Pool, used: Mapping[str, datetime]) -> None:
    """Write when keys were last used, all in one statement."""
    await pool.execute(
        """UPDATE api_keys k SET last_used_at = greatest(k.last_used_at, u.at)
           FROM unnest($1::text[], $2::timestamptz[]) AS u(id, at) WHERE k.id = u.id""",
        list(used),
        list(used.values()),
    )


def _is_text(text: str, most: int) -> bool:
    return 0 < len(text) <= most and "\0" not in text


def _key(row: asyncpg.Record) -> ApiKey:
    return ApiKey(**{**dict(row), "scopes": tuple(row["scopes"])})


def _checksum(body: str) -> str:
    value = zlib.crc32(body.encode("utf-8", "replace"))
    digits = []
    for _ in range(_CHECK):
        value, digit = divmod(value, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
