"""The stop-selling switch over HTTP: for all suppliers, or for one."""

from __future__ import annotations

from aiohttp import web

from gateway.api import state
from gateway.api.changes import actor_of
from gateway.api.ordering import deps_of, refusal, run_to_completion
from gateway.api.paging import json_answer
from gateway.api.parameters import NoParameters, PageParameters, StopParameters
from gateway.api.reading import read_body, read_query, unset_to_none
from gateway.api.spec import Table
from gateway.kit.problem import Problem
from gateway.suppliers import selling_rows, stops
from schemas.ops_orders import SellingStop, StopRequest
from schemas.page import Page

routes = Table()


@routes(
    "GET", "/v1/ops/selling-stops",
    access="ops:read", tag="selling", answer=Page[SellingStop],
    parameters=PageParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_selling_stops(request: web.Request) -> web.Response:
    """What keeps selling off.

    The stops in force, that of all suppliers first, with who or what made each. Suppliers that were paused are not
    among them.
    """
    sent = read_query(request, PageParameters)
    return json_answer(await selling_rows.in_force(deps_of(request).pool, sent.page))


@routes(
    "POST", "/v1/ops/selling-stops",
    access="ops", tag="selling", status=201, answer=SellingStop,
    parameters=NoParameters, bodies=(StopRequest,), body_optional=True,
    problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def stop_selling(request: web.Request) -> web.Response:
    """Stop selling everywhere or at one supplier.

    In force within two seconds in every process. Waiting orders keep waiting and started purchases are completed. While
    all selling is stopped, new orders get 503 `selling_stopped`. Sent again it changes the note.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, StopRequest, optional=True)
    made = await run_to_completion(
        stops.stop(deps_of(request), unset_to_none(sent.supplier), actor_of(request), sent.note)
    )
    if isinstance(made, Problem):
        raise refusal(made)
    await request.app[state.CATALOG].refresh()
    return json_answer(made, status=201)


@routes(
    "DELETE", "/v1/ops/selling-stops",
    access="ops", tag="selling", answer=Page[SellingStop], example={"data": []},
    parameters=StopParameters, problems=("not_found", "conflict", "invalid", "unavailable"),
)  # fmt: skip
async def resume_selling(request: web.Request) -> web.Response:
    """Go on.

    Lifts the stop of one supplier, or that of all when none is named; the answer is what is still in force. 409 while
    the database was put back and `reconcile` has not found it in order.
    """
    sent = read_query(request, StopParameters)
    deps = deps_of(request)
    problem = await run_to_completion(stops.resume(deps, unset_to_none(sent.supplier), actor_of(request)))
    if problem is not None:
        raise refusal(problem)
    await request.app[state.CATALOG].refresh()
    return json_answer(await selling_rows.in_force(deps.pool))
