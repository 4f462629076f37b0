"""How the sandbox answers: envelopes with exact numbers, and lists by cursor.

Cursors are base64 of ``{"id": …, "_pointsToNextItems": true}`` as in the page's examples.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from aiohttp import web

T = TypeVar("T")
_encoder = msgspec.json.Encoder(decimal_format="number")


def answer(data: Any, meta: Mapping[str, Any] | None = None, message: str | None = None) -> web.Response:
    """A good answer; one that made something is a 201 and says so."""
    body: dict[str, Any] = {"success": True}
    body |= {} if message is None else {"message": message}
    body |= {"data": data}
    body |= {} if meta is None else {"meta": meta}
    return web.Response(
        status=200 if message is None else 201, body=_encoder.encode(body), content_type="application/json"
    )


def one_of(request: web.Request, name: str, allowed: Sequence[str]) -> str | None:
    """A query parameter that must be one of these words, if it is there."""
    value = request.query.get(name)
    if value is not None and value not in allowed:
        raise web.HTTPUnprocessableEntity(text=f"The selected {name} is invalid.")
    return value


def requested_page(request: web.Request, usual: int, most: int) -> tuple[int | None, int]:
    """What the cursor points at, None without one, and how many items are asked for."""
    text = request.query.get("per_page", str(usual))
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise web.HTTPUnprocessableEntity(text=f"The per page field must be between 1 and {most}.")
    cursor = request.query.get("cursor")
    if cursor is None:
        return None, int(text)
    try:
        at = msgspec.json.decode(base64.b64decode(cursor + "=" * (-len(cursor) % 4)), type=dict[str, Any])["id"]
    except (msgspec.MsgspecError, ValueError, KeyError):
        at = None
    if not isinstance(at, int) or at < 0:
        raise web.HTTPUnprocessableEntity(text="The cursor is invalid.")
    return at, int(text)


def cursor_to(at: int, *, onwards: bool) -> str:
    """A cursor to what is known by this number."""
    text = msgspec.json.encode({"id": at, "_pointsToNextItems": onwards})
    return base64.b64encode(text).decode().rstrip("=")


def newest_first(
    request: web.Request, rows: Sequence[T], number: Callable[[T], int], in_words: Callable[[T], Any]
) -> web.Response:
    """A page of a history. Its cursor is the last number shown, so that new rows shift nothing."""
    after, per_page = requested_page(request, usual=50, most=100)
    left = [row for row in rows if after is None or number(row) < after]
    page = left[:per_page]
    last = number(page[-1]) if len(page) < len(left) else None
    meta = {
        "next_cursor": None if last is None else cursor_to(last, onwards=True),
        "prev_cursor": None if after is None or not page else cursor_to(number(page[0]), onwards=False),
        "per_page": per_page,
    }
    return answer([in_words(row) for row in page], meta)
