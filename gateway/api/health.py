"""For those who run it and those who read about it: liveness, readiness, the documents, their pages."""

from __future__ import annotations

import msgspec
from aiohttp import web

from gateway.api import state
from gateway.api.problems import Refusal
from gateway.api.spec import Table
from schemas.health import Alive, Ready

routes = Table()


@routes("GET", "/livez", access="public", tag="health", operators=True, answer=Alive)
async def get_livez(_request: web.Request) -> web.Response:
    """Whether the process runs.

    It asks nothing of the database or the catalogue: restart a process that does not answer.
    """
    return web.json_response(body=b'{"status":"ok"}')


@routes(
    "GET", "/readyz", access="public", tag="health", operators=True, answer=Ready, problems=("unavailable",),
)  # fmt: skip
async def get_readyz(request: web.Request) -> web.Response:
    """Whether it can answer.

    200 when a catalogue is loaded, even an empty one; `degraded` lists what does not work at present, each as a word
    and the reason: `no_worker` and `orders_overdue` among them, which are read every few seconds.
    """
    catalog, limiter = request.app[state.CATALOG], request.app[state.LIMITER]
    degraded = list(catalog.degraded)
    if limiter.failing and not any(line.startswith("redis") for line in degraded):
        degraded.append("redis: rate limits are counted in each process alone")
    if (monitor := request.app.get(state.HEALTH)) is not None:
        degraded += [f"{degradation.word}: {degradation.reason}" for degradation in monitor.degradations]
    if not catalog.loaded:
        raise Refusal("unavailable", "no catalogue is loaded yet: " + "; ".join(degraded), headers={"Retry-After": "2"})
    modes = {}
    for mode in ("live", "test"):
        index = catalog.index(mode)
        modes[mode] = {
            "version": index.version,
            "offers": index.offer_count,
            "plans": index.plan_count,
            "synced_at": index.synced_at,
            "stale": index.stale,
        }
    body = msgspec.json.encode(Ready(status="ready", degraded=degraded, catalog=modes))
    return web.Response(body=body, content_type="application/json")


@routes("GET", "/openapi.json", access="public", tag="documentation", answer=dict, cached=True)
async def get_openapi(request: web.Request) -> web.Response:
    """This description of the API, as OpenAPI 3.1.

    It holds what storefronts use, and the events that they receive as `webhooks`.
    """
    return await request.app[state.DOCUMENTS]["/openapi.json"].answer(request)


@routes("GET", "/asyncapi.json", access="public", tag="documentation", answer=dict, cached=True)
async def get_asyncapi(request: web.Request) -> web.Response:
    """The events, as AsyncAPI 3.

    What is sent to your webhook endpoints: the same events as the `webhooks` of `/openapi.json`.
    """
    return await request.app[state.DOCUMENTS]["/asyncapi.json"].answer(request)


@routes(
    "GET", "/openapi-ops.json", access="public", tag="documentation", operators=True, answer=dict, cached=True,
)  # fmt: skip
async def get_ops_openapi(request: web.Request) -> web.Response:
    """This description of the API for operators, as OpenAPI 3.1.

    What storefronts use stands in `/openapi.json`.
    """
    return await request.app[state.DOCUMENTS]["/openapi-ops.json"].answer(request)


@routes("GET", "/docs", access="public", tag="documentation", answer_type="text/html")
async def get_docs(request: web.Request) -> web.Response:
    """Guides and this description as pages.

    Everything on them comes from here; they work without any other network.
    """
    return await request.app[state.DOCS].answer(request, "docs")


@routes("GET", "/docs-ops", access="public", tag="documentation", operators=True, answer_type="text/html")
async def get_ops_docs(request: web.Request) -> web.Response:
    """Guides and this description for operators as pages.

    Everything on them comes from here; they work without any other network.
    """
    return await request.app[state.DOCS].answer(request, "docs-ops")
