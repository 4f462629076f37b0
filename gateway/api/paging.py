"""Answers in JSON that are made anew each time, and the database that they are made from."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from gateway.api import state
from gateway.api.problems import unavailable
from gateway.kit.pool import Pool


def pool_of(request: web.Request) -> Pool:
    """The database's pool; 503 where none is configured."""
    pool = request.app.get(state.POOL)
    if pool is None:
        raise unavailable("no database is configured")
    return pool


def json_answer(body: Any, status: int = 200) -> web.Response:
    """A JSON answer of our own types."""
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json")
