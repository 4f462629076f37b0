"""OpenAPI 3.1, made from the routes and from the types that check requests and shape answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import Any, get_args

import msgspec
import orjson
from msgspec import json as msgspec_json

from gateway.api.examples import example_of
from gateway.api.problems import KINDS, PROBLEM_TYPE
from gateway.api.spec import Route
from schemas.problems import Problem

_REF = "#/components/schemas/{name}"
_HEADERS: Mapping[str, tuple[str, str]] = {
    "X-Request-Id": ("The request's own id, or the one that was made for it.", "string"),
    "RateLimit-Limit": ("Requests that this key may send in a minute.", "integer"),
    "RateLimit-Remaining": ("Requests that are left now.", "integer"),
    "RateLimit-Reset": ("Seconds until all are left again.", "integer"),
    "ETag": ("Names this answer; send it as If-None-Match.", "string"),
    "Retry-After": ("Seconds after which another try is worth it.", "integer"),
}
_PAGE_OF = re.compile(r"Page_(\w+)_")
_DESCRIPTION = """
One catalogue for several eSIM suppliers.

**Keys.** Send `Authorization: Bearer gw_live_…` or `X-API-Key: gw_live_…`. A live key sees live suppliers,
a test key (`gw_test_…`) those in test mode. A key's scopes decide what it opens; each operation names the one it needs.
`storefront` includes `catalog`, `ops` includes `ops:read`; `goods` and `routing` stand beside `storefront`.

**Errors** are `application/problem+json` (RFC 9457) with a `code` for programs, and the `request_id` that stands in
our log. What is wrong with a request stands in `errors`, each with a JSON pointer.

**Pages.** A list holds `data`, `has_more` and `next_cursor`; send that as `cursor` for the next page.

**Caching.** Answers of the catalogue carry an ETag that changes when the answer may have changed; send it back as
`If-None-Match` and get 304 without a body when it has not.

**Rate limit.** Each answer says in `RateLimit-…` what is left; beyond it comes 429 with `Retry-After`.

