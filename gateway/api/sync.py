"""What operators see and do: sync runs, unmapped items, price changes, offers that are held back."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from gateway.api import state
from gateway.api.changes import actor_of, refused
from gateway.api.paging import json_answer, pool_of
from gateway.api.parameters import (
    NoParameters,
    OpsOfferParameters,
    PageParameters,
    PriceChangeParameters,
    UnmappedParameters,
)
from gateway.api.problems import Refusal
from gateway.api.reading import read_body, read_query, unset_to_none
from gateway.api.spec import Table
from gateway.kit.problem import Problem
from gateway.selling import judge, offer_list_rows
from gateway.sync import requests, run_list_rows, suspects, sync_run_rows
from schemas.api import Offer
from schemas.api_changes import PriceChange
from schemas.api_sync import AcceptRequest, SyncRequest, SyncRun, UnmappedItem
from schemas.page import Page

routes = Table()

_RUN_PART = {"id": ("^[a-z0-9_]{1,60}$", "The sync run's `id`.")}
_OFFER_PART = {"id": ("^[a-z0-9_]{1,60}$", "The offer's `id`.")}
_NOT_BEGUN: dict[str, Any] = {"ended_at": None, "state": None, "suppliers": []}


@routes(
    "GET", "/v1/ops/sync-runs",
    access="ops:read", tag="sync", answer=Page[SyncRun],
    parameters=PageParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_sync_runs(request: web.Request) -> web.Response:
    """Sync runs, the newest first.

    For each supplier `total` = `mapped` + `set_aside`; products that are no eSIM are counted apart.
    """
    sent = read_query(request, PageParameters)
    return json_answer(await run_list_rows.sync_runs(pool_of(request), sent.page))


@routes(
    "POST", "/v1/ops/sync-runs",
    access="ops", tag="sync", status=202, answer=SyncRun, example=_NOT_BEGUN,
    parameters=NoParameters, bodies=(SyncRequest,), body_optional=True,
    problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def start_sync(request: web.Request) -> web.Response:
    """Start a sync.

    A worker runs it; look for its `id` among the sync runs. Without suppliers it covers all of them.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, SyncRequest, optional=True)
    only = tuple(dict.fromkeys(sent.suppliers)) if sent.suppliers is not msgspec.UNSET else ()
    for name in only:
        _configured(request, name)
    pool, configured = pool_of(request), request.app[state.CAPABILITIES]
    run_id = await requests.ask_for_sync(pool, configured, only, (), actor_of(request))
    return json_answer(await sync_run_rows.read(pool, run_id), status=202)


@routes(
    "POST", "/v1/ops/sync-runs/{id}/accept",
    access="ops", tag="sync", status=202, answer=SyncRun, example=_NOT_BEGUN,
    parts=_RUN_PART, parameters=NoParameters, bodies=(AcceptRequest,),
    problems=("not_found", "conflict", "invalid", "unavailable"),
)  # fmt: skip
async def accept_quarantined(request: web.Request) -> web.Response:
    """Accept a quarantined sync.

    Starts a sync of that supplier without quarantine limits. 409 when the run did not quarantine it.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, AcceptRequest)
    pool, configured = pool_of(request), request.app[state.CAPABILITIES]
    answer = await requests.accept(pool, configured, request.match_info["id"], sent.supplier, actor_of(request))
    if isinstance(answer, Problem):
        raise refused(answer)
    return json_answer(await sync_run_rows.read(pool, answer), status=202)


@routes(
    "GET", "/v1/ops/unmapped",
    access="ops:read", tag="mappings", answer=Page[UnmappedItem],
    parameters=UnmappedParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_unmapped(request: web.Request) -> web.Response:
    """Items that could not be mapped.

    Kept with the reason and as they came.
    """
    sent = read_query(request, UnmappedParameters)
    return json_answer(
        await run_list_rows.unmapped(
            pool_of(request), sent.page, unset_to_none(sent.supplier), unset_to_none(sent.reason)
        )
    )


@routes(
    "GET", "/v1/ops/price-changes",
    access="ops:read", tag="prices", answer=Page[PriceChange],
    parameters=PriceChangeParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_price_changes(request: web.Request) -> web.Response:
    """Price changes, the newest first.

    What a supplier asked before and after, once for each change.
    """
    sent = read_query(request, PriceChangeParameters)
    return json_answer(
        await offer_list_rows.price_changes(
            pool_of(request), sent.page, unset_to_none(sent.supplier), unset_to_none(sent.plan_id)
        )
    )


@routes(
    "GET", "/v1/ops/offers",
    access="ops:read", tag="offers", answer=Page[Offer],
    example={"data": [{"selectable": False, "why_not": "suspect_price"}]},
    parameters=OpsOfferParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_offers(request: web.Request) -> web.Response:
    """Offers of all suppliers, live and test.

    With `why_not` those that this reason keeps from sale. A page may hold fewer than `limit` although `has_more`.
    """
    sent = read_query(request, OpsOfferParameters)
    found = await judge.offers(
        pool_of(request),
        request.app[state.SETTINGS],
        request.app[state.TOLERANCES],
        sent.page,
        reason=unset_to_none(sent.why_not),
        supplier=unset_to_none(sent.supplier),
        plan_id=unset_to_none(sent.plan_id),
        triggers=sent.triggers,
    )
    return json_answer(found)


@routes(
    "POST", "/v1/ops/offers/{id}/release",
    access="ops", tag="offers", answer=Offer,
    parts=_OFFER_PART, parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def release_offer(request: web.Request) -> web.Response:
    """Let a suspect or stopped offer be sold again.

    Its present cost counts as good from now on.
    """
    read_query(request, NoParameters)
    pool = pool_of(request)
    released = await suspects.release_one(pool, request.match_info["id"], actor_of(request))
    if released is None:
        raise Refusal("not_found", "there is no such offer")
    await request.app[state.CATALOG].refresh()
    settings, tolerances = request.app[state.SETTINGS], request.app[state.TOLERANCES]
    return json_answer(await judge.find_offer(pool, settings, tolerances, released))


def _configured(request: web.Request, name: str) -> None:
    if name not in request.app[state.CAPABILITIES]:
        raise Refusal("not_found", f"no supplier {name} is configured")
