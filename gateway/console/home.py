"""The first page: what needs attention now, as each part of the console tells it; and the search over all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TypeVar

import structlog
from aiohttp import web

from gateway.console.pages import FINDERS, NOTICES, Hit, Notice, Pages, View, see_other

pages = Pages()
_LEVELS = ("bad", "warn", "info")
_MOST = 4  # notices of one part that show at once
_LONGEST_QUESTION = 200
T = TypeVar("T")


@pages("GET", "/console", nav="Home")
async def home(request: web.Request) -> View:
    """What needs attention now, the worst first."""
    answers = await asyncio.gather(*(_or_none(source(request)) for source in request.app[NOTICES]))
    failed = sum(part is None for part in answers)
    parts = [sorted(part, key=_weight) for part in answers if part]
    parts.sort(key=lambda part: _weight(part[0]))
    return View("home.html", {"parts": parts, "most": _MOST, "failed": failed}, title="Home")


@pages("GET", "/console/search")
async def search(request: web.Request) -> View | web.Response:
    """Everything that a word leads to; at once there where only one thing can be meant."""
    question = request.query.get("q", "").strip()[:_LONGEST_QUESTION]
    groups: list[tuple[str, Sequence[Hit]]] = []
    if question:
        finders = request.app[FINDERS]
        found = await asyncio.gather(*(_or_none(finds(request, question)) for _, finds in finders))
        groups = [(kind, hits) for (kind, _), hits in zip(finders, found, strict=True) if hits]
        certain = [hit for _, hits in groups for hit in hits if hit.only]
        if len(certain) == 1:
            return see_other(request, certain[0].url)
    return View("search.html", {"question": question, "groups": groups}, title="Search")


def _weight(notice: Notice) -> int:
    return _LEVELS.index(notice.level)


async def _or_none(notices: Awaitable[T]) -> T | None:
    """What a part tells, None when it cannot: one part's fault does not take the page away."""
    try:
        return await notices
    except Exception:  # noqa: BLE001 - whatever it is, the log has it and the page says that something is missing
        structlog.get_logger().exception("console: a part of a page is missing")
        return None