**Money** is exact: `{"amount": "5.50", "currency": "USD"}`, the amount being text. Times are RFC 3339 in UTC.
"""
_TAGS = {
    "Catalogue": "What can be bought, answered from memory.",
    "Quotes": "A price that is held for a while.",
    "Orders": "Buying once, following it to its end, cancelling.",
    "Checkouts": "A link at which a customer pays, and the order that comes of it.",
    "Digital goods": "Vouchers and recharges beside eSIMs; needs a key with the scope `goods`.",
    "Numbers": "Virtual numbers: where they are sold, for how much, and yours.",
    "eSIMs": "What was delivered: status, usage, QR codes, top-ups.",
    "Webhooks": "Where events are sent, and what became of each.",
    "Operations": "For those who run the shop; reading needs a key with the scope `ops:read`, changing `ops`.",
    "Health": "For load balancers and monitors; needs no key.",
    "Documentation": "This description.",
}
_TAG_ORDER = {tag: place for place, tag in enumerate(_TAGS)}


def document(routes: Iterable[Route], *, countries: Iterable[str], regions: Iterable[str]) -> bytes:
    """The whole document as JSON. Countries and regions are those that the gateway knows."""
    listed = sorted(routes, key=lambda route: _TAG_ORDER.get(route.tag, len(_TAG_ORDER)))
    types = {kind for route in listed for kind in _types(route)} | {Problem}
    ordered = sorted(types, key=_component_name)
    _, components = msgspec_json.schema_components(ordered, ref_template=_REF)
    known: dict[str, dict[str, Any]] = {
        "CountryCode": {"type": "string", "description": "ISO 3166-1 alpha-2.", "enum": sorted(countries)},
        "CurrencyCode": {
            "type": "string", "pattern": "^[A-Z]{3,4}$", "examples": ["USD"],
            "description": "Any currency that has an exchange rate; 422 `no_rate` for one without.",
        },
        "RegionCode": {"type": "string", "description": "A region of `/v1/regions`.", "enum": sorted(regions)},
    }  # fmt: skip
    request_names = _asked(listed)
    schemas = dict(
        _page_named(name, _named(schema, is_request=name in request_names)) for name, schema in components.items()
    )
    paths: dict[str, dict[str, Any]] = {}
    for route in listed:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return orjson.dumps(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "eSIM gateway",
                "version": metadata.version("esim-gateway"),
                "description": _DESCRIPTION.strip(),
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/"}],
            "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
            "paths": paths,
            "components": {
                "schemas": schemas | known,
                "securitySchemes": {
                    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "gw_live_… or gw_test_…"},
                    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                },
                "headers": {
                    name: {"description": text, "schema": {"type": kind}} for name, (text, kind) in _HEADERS.items()
                },
                "responses": {code: _problem(code) for code in KINDS},
            },
        }
    )


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.tag],
        "parameters": [*_path_parameters(route), *_query_parameters(route), *_header_parameters(route)],
        "responses": _responses(route),
    }
    needs = "" if route.access == "public" else f"Needs the scope `{route.access}`."
    if text := " ".join(filter(None, (route.description, needs))):
        operation["description"] = text
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
        refs = [{"$ref": _REF.format(name=kind.__name__)} for kind in route.bodies]
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
        good["content"] = {route.answer_type: {"schema": {"$ref": _REF.format(name=_component_name(route.answer))}}}
        good["content"][route.answer_type]["example"] = example_of(route.answer, route.example)
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
        codes += ["unauthorized", "forbidden", "rate_limited", "unavailable"]
    if route.bodies:
        codes += ["request_timeout", "too_large", "unsupported_media_type"]
    codes.append("internal")
    return list(dict.fromkeys(codes))


def _problem(*codes: str) -> dict[str, Any]:
    first = KINDS[codes[0]]
    example = {
        "type": f"/errors/{codes[0]}", "title": first.title, "status": first.status, "code": codes[0],
        "request_id": "req_0123456789000001",
    }  # fmt: skip
    headers = ["X-Request-Id"] + (["Retry-After"] if first.status in {429, 503} else [])
    return {
        "description": " · ".join(f"`{code}`: {KINDS[code].title}." for code in codes),
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
        "content": {PROBLEM_TYPE: {"schema": {"$ref": _REF.format(name="Problem")}, "example": example}},
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
    if route.parameters is None:
        return []
    _, components = msgspec_json.schema_components([route.parameters], ref_template=_REF)
    described = components[route.parameters.__name__]
    properties: dict[str, Any] = described.get("properties", {})
    found = []
    for name, schema in properties.items():
        named = _named(schema, is_request=True, name=name)
        text = named.pop("description", None) if isinstance(named, dict) else None
        required = name in described.get("required", ())
        parameter = {"name": name, "in": "query", "required": required, "schema": named}
        if text:
            parameter["description"] = text
        if named.get("type") == "array":
            parameter |= {"style": "form", "explode": True}
        found.append(parameter)
    return found


def _named(schema: Any, *, is_request: bool, name: str = "") -> Any:
    """Put the known codes in the place of their patterns, where they are asked for."""
    if isinstance(schema, list):
        return [_named(item, is_request=is_request, name=name) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("enum") == [True]:  # generators of clients know a constant, and no enum of booleans
        constant = {"type": "boolean", "const": True}
        return constant | ({"description": schema["description"]} if "description" in schema else {})
    pattern = schema.get("pattern")
    known = {"^[A-Z]{2}$": "CountryCode", "^[A-Z]{3,4}$": "CurrencyCode"}.get(str(pattern))
    if name == "region" and schema.get("type") == "string":
        known = "RegionCode"
    if known is not None and is_request:
        named: dict[str, Any] = {"$ref": _REF.format(name=known)}
        return named | ({"description": schema["description"]} if "description" in schema else {})
    # What may be null, too, is one of several under the name of all of them.
    return {
        key: _named(value, is_request=is_request, name=name if key == "anyOf" else key) for key, value in schema.items()
    }


def _asked(routes: Iterable[Route]) -> set[str]:
    """Names of the types that requests are made of."""
    bodies = [kind for route in routes for kind in route.bodies]
    _, components = msgspec_json.schema_components(bodies, ref_template=_REF)
    return set(components)


def _types(route: Route) -> Iterable[type]:
    if route.answer not in {None, dict}:
        yield route.answer
    yield from route.bodies
    if route.parameters is not None:
        _, components = msgspec_json.schema_components([route.parameters], ref_template=_REF)
        del components[route.parameters.__name__]
        yield from _enums(route.parameters, set(components))


def _component_name(kind: Any) -> str:
    """The name of a type in the document: ``Page[Order]`` is ``OrderPage``."""
    (row,) = get_args(kind) or (None,)
    return str(kind.__name__ if row is None else f"{row.__name__}Page")


def _page_named(name: str, schema: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A component under its name in the document: msgspec writes ``Page_Order_`` and the title ``Page[Order]``."""
    row = _PAGE_OF.fullmatch(name)
    if row is None:
        return name, schema
    return f"{row[1]}Page", {**schema, "title": f"{row[1]}Page"}


def _enums(parameters: type[msgspec.Struct], names: set[str]) -> Iterable[type]:
    from schemas import plan  # noqa: PLC0415 - only while the document is made

    for name in names:
        kind = getattr(plan, name, None)
        if kind is None:
            raise LookupError(f"{parameters.__name__} uses {name}, which schemas.plan does not have")
        yield kind
