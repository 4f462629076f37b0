"""OpenAPI 3.1, made from the routes and from the types that check requests and shape answers.

There are two documents: one for storefronts, with the events that they receive, and one for operators.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import orjson

from gateway.api.components import CODES, REF, component_name, components_of, enumerations_of, parameters_of
from gateway.api.descriptions import first_sentence, text_of
from gateway.api.examples import example_of
from gateway.api.problems import KINDS, PROBLEM_TYPE, problem_example
from gateway.api.spec import BYTES_TYPE, Route
from schemas.events import EVENTS, StorefrontEvent
from schemas.problems import Problem

_HEADERS: Mapping[str, tuple[str, str]] = {
    "X-Request-Id": ("The request's own id, or the one that was made for it.", "string"),
    "RateLimit-Limit": ("Requests that this key may send in a minute.", "integer"),
    "RateLimit-Remaining": ("Requests that are left now.", "integer"),
    "RateLimit-Reset": ("Seconds until all are left again.", "integer"),
    "ETag": ("Names this answer; send it as If-None-Match.", "string"),
    "Retry-After": ("Seconds after which another try is worth it.", "integer"),
}
SIGNATURE: Mapping[str, tuple[str, str]] = {
    "webhook-id": ("The event's id, the same in every try and replay.", "evt_77aa01"),
    "webhook-timestamp": ("When this try was sent, in seconds since 1970.", "1795168800"),
    "webhook-signature": (
        "The signature by Standard Webhooks; two, with a space between, for 24 hours after a rotation.",
        "v1,cWxQtFZhggejs4sanQgx0pPBF+3YpgsEHsYXtdsYBrk=",
    ),
}
_NEEDS = {"public": "", "any key": "Every key may, whatever its scopes."}
_ANSWERS = """
**Errors** are `application/problem+json` (RFC 9457) with a `code` for programs, and the `request_id` that stands in
our log. What is wrong with a request stands in `errors`, each with a JSON pointer. `type` leads to a page with the
cause and the cure of the code.

**Pages.** A list holds `data`, `has_more` and `next_cursor`; send that as `cursor` for the next page.

**Rate limit.** Each answer says in `RateLimit-…` what is left; beyond it comes 429 with `Retry-After`.

**Money** is exact: `{"amount": "5.50", "currency": "USD"}`, the amount being text. Times are RFC 3339 in UTC.
"""
_KEYS = """
**Keys.** Send `Authorization: Bearer gw_live_…` or `X-API-Key: gw_live_…`. A live key sees live suppliers,
a test key (`gw_test_…`) those in test mode. A key's scopes decide what it opens; each operation names the one it needs.
"""


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a document is for: its title, what it says before all operations, and its tags in order."""

    for_operators: bool
    title: str
    text: str
    tags: Mapping[str, str]


STOREFRONTS = Audience(
    for_operators=False,
    title="eSIM gateway",
    text=f"""
One catalogue for several eSIM suppliers.
{_KEYS}`storefront` includes `catalog`; `goods` and `routing` stand beside `storefront`.
{_ANSWERS}
**Caching.** Answers of the catalogue carry an ETag that changes when the answer may have changed; send it back as
`If-None-Match` and get 304 without a body when it has not.

**Events** are sent to your webhook endpoints, signed as Standard Webhooks says; `GET /v1/events` lists them. The same
events stand in `/asyncapi.json`. Operators have a document of their own: `/openapi-ops.json`.
""",
    tags={
        "catalog": "What can be bought, answered from memory.",
        "quotes": "A price that is held for a while.",
        "orders": "Buying once, following it to its end, cancelling.",
        "checkouts": "A link at which a customer pays, and the order that comes of it.",
        "esims": "What was delivered: status, usage, QR codes, top-ups.",
        "numbers": "Virtual numbers: where they are sold, for how much, and yours.",
        "goods": "Vouchers and recharges beside eSIMs; needs a key with the scope `goods`.",
        "webhooks": "Where events are sent, and what became of each.",
        "events": "What is sent to your webhook endpoints, and the list of it.",
        "keys": "The key that you use.",
        "documentation": "These descriptions.",
    },
)
OPERATORS = Audience(
    for_operators=True,
    title="eSIM gateway, operations",
    text=f"""
For those who run the gateway: all storefronts, live and test.
{_KEYS}`ops` includes `ops:read`.
{_ANSWERS}""",
    tags={
        "suppliers": "Accounts at suppliers: their state, figures, checks and pauses.",
        "sync": "Fetching catalogues: runs, quarantines, and what could not be mapped.",
        "mappings": "What a supplier's unknown words mean.",
        "offers": "The offers of all suppliers, and those held back because of their price.",
        "prices": "What suppliers ask, side by side and over time.",
        "pricing": "What storefronts pay: pricing rules and margins.",
        "rates": "Exchange rates.",
        "orders": "All storefronts' orders, and those that an operator must decide.",
        "checkouts": "All storefronts' checkouts and payment cases.",
        "goods": "Digital goods by account.",
        "numbers": "Virtual numbers by account.",
        "selling": "Stopping and resuming all sales.",
        "money": "Our money at the suppliers: balances, statements, the ledger, deposits.",
        "alerts": "Alerts, the rules that raise them, and the channels that they go to.",
        "travellers": "What travellers see of a storefront.",
        "keys": "API keys.",
        "audit": "Who logged in and changed what.",
        "operations": "The queue of jobs and the settings in force.",
        "incoming": "What suppliers send.",
        "health": "For load balancers and monitors; needs no key.",
        "documentation": "These descriptions.",
    },
)


