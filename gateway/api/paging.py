"""Lists in cursor pages, and other answers in JSON that are made anew each time."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from gateway.api import state
from gateway.api.parameters import PageParameters
from gateway.api.problems import unavailable
from gateway.kit.pages import Position, Rows
from gateway.kit.pool import Pool

_SEPARATOR = "\x1f"


def pool_of(request: web.Request) -> Pool:
    """The database's pool; 503 where none is configured."""
    pool = request.app.get(state.POOL)
    if pool is None:
        raise unavailable("no database is configured")
    return pool


def position(sent: PageParameters) -> Position | None:
    """Where a page goes on. Any pair of hex digits is a position, so none can be wrong."""
    if sent.cursor is msgspec.UNSET:
        return None
    text = bytes.fromhex(sent.cursor).decode("utf-8", "replace").replace("\0", "")
    return tuple(text.split(_SEPARATOR))


def page(found: Rows[Any]) -> web.Response:
    """A page, with the cursor of the next one when there is more."""
    cursor = cursor_of(found)
    return json_answer({"data": found.rows, "has_more": cursor is not None, "next_cursor": cursor})


def cursor_of(found: Rows[Any]) -> str | None:
    """Where the next page goes on; None when there is none."""
    return None if found.after is None else _SEPARATOR.join(found.after).encode().hex()


def json_answer(body: Any, status: int = 200) -> web.Response:
    """A JSON answer of our own types."""
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json")
