"""Errors as RFC 9457 ``application/problem+json``: the codes there are, and how one is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any

import msgspec
from aiohttp import web

from schemas.problems import NearestPlan, Problem, ProblemError

PROBLEM_TYPE = "application/problem+json"


class Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an error code means, the same in every answer and in the documentation.

    ``cure`` is what a caller does about it, ``retry`` whether the same request may succeed later. ``example`` is what
    an answer holds beside what every problem has.
    """

    status: int
    title: str
    cause: str
    cure: str
    retry: bool
    example: dict[str, Any] = {}


KINDS: Mapping[str, Kind] = msgspec.toml.decode(
    resources.files("gateway.api").joinpath("problem_kinds.toml").read_bytes(), type=dict[str, Kind]
)
_BY_STATUS = {
    404: "not_found", 405: "method_not_allowed", 406: "not_acceptable", 409: "conflict", 410: "gone", 413: "too_large",
    415: "unsupported_media_type", 417: "expectation_failed", 422: "invalid", 429: "rate_limited", 503: "unavailable",
    401: "unauthorized", 403: "forbidden", 408: "request_timeout", 500: "internal",
}  # fmt: skip


class Refusal(Exception):  # noqa: N818 - an answer, not a fault
    """Raised anywhere under a request: the answer is this problem.

    ``errors`` are (pointer, detail) pairs, ``successors`` the plans that took the place of one that was replaced,
    ``nearest`` plans that miss little of a need.
    """

    def __init__(
        self,
        code: str,
        detail: str | None = None,
        *,
        errors: Iterable[tuple[str, str]] = (),
        successors: Iterable[str] = (),
        nearest: Iterable[NearestPlan] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or KINDS[code].title)
        self.code = code
        self.status = KINDS[code].status
        self.detail = detail
        self.errors = tuple(errors)
        self.successors = tuple(successors)
        self.nearest = tuple(nearest)
        self.headers = dict(headers or {})


def invalid(pointer: str, detail: str) -> Refusal:
    """422 for one part of a request; ``pointer`` names it ("/country", "/countries/0")."""
    return Refusal("invalid", f"{pointer.lstrip('/') or 'the body'}: {detail}", errors=[(pointer, detail)])


def unavailable(what: str, retry_after: int = 5) -> Refusal:
    """503: ``what`` needs something that is down; worth another try after ``retry_after`` seconds."""
    return Refusal("unavailable", what, headers={"Retry-After": str(retry_after)})


def left_catalogue(detail: str, successors: tuple[str, ...]) -> Refusal:
    """410 for a plan that is no longer there, with the plans that its offers are now."""
    return Refusal("plan_replaced" if successors else "gone", detail, successors=successors)


def of_status(error: web.HTTPException) -> Refusal:
    """The problem for an error that aiohttp raised itself: no route, wrong method, too large a body."""
    code = _BY_STATUS.get(error.status, "internal" if error.status >= 500 else "malformed")  # noqa: PLR2004 - HTTP
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    return Refusal(code, headers=headers)


def problem_example(code: str) -> dict[str, Any]:
    """A problem with this code, as the documentation shows it."""
    kind = KINDS[code]
    return {
        "type": f"/errors/{code}",
        "title": kind.title,
        "status": kind.status,
        "code": code,
        "request_id": "req_0123456789000001",
        **kind.example,
    }


def render(refusal: Refusal, request_id: str, base_url: str = "") -> web.Response:
    """The problem as an answer. Without ``base_url`` its type is a path."""
    kind = KINDS[refusal.code]
    body = Problem(
        type=f"{base_url}/errors/{refusal.code}",
        title=kind.title,
        status=kind.status,
        code=refusal.code,
        request_id=request_id,
        detail=refusal.detail if refusal.detail is not None else msgspec.UNSET,
        errors=[ProblemError(*error) for error in refusal.errors] if refusal.errors else msgspec.UNSET,
        successors=list(refusal.successors) if refusal.successors else msgspec.UNSET,
        nearest=list(refusal.nearest) if refusal.nearest else msgspec.UNSET,
    )
    headers = {"Content-Type": PROBLEM_TYPE, "Cache-Control": "no-store", **refusal.headers}
    if kind.status == 401:  # noqa: PLR2004 - HTTP
        headers["WWW-Authenticate"] = 'Bearer realm="esim-gateway"'
    return web.Response(status=kind.status, body=msgspec.json.encode(body), headers=headers)
