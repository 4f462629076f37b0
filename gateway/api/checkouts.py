"""Checkouts: a price held, a link at which it is paid, and the order that the payment places."""

from __future__ import annotations

from aiohttp import web

from gateway.api.ordering import HEADERS, IDEMPOTENCY_KEY, deps_of, idempotency_key, refusal, run_to_completion, whose
from gateway.api.paging import json_answer
from gateway.api.parameters import NoParameters
from gateway.api.parameters_checkouts import CheckoutParameters
from gateway.api.problems import Refusal
from gateway.api.reading import read_body, read_query, unset_to_none
from gateway.api.spec import Table
from gateway.checkouts import checkout_view_rows, presenter
from gateway.checkouts.open_checkout import open_checkout
from gateway.kit.problem import Problem
from schemas.checkouts import Checkout, CheckoutForPlan, CheckoutForQuote
from schemas.page import Page

routes = Table()

CHECKOUT_PART = {"id": ("^co_[A-Za-z0-9]{1,60}$", "The checkout's `id`.")}
_PROBLEMS = (
    "idempotency_key_required", "no_plan", "not_found", "gone", "no_stock", "price_changed", "quote_expired",
    "duplicate_reference", "spend_limit", "idempotency_mismatch", "not_supported", "invalid", "selling_stopped",
    "unavailable",
)  # fmt: skip


@routes(
    "POST", "/v1/checkouts",
    access="storefront", tag="Checkouts", status=201,
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
    opened = await run_to_completion(open_checkout(deps_of(request), *whose(request), sent, key))
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
    access="storefront", tag="Checkouts", answer=Page[Checkout],
    parameters=CheckoutParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_checkouts(request: web.Request) -> web.Response:
    """Checkouts, the newest first."""
    sent = read_query(request, CheckoutParameters)
    deps = deps_of(request)
    found = await checkout_view_rows.newest_first(
        deps.pool,
        whose(request),
        sent.page,
        status=unset_to_none(sent.status),
        reference=unset_to_none(sent.reference),
    )
    now = deps.clock()
    return json_answer(found.map(lambda row: presenter.shown(row, now)))


@routes(
    "GET", "/v1/checkouts/{id}",
    access="storefront", tag="Checkouts", answer=Checkout, parts=CHECKOUT_PART,
    parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def get_checkout(request: web.Request) -> web.Response:
    """One checkout.

    `paid` has an `order_id`: what was bought stands there. `needs_review`: money moved, or may have, in a way that a
    person has to look at; `review` says what it is about.
    """
    read_query(request, NoParameters)
    return json_answer(await _own(request, request.match_info["id"]))


async def _own(request: web.Request, checkout_id: str) -> Checkout:
    found = await presenter.one(deps_of(request), checkout_id, whose(request))
    if found is None:
        raise Refusal("not_found", "there is no such checkout")
    return found