def document(routes: Iterable[Route], audience: Audience) -> bytes:
    """The document of an audience as JSON."""
    order = {tag: place for place, tag in enumerate(audience.tags)}
    listed = sorted(
        (route for route in routes if route.for_operators is audience.for_operators),
        key=lambda route: order.get(route.tag, len(order)),
    )
    events = {} if audience.for_operators else EVENTS
    paths: dict[str, dict[str, Any]] = {}
    for route in listed:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    answers = {kind for route in listed for kind in _answer_types(route)} | {Problem, *events.values()}
    bodies = {kind for route in listed for kind in route.bodies}
    body: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": audience.title,
            "version": metadata.version("esim-gateway"),
            "description": audience.text.strip(),
            "contact": {"name": "The operator of this gateway"},
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This gateway."}],
        "tags": [{"name": name, "description": text} for name, text in audience.tags.items()],
        "paths": paths,
    }
    if events:
        body["webhooks"] = {name: {"post": _webhook(name, kind)} for name, kind in events.items()}
    schemas = components_of(answers, bodies)
    body["components"] = {
        "schemas": schemas,
        "securitySchemes": {
            "bearer": {
                "type": "http", "scheme": "bearer", "bearerFormat": "gw_live_… or gw_test_…",
                "description": "The API key.",
            },
            "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The API key."},
        },
    }  # fmt: skip
    responses = {code: _problem(code) for code in KINDS}
    headers = {name: {"description": text, "schema": {"type": kind}} for name, (text, kind) in _HEADERS.items()}
    schemas.update(_referred(body, "schemas", CODES))
    body["components"]["responses"] = _referred(body, "responses", responses)
    body["components"]["headers"] = _referred(body, "headers", headers)
    return orjson.dumps(body)


