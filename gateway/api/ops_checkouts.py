"""What operators see of checkouts and payments, and how they decide what waits for them."""

from __future__ import annotations

from aiohttp import web

from gateway.api.checkouts import CHECKOUT_PART
from gateway.api.ops_changes import who
from gateway.api.ordering import deps_of, refusal, run_to_completion
from gateway.api.paging import json_answer
from gateway.api.parameters import NoParameters
from gateway.api.parameters_checkouts import OpsCheckoutParameters, PaymentCaseParameters
from gateway.api.problems import Refusal
from gateway.api.reading import read_body, read_query, unset_to_none
from gateway.api.spec import Table
from gateway.checkouts import checkout_view_rows, presenter
from gateway.checkouts.decisions import decide
from gateway.kit.problem import Problem
from schemas.checkouts import CaseResolveRequest, CasesResolved, OpsCheckout, PaymentCase
from schemas.page import Page

routes = Table()

_CASE_PART = {"id": ("^(co|pc)_[A-Za-z0-9]{1,60}$", "A case's `id`, or a checkout's for all of its open cases.")}
_REFUNDED = {
    "outcome": "refunded",
    "closed_at": "2026-11-20T10:30:00Z",
    "note": "given back in the shop's account at bePaid",
}


@routes(
    "GET", "/v1/ops/checkouts",
    access="ops:read", tag="Operations", answer=Page[OpsCheckout],
    parameters=OpsCheckoutParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_ops_checkouts(request: web.Request) -> web.Response:
    """All storefronts' checkouts, live and test, the newest first.

    With their payments, their cases, and what fee and cost leave of the price.
    """
    sent = read_query(request, OpsCheckoutParameters)
    deps = deps_of(request)
    found = await checkout_view_rows.of_all(
        deps.pool,
        sent.page,
        mode=unset_to_none(sent.mode),
        status=unset_to_none(sent.status),
        storefront=unset_to_none(sent.storefront),
    )
    return json_answer(found.of(await presenter.ops_shown(deps, found.data)))


@routes(
    "GET", "/v1/ops/checkouts/{id}",
    access="ops:read", tag="Operations", answer=OpsCheckout, parts=CHECKOUT_PART,
    parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def get_ops_checkout(request: web.Request) -> web.Response:
    """Any storefront's checkout."""
    read_query(request, NoParameters)
    found = await presenter.ops_one(deps_of(request), request.match_info["id"])
    if found is None:
        raise Refusal("not_found", "there is no such checkout")
    return json_answer(found)


@routes(
    "GET", "/v1/ops/payment-cases",
    access="ops:read", tag="Operations", answer=Page[PaymentCase],
    parameters=PaymentCaseParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_payment_cases(request: web.Request) -> web.Response:
    """What waits for a person about checkouts and payments, the longest first.

    A payment that nobody knows the checkout of stands here alone.
    """
    sent = read_query(request, PaymentCaseParameters)
    mode, reason = unset_to_none(sent.mode), unset_to_none(sent.reason)
    return json_answer(await presenter.waiting(deps_of(request), sent.page, mode=mode, reason=reason))


@routes(
    "POST", "/v1/ops/checkouts/{id}/resolve",
    access="ops", tag="Operations", answer=CasesResolved, example={"data": [_REFUNDED]}, parts=_CASE_PART,
    parameters=NoParameters, bodies=(CaseResolveRequest,), problems=("not_found", "conflict", "invalid", "unavailable"),
)  # fmt: skip
async def resolve_checkout(request: web.Request) -> web.Response:
    """Decide what waits for a person.

    `placed` has the order bought now, at the price and cost that were held; `refunded`: you gave the money back at
    the payment supplier; `closed`: neither. Nothing is sent to the payment supplier. 409 when it was decided before,
    or no order can come of it.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, CaseResolveRequest)
    deps = deps_of(request)
    by = who(request)
    closed = await run_to_completion(decide(deps, request.match_info["id"], sent.as_, sent.note, by))
    if isinstance(closed, Problem):
        raise refusal(closed)
    found = [await presenter.case(deps, one.id) for one in closed]
    return json_answer(CasesResolved([one for one in found if one is not None]))
