"""Jobs: what the workers have to do, what they do now, what failed, and what runs again and again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aiohttp import web

from gateway.console.pages import Csv, Notice, Pages, View, deps_of, next_page, page_request_of
from gateway.kit import job_queue
from gateway.kit.sheet import columns, sheet_of
from gateway.operations import running

pages = Pages()
_PAGE = 50
_LATE = timedelta(minutes=2)
_JOBS = columns("id, kind, state, about, created=created_at, due=due_at, attempts, heartbeat=heartbeat_at")


@pages("GET", "/console/jobs", nav="Jobs")
async def jobs(request: web.Request) -> View:
    """The queue, the oldest first, and the schedules."""
    found = await running.jobs(deps_of(request).pool, page_request_of(request, _PAGE, job_queue.SORTS))
    context = {"queue": found, "next": next_page(request, found)}
    return View("jobs.html", context, title="Jobs", csv=Csv("jobs", *sheet_of(_JOBS, found.data)))


@pages.notice
async def waiting(request: web.Request) -> list[Notice]:
    """Jobs that nobody begins: a sign that no worker runs."""
    oldest = await job_queue.oldest_late(deps_of(request).pool)
    if oldest is None or datetime.now(UTC) - oldest < _LATE:
        return []
    return [Notice("bad", "Jobs are waiting and no worker starts them. Check that a worker runs.", "/console/jobs")]
