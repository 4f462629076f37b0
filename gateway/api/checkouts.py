"""Checkouts: a price held, a link at which it is paid, and the order that the payment places."""

from __future__ import annotations

from typing import Annotated, Literal

from aiohttp import web
from msgspec import UNSET, Meta, UnsetType

from gateway.api.changes import actor_of
from gateway.api.ordering import (
    HEADERS,
    IDEMPOTENCY_KEY,
    deps_of,
    idempotency_key,
    refusal,
    run_to_completion,
    storefront_of,
)
from gateway.api.paging import json_answer
from gateway.api.parameters import NoParameters, PageParameters
from gateway.api.problems import Refusal
from gateway.api.reading import read_body, read_query, unset_to_none
from gateway.api.spec import Table
from gateway.checkouts import checkout_view_rows, presenter
from gateway.checkouts.decisions import decide
from gateway.checkouts.open_checkout import open_checkout
from gateway.kit.problem import Problem
from schemas.checkouts import (
    CaseReason,
    CaseResolveRequest,
    CasesResolved,
    Checkout,
    CheckoutForPlan,
    CheckoutForQuote,
    CheckoutStatus,
    OpsCheckout,
    PaymentCase,
)
from schemas.orders import Reference
from schemas.page import Page

routes = Table()

_Status = Annotated[CheckoutStatus, Meta(description="Only checkouts in this state.")]
_Mode = Annotated[Literal["live", "test"], Meta(description="Only live ones, or only test ones.")]


class CheckoutParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A storefront's checkouts."""

    status: _Status | UnsetType = UNSET
    reference: Annotated[Reference, Meta(description="The checkout with this reference of yours.")] | UnsetType = UNSET


class OpsCheckoutParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All storefronts' checkouts."""

    status: _Status | UnsetType = UNSET
    mode: _Mode | UnsetType = UNSET
    storefront: (
        Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00]+\Z", description="A storefront's name.")]
        | UnsetType
    ) = UNSET


class PaymentCaseParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Payment cases that need an operator."""

    mode: _Mode | UnsetType = UNSET
    reason: Annotated[CaseReason, Meta(description="Only cases with this reason.")] | UnsetType = UNSET


CHECKOUT_PART = {"id": ("^co_[A-Za-z0-9]{1,60}$", "The checkout's `id`.")}
_PROBLEMS = (
    "idempotency_key_required", "no_plan", "not_found", "gone", "plan_replaced", "no_stock", "price_changed",
    "quote_expired", "duplicate_reference", "spend_limit", "idempotency_mismatch", "not_supported", "invalid",
    "no_rate", "selling_stopped", "unavailable",
)  # fmt: skip


@routes(
    "POST", "/v1/checkouts",
    access="storefront", tag="checkouts", status=201,
    status_means="Opened: its link is there to be paid. Or `failed`: no link came about.",
    also={200: "Opened before under this key. `Idempotent-Replayed: true`.",
          202: "Opened; its link is being made: ask again in a few seconds."}, answer=Checkout, parameters=NoParameters,
    headers={IDEMPOTENCY_KEY: HEADERS[IDEMPOTENCY_KEY]}, bodies=(CheckoutForPlan, CheckoutForQuote), problems=_PROBLEMS,
)  # fmt: skip
async def create_checkout(request: web.Request) -> web.Response:
    """Have a customer pay for a plan.

    For a plan at its price of now, or for a quote at the price that is held. The price stays held until `expires_at`,
    and `payment_url` can be paid once until then. The payment places the order, once: `order_id` names it. Sent again
    under the same Idempotency-Key it answers the same checkout. A problem uses the key not up.
    """
    read_query(request, NoParameters)
    key = idempotency_key(request)
    sent: CheckoutForPlan | CheckoutForQuote = await read_body(request, CheckoutForPlan, CheckoutForQuote)
    opened = await run_to_completion(open_checkout(deps_of(request), *storefront_of(request), sent, key))
    if isinstance(opened, Problem):
        raise refusal(opened)
    headers = {"Location": f"/v1/checkouts/{opened.order_id}"}
    if opened.replayed:
        headers["Idempotent-Replayed"] = "true"
    checkout = await _own(request, opened.order_id)
    made = 200 if opened.replayed else 201
    answer = json_answer(checkout, status=202 if checkout.status == "creating" else made)
    answer.headers.update(headers)
    return answer


@routes(
    "GET", "/v1/checkouts",
    access="storefront", tag="checkouts", answer=Page[Checkout],
    parameters=CheckoutParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_checkouts(request: web.Request) -> web.Response:
    """Checkouts, the newest first.

    Those of your storefront, in the mode of the key.
    """
    sent = read_query(request, CheckoutParameters)
    deps = deps_of(request)
    found = await checkout_view_rows.newest_first(
        deps.pool,
        storefront_of(request),
        sent.page,
        status=unset_to_none(sent.status),
        reference=unset_to_none(sent.reference),
    )
    now = deps.clock()
    return json_answer(found.map(lambda row: presenter.present(row, now)))


@routes(
    "GET", "/v1/checkouts/{id}",
    access="storefront", tag="checkouts", answer=Checkout, parts=CHECKOUT_PART,
    parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def get_checkout(request: web.Request) -> web.Response:
    """One checkout.

    `paid` has the `order_id` of its order. `needs_review`: money moved, or may have, in a way that needs an operator;
    `review` has the reason.
    """
    read_query(request, NoParameters)
    return json_answer(await _own(request, request.match_info["id"]))


async def _own(request: web.Request, checkout_id: str) -> Checkout:
    found = await presenter.checkout(deps_of(request), checkout_id, storefront_of(request))
    if found is None:
        raise Refusal("not_found", "there is no such checkout")
    return found


_CASE_PART = {"id": ("^(co|pc)_[A-Za-z0-9]{1,60}$", "A case's `id`, or a checkout's for all of its open cases.")}
_REFUNDED = {
    "outcome": "refunded",
    "closed_at": "2026-11-20T10:30:00Z",
    "note": "refunded in the shop's account at bePaid",
}


@routes(
    "GET", "/v1/ops/checkouts",
    access="ops:read", tag="checkouts", answer=Page[OpsCheckout],
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
    return json_answer(found.of(await presenter.ops_checkouts(deps, found.data)))


@routes(
    "GET", "/v1/ops/checkouts/{id}",
    access="ops:read", tag="checkouts", answer=OpsCheckout, parts=CHECKOUT_PART,
    parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def get_ops_checkout(request: web.Request) -> web.Response:
    """Any storefront's checkout.

    With its payments, its cases and what is left of its price.
    """
    read_query(request, NoParameters)
    found = await presenter.ops_checkout(deps_of(request), request.match_info["id"])
    if found is None:
        raise Refusal("not_found", "there is no such checkout")
    return json_answer(found)


@routes(
    "GET", "/v1/ops/payment-cases",
    access="ops:read", tag="checkouts", answer=Page[PaymentCase],
    parameters=PaymentCaseParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_payment_cases(request: web.Request) -> web.Response:
    """Payment cases that need an operator, the oldest first.

    Payments of no known checkout are listed without one.
    """
    sent = read_query(request, PaymentCaseParameters)
    mode, reason = unset_to_none(sent.mode), unset_to_none(sent.reason)
    return json_answer(await presenter.waiting(deps_of(request), sent.page, mode=mode, reason=reason))


@routes(
    "POST", "/v1/ops/checkouts/{id}/resolve",
    access="ops", tag="checkouts", answer=CasesResolved, example={"data": [_REFUNDED]}, parts=_CASE_PART,
    parameters=NoParameters, bodies=(CaseResolveRequest,), problems=("not_found", "conflict", "invalid", "unavailable"),
)  # fmt: skip
async def resolve_checkout(request: web.Request) -> web.Response:
    """Resolve a payment case.

    `placed` has the order bought now, at the price and cost that were held; `refunded`: you gave the money back at
    the payment supplier; `closed`: neither. Nothing is sent to the payment supplier. 409 when it was decided before,
    or no order can come of it.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, CaseResolveRequest)
    deps = deps_of(request)
    by = actor_of(request)
    closed = await run_to_completion(decide(deps, request.match_info["id"], sent.as_, sent.note, by))
    if isinstance(closed, Problem):
        raise refusal(closed)
    found = [await presenter.case(deps, row.id) for row in closed]
    return json_answer(CasesResolved([case for case in found if case is not None]))
