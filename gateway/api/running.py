"""What operators see of the gateway's own running: the queue of jobs with its schedules, and the settings in force."""

from __future__ import annotations

from aiohttp import web

from gateway.api import state
from gateway.api.paging import json_answer, pool_of
from gateway.api.parameters import NoParameters, PageParameters
from gateway.api.reading import read_query
from gateway.api.spec import Table
from gateway.operations import running
from schemas.api_suppliers import JobPage, Setting
from schemas.page import Page

routes = Table()


@routes(
    "GET", "/v1/ops/jobs",
    access="ops:read", tag="operations", answer=JobPage, parameters=PageParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_jobs(request: web.Request) -> web.Response:
    """The queue of jobs.

    What waits or runs, the oldest first; beside it each kind of job in numbers, what runs again and again and when,
    and what failed in the last 24 hours.
    """
    sent = read_query(request, PageParameters)
    return json_answer(await running.jobs(pool_of(request), sent.page))


@routes(
    "GET", "/v1/ops/settings",
    access="ops:read", tag="operations", answer=Page[Setting], parameters=NoParameters, problems=("invalid",),
)  # fmt: skip
async def list_settings(request: web.Request) -> web.Response:
    """The settings in force, all on one page.

    Each with where it comes from and what it means. A secret shows only whether it is set.
    """
    read_query(request, NoParameters)
    return json_answer(Page.complete(running.settings_in_force(request.app[state.SETTINGS])))
