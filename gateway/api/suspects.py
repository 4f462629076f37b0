"""What the price guard keeps from sale, with its evidence, and letting it through."""

from __future__ import annotations

from aiohttp import web

from gateway.api import state
from gateway.api.changes import actor_of
from gateway.api.paging import json_answer, pool_of
from gateway.api.parameters import NoParameters, SuspectParameters
from gateway.api.problems import Refusal
from gateway.api.reading import read_body, read_query, unset_to_none
from gateway.api.spec import Table
from gateway.sync import suspect_rows, suspects
from schemas.api_suspects import Suspect, SuspectRelease, SuspectsReleased
from schemas.page import Page

routes = Table()


@routes(
    "GET", "/v1/ops/suspects",
    access="ops:read", tag="offers", answer=Page[Suspect],
    parameters=SuspectParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_suspects(request: web.Request) -> web.Response:
    """Offers that are not sold because of their price.

    Each with the rule that found it and what it was compared with. One that is right is let through with
    `/v1/ops/offers/{id}/release`.
    """
    sent = read_query(request, SuspectParameters)
    return json_answer(
        await suspect_rows.suspects(pool_of(request), sent.page, unset_to_none(sent.supplier), unset_to_none(sent.rule))
    )


@routes(
    "POST", "/v1/ops/suspects/release",
    access="ops", tag="offers", answer=SuspectsReleased,
    parameters=NoParameters, bodies=(SuspectRelease,), problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def release_suspects(request: web.Request) -> web.Response:
    """Let all suspect prices of a supplier through, or those of one rule.

    Their present costs count as good from now on, until they change. A supplier that is quarantined is accepted with
    its sync run.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, SuspectRelease)
    released = await suspects.release_all(pool_of(request), sent.supplier, unset_to_none(sent.rule), actor_of(request))
    if released is None:
        raise Refusal("not_found", f"there is no supplier {sent.supplier}")
    await request.app[state.CATALOG].refresh()
    return json_answer(SuspectsReleased(released))
