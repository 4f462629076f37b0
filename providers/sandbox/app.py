"""The frame of every supplier's sandbox: authentication, rate limit, faults and control routes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from aiohttp import web

from providers.sandbox.item import Item
from providers.sandbox.listing import Listing
from providers.sandbox.world import SandboxWorld

Authenticate = Callable[[web.Request], str | None]
ErrorBody = Callable[[int, str], Any]


def sandbox_app(
    world: SandboxWorld,
    supplier: str,
    routes: Iterable[web.RouteDef],
    *,
    authenticate: Authenticate,
    error_body: ErrorBody,
    rate_limit: int | None = None,
) -> web.Application:
    """A supplier's sandbox: ``routes`` (paths below its base URL) inside the common frame.

    ``authenticate`` answers None to let a request in, else the message of its 401. ``error_body`` is the
    JSON of an error with that status and message; the frame uses it for 401, 404, 405, 429 and 500.
    ``rate_limit`` is in requests a minute for each caller and adds ``X-RateLimit-*`` headers.
    Control routes stand under ``/_sandbox/`` and need no authentication.
    """
    raise NotImplementedError


def listing(request: web.Request, keep: Callable[[Item], bool] | None = None) -> Listing:
    """The items that this request may show: the world's that ``keep`` accepts, with the request's faults."""
    raise NotImplementedError


def one(request: web.Request, key: str) -> Item | None:
    """One item as this request may show it; None when the supplier has none of that key."""
    raise NotImplementedError
