"""Cursors: where a list goes on, as values of its order, so that they outlive the catalogue's version."""

from __future__ import annotations

import base64
import binascii
import zlib

import msgspec

from gateway.core.catalog.query import QueryError

_MARK = 1
_MAX = 500


class Position(msgspec.Struct, frozen=True, array_like=True):
    """After which plan to go on: its sort value (None where it has none) and id, in this order and currency."""

    mark: int
    sort: str
    currency: str
    value: int | None
    plan_id: str


def write(sort: str, currency: str, value: int | None, plan_id: str) -> str:
    """An opaque cursor. Prices in it are the customer's, in minor units."""
    body = msgspec.json.encode(Position(_MARK, sort, currency, value, plan_id))
    return base64.urlsafe_b64encode(zlib.crc32(body).to_bytes(4, "big") + body).rstrip(b"=").decode()


def read(cursor: str, sort: str, currency: str) -> Position:
    """The position in a cursor. Raises ``QueryError`` when it is damaged or of another order or currency."""
    if len(cursor) > _MAX:
        raise QueryError("cursor", "not a cursor of this list")
    try:
        raw = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        if zlib.crc32(raw[4:]) != int.from_bytes(raw[:4], "big"):
            raise QueryError("cursor", "not a cursor of this list")
        position = msgspec.json.decode(raw[4:], type=Position)
    except (ValueError, binascii.Error, msgspec.DecodeError) as error:
        raise QueryError("cursor", "not a cursor of this list") from error
    if position.mark != _MARK or position.sort != sort or position.currency != currency:
        raise QueryError("cursor", "this cursor belongs to another sort or currency")
    return position
