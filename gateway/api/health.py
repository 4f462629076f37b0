"""For those who run it and those who read about it: liveness, readiness, the documents, their pages."""

from __future__ import annotations

import re
from html import escape
from importlib import resources

import msgspec
from aiohttp import web

from gateway.api import state
from gateway.api.problems import KINDS, Refusal, problem_example
from gateway.api.spec import Table
from schemas.health import Alive, Ready

routes = Table()

_STATIC = resources.files("gateway.api").joinpath("static")
_DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_CODE = re.compile("`([^`]+)`")
_DAY = "public, max-age=86400"
_ASSETS = {
    "swagger-ui.css": ("swagger-ui/swagger-ui.css", "text/css"),
    "swagger-ui-bundle.js": ("swagger-ui/swagger-ui-bundle.js", "text/javascript"),
    "docs.js": ("docs.js", "text/javascript"),
    "favicon.png": ("swagger-ui/favicon-32x32.png", "image/png"),
}


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
async def get_docs(_request: web.Request) -> web.Response:
    """This description as a page.

    Everything on it comes from here; it works without any other network.
    """
    return _docs_page("openapi.json")


@routes("GET", "/docs-ops", access="public", tag="documentation", operators=True, answer_type="text/html")
async def get_ops_docs(_request: web.Request) -> web.Response:
    """This description for operators as a page.

    Everything on it comes from here; it works without any other network.
    """
    return _docs_page("openapi-ops.json")


def _docs_page(document: str) -> web.Response:
    body = _STATIC.joinpath("docs.html").read_text("utf-8").replace("{document}", document)
    return web.Response(
        text=body,
        content_type="text/html",
        headers={"Content-Security-Policy": _DOCS_POLICY, "Cache-Control": "no-cache"},
    )


async def asset(request: web.Request) -> web.Response:
    """A file of the docs page."""
    found = _ASSETS.get(request.match_info["name"])
    if found is None:
        raise Refusal("not_found")
    path, content_type = found
    body = _STATIC.joinpath(path).read_bytes()
    return web.Response(body=body, content_type=content_type, charset="utf-8", headers={"Cache-Control": _DAY})


async def error_page(request: web.Request) -> web.Response:
    """What an error code means, what causes it and what to do: where the ``type`` of a problem leads."""
    code = request.match_info["code"]
    kind = KINDS.get(code)
    if kind is None:
        raise Refusal("not_found", "there is no such error code")
    example = msgspec.json.format(msgspec.json.encode(problem_example(code))).decode()
    retry = "The same request may succeed later." if kind.retry else "The same request fails again."
    text = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{code}</title>'
        f"<h1>{code}</h1><p>{kind.status} {escape(kind.title)}</p>"
        f"<h2>Cause</h2><p>{_marked(kind.cause)}</p><h2>Cure</h2><p>{_marked(kind.cure)}</p><p>{retry}</p>"
        f"<h2>Example</h2><pre>{escape(example)}</pre></html>"
    )
    return web.Response(text=text, content_type="text/html")


def _marked(text: str) -> str:
    """A text with its words of code marked as such."""
    return _CODE.sub(r"<code>\1</code>", escape(text))