def _referred(body: dict[str, Any], part: str, components: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the components that a document refers to."""
    text = orjson.dumps(body).decode()
    return {name: made for name, made in components.items() if f'"#/components/{part}/{name}"' in text}


def _operation(route: Route) -> dict[str, Any]:
    needs = _NEEDS.get(route.access, f"Needs the scope `{route.access}`.")
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "description": " ".join(filter(None, (route.description, needs))),
        "tags": [route.tag],
        "parameters": [*_path_parameters(route), *_query_parameters(route), *_header_parameters(route)],
        "responses": _responses(route),
    }
    if route.cached:
        operation["parameters"].append(
            {
                "name": "If-None-Match",
                "in": "header",
                "required": False,
                "description": "The ETag of an answer that you hold.",
                "schema": {"type": "string"},
            }
        )
    if route.bodies:
        refs = [{"$ref": REF.format(name=kind.__name__)} for kind in route.bodies]
        content: dict[str, Any] = {"schema": refs[0] if len(refs) == 1 else {"oneOf": refs}}
        content["example"] = _body_example(route)
        operation["requestBody"] = {"required": not route.body_optional, "content": {"application/json": content}}
    operation["security"] = [] if route.access == "public" else [{"bearer": []}, {"apiKey": []}]
    return operation


def _responses(route: Route) -> dict[str, Any]:
    good = _good_answer(route)
    responses: dict[str, Any] = {str(route.status): good}
    for status, text in route.also.items():
        responses[str(status)] = {**good, "description": text}
    if route.cached:
        responses["304"] = {"description": "What you hold is still right."}
    by_status: dict[int, list[str]] = {}
    for code in _problem_codes(route):
        by_status.setdefault(KINDS[code].status, []).append(code)
    for status, codes in sorted(by_status.items()):
        if len(codes) == 1:
            responses[str(status)] = {"$ref": f"#/components/responses/{codes[0]}"}
        else:
            responses[str(status)] = _problem(*codes)
    return responses


def _good_answer(route: Route) -> dict[str, Any]:
    headers = ["X-Request-Id"]
    if route.access != "public":
        headers += ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"]
    if route.cached:
        headers.append("ETag")
    good: dict[str, Any] = {
        "description": route.status_means or route.summary,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
    }
    if route.answer is dict:
        good["content"] = {route.answer_type: {"schema": {"type": "object"}}}
    elif route.answer is not None:
        good["content"] = {route.answer_type: {"schema": {"$ref": REF.format(name=component_name(route.answer))}}}
        good["content"][route.answer_type]["example"] = example_of(route.answer, route.example)
    elif route.answer_type.startswith("image/"):
        # Generators of clients know bytes by the second name. The server answers so to who accepts nothing else.
        types = (route.answer_type, BYTES_TYPE)
        good["content"] = {name: {"schema": {"type": "string", "format": "binary"}} for name in types}
    else:
        good["content"] = {route.answer_type: {"schema": {"type": "string"}}}
    return good


def _body_example(route: Route) -> dict[str, Any]:
    """The example of a body: of the first type that has what the route gives for it."""
    values = route.body_example
    body_type = next(kind for kind in route.bodies if values.keys() <= set(kind.__struct_encode_fields__))
    body: dict[str, Any] = example_of(body_type, values)
    return body


def _problem_codes(route: Route) -> list[str]:
    codes = list(route.problems)
    if route.parameters is not None and "invalid" not in codes:
        codes.append("invalid")
    codes.append("malformed")
    if route.access != "public":
        codes += ["unauthorized", "rate_limited", "unavailable"]
    if route.access not in _NEEDS:
        codes.append("forbidden")
    if route.bodies:
        codes += ["request_timeout", "too_large", "unsupported_media_type"]
    codes.append("internal")
    return list(dict.fromkeys(codes))


def _problem(*codes: str) -> dict[str, Any]:
    first = KINDS[codes[0]]
    headers = ["X-Request-Id"] + (["Retry-After"] if first.status in {429, 503} else [])
    lines = [f"`{code}`: {KINDS[code].title}. {KINDS[code].cause} {KINDS[code].cure}" for code in codes]
    return {
        "description": lines[0] if len(lines) == 1 else "\n".join(f"- {line}" for line in lines),
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
        "content": {
            PROBLEM_TYPE: {
                "schema": {"$ref": REF.format(name="Problem")},
                "examples": {code: {"summary": KINDS[code].title, "value": problem_example(code)} for code in codes},
            }
        },
    }


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": text,
            "schema": {"type": "string", "pattern": pattern},
        }
        for name, (pattern, text) in route.parts.items()
    ]


def _header_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "header",
            "required": header.required,
            "description": header.description,
            "schema": {"type": "string", **header.schema},
        }
        for name, header in route.headers.items()
    ]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    return [] if route.parameters is None else list(parameters_of(route.parameters))


def _webhook(name: str, kind: type[StorefrontEvent]) -> dict[str, Any]:
    """The request that a webhook endpoint receives."""
    text = text_of(kind)
    content = {"schema": {"$ref": REF.format(name=kind.__name__)}, "example": example_of(kind, {})}
    return {
        "operationId": f"on_{name.replace('.', '_')}",
        "summary": first_sentence(text).rstrip("."),
        "description": text,
        "tags": ["events"],
        "parameters": [
            {"name": header, "in": "header", "required": True, "description": meaning, "schema": {"type": "string"},
             "example": value}
            for header, (meaning, value) in SIGNATURE.items()
        ],
        "requestBody": {"required": True, "description": "The event.", "content": {"application/json": content}},
        "responses": {
            "204": {"description": "The event is taken. Any 2xx within 15 seconds will do; all else is tried again."},
            "410": {"description": "The endpoint is to be disabled."},
        },
        "security": [],
    }  # fmt: skip


def _answer_types(route: Route) -> Iterable[Any]:
    if route.answer not in {None, dict}:
        yield route.answer
    if route.parameters is not None:
        yield from enumerations_of(route.parameters)
