"""Errors as RFC 9457 ``application/problem+json``: the codes there are, and how one is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec
from aiohttp import web

from schemas.problems import NearestPlan, Problem, ProblemError

PROBLEM_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """What an error code means, the same in every answer and in the documentation."""

    status: int
    title: str


KINDS: Mapping[str, Kind] = {
    "malformed": Kind(400, "Malformed request"),
    "idempotency_key_required": Kind(400, "Idempotency-Key required"),
    "unauthorized": Kind(401, "Invalid API key"),
    "forbidden": Kind(403, "Not allowed for this API key"),
    "not_found": Kind(404, "Resource not found"),
    "no_plan": Kind(404, "No matching plan"),
    "method_not_allowed": Kind(405, "Method not allowed"),
    "not_acceptable": Kind(406, "Not acceptable"),
    "request_timeout": Kind(408, "Request timeout"),
    "conflict": Kind(409, "Conflict with the current state"),
    "no_stock": Kind(409, "Out of stock"),
    "price_changed": Kind(409, "The price has changed"),
    "quote_expired": Kind(409, "The quote has expired"),
    "duplicate_reference": Kind(409, "Reference already used"),
    "spend_limit": Kind(409, "Daily spend limit reached"),
    "not_cancellable": Kind(409, "Cannot be cancelled"),
    "has_topups": Kind(409, "The eSIM has top-ups"),
    "not_topupable": Kind(409, "The eSIM cannot be topped up"),
    "gone": Kind(410, "Resource is gone"),
    "plan_replaced": Kind(410, "The plan was replaced"),
    "too_large": Kind(413, "Request too large"),
    "unsupported_media_type": Kind(415, "Unsupported media type"),
    "expectation_failed": Kind(417, "Expectation failed"),
    "invalid": Kind(422, "Invalid request"),
    "no_rate": Kind(422, "No exchange rate for this currency"),
    "idempotency_mismatch": Kind(422, "The Idempotency-Key belongs to another request"),
    "rate_limited": Kind(429, "Too many requests"),
    "too_many_open_orders": Kind(429, "Too many open orders"),
    "internal": Kind(500, "Internal error"),
    "not_supported": Kind(501, "Not supported by the supplier"),
    "selling_stopped": Kind(503, "Selling is stopped"),
    "unavailable": Kind(503, "Temporarily unavailable"),
}
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


def render(refusal: Refusal, request_id: str) -> web.Response:
    """The problem as an answer."""
    kind = KINDS[refusal.code]
    body = Problem(
        type=f"/errors/{refusal.code}",
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
