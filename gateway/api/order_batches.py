"""Batches: several orders for one plan, placed with one request, all of them or none."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aiohttp import web

from gateway.api import state
from gateway.api.ordering import (
    HEADERS,
    PROBLEMS,
    deps_of,
    idempotency_key,
    refusal,
    require_routing,
    run_to_completion,
    seconds_to_wait,
    storefront_of,
)
from gateway.api.paging import json_answer
from gateway.api.parameters import NoParameters
from gateway.api.problems import Refusal
from gateway.api.reading import read_body, read_query
from gateway.api.spec import Table
from gateway.kit.problem import Problem
from gateway.orders import presenter
from gateway.orders.admit_batch import admit_batch
from gateway.orders.process import start, wait_for_answer
from schemas.order_requests import BatchForPlan, BatchForQuote
from schemas.orders import ANSWERED, OrderBatch

routes = Table()

_PART = {"id": ("^bat_[A-Za-z0-9]{1,60}$", "The batch's `id`.")}


@routes(
    "POST", "/v1/order-batches",
    access="storefront", tag="orders", status=201,
    status_means="Placed, and each order answered already: fulfilled, failed, needs_review or cancelled.",
    also={
        200: "Placed before under this key, and each order answered. `Idempotent-Replayed: true`.",
        202: "Placed, and not each order answered yet: follow the batch, or wait for the orders' events.",
    },
    answer=OrderBatch, parameters=NoParameters, headers=HEADERS, bodies=(BatchForPlan, BatchForQuote),
    problems=(*PROBLEMS, "forbidden"),
)  # fmt: skip
async def create_order_batch(request: web.Request) -> web.Response:
    """Place several orders.

    Up to 20 orders for one plan or quote, all of them or none: where stock, our funds, your limits or the number of
    open orders do not suffice for all, nothing is placed. Sent again under the same Idempotency-Key it answers the same
    orders. A problem uses the key not up. From then on each order goes its own way: one may fail while the others are
    fulfilled.
    """
    read_query(request, NoParameters)
    key = idempotency_key(request)
    sent: BatchForPlan | BatchForQuote = await read_body(request, BatchForPlan, BatchForQuote)
    require_routing(request, sent.suppliers)
    deps, key_id = deps_of(request), request[state.CALLER].key.id
    admitted = await run_to_completion(admit_batch(deps, *storefront_of(request), sent, key, key_id=key_id))
    if isinstance(admitted, Problem):
        raise refusal(admitted)
    headers = {"Location": f"/v1/order-batches/{admitted.order_id}"}
    if admitted.replayed:
        return await _respond(request, admitted.order_id, headers | {"Idempotent-Replayed": "true"}, answered=200)
    if deps.inline:
        for order in (await _batch(request, admitted.order_id)).orders:
            start(deps, order.id)
    return await _respond(request, admitted.order_id, headers, answered=201)


@routes(
    "GET", "/v1/order-batches/{id}",
    access="storefront", tag="orders", answer=OrderBatch, parts=_PART,
    parameters=NoParameters, headers={"Prefer": HEADERS["Prefer"]}, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def get_order_batch(request: web.Request) -> web.Response:
    """The orders of a batch.

    Each as it stands; `Prefer: wait=10` waits for all of them to be answered.
    """
    read_query(request, NoParameters)
    return await _respond(request, request.match_info["id"], {}, answered=200, not_yet=200)


async def _respond(
    request: web.Request, batch_id: str, headers: Mapping[str, str], *, answered: int, not_yet: int = 202
) -> web.Response:
    """A batch as it is after the wait that was asked for."""
    found, seconds, applied = await _batch(request, batch_id), seconds_to_wait(request), {}
    if seconds:
        deps = deps_of(request)
        await asyncio.gather(*(wait_for_answer(deps, order.id, seconds) for order in found.orders))
        found, applied = await _batch(request, batch_id), {"Preference-Applied": f"wait={seconds}"}
    every = all(order.status in ANSWERED for order in found.orders)
    answer = json_answer(found, status=answered if every else not_yet)
    answer.headers.update({**headers, **applied})
    return answer


async def _batch(request: web.Request, batch_id: str) -> OrderBatch:
    costs = request[state.CALLER].sees_costs
    found = await presenter.batch(deps_of(request), batch_id, storefront_of(request), with_costs=costs)
    if found is None:
        raise Refusal("not_found", "there is no such batch of orders")
    return found
