"""What waits for an operator's decision, shown on the pages that deal with it: on the first page, and in the menu."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TypeVar

import structlog
from aiohttp import web

from gateway.console.pages import DECISIONS, PendingDecision

_PENDING: web.RequestKey[Awaitable[Sequence[PendingDecision | None]]] = web.RequestKey("console_pending_decisions")
T = TypeVar("T")


async def pending_decisions(request: web.Request) -> Sequence[PendingDecision | None]:
    """Every kind of decision with its count, read once for a request; None for a kind that could not be counted."""
    if _PENDING not in request:
        sources = request.app[DECISIONS]
        request[_PENDING] = asyncio.gather(*(or_none(source(request)) for source in sources))
    return await request[_PENDING]


async def or_none(part: Awaitable[T]) -> T | None:
    """What a part of a page tells, None when it cannot: one part's fault does not take the page away."""
    try:
        return await part
    except Exception:  # noqa: BLE001 - whatever it is, the log has it and the page says that something is missing
        structlog.get_logger().exception("console: a part of a page is missing")
        return None
