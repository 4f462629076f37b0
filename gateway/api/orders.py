"""Orders: bought once, followed to their end, cancelled where the supplier can."""

from __future__ import annotations

from aiohttp import web
from msgspec import UNSET

from gateway.api import state
from gateway.api.changes import actor_of
from gateway.api.ordering import (
    ALSO,
    HEADERS,
    PROBLEMS,
    STATUS_MEANS,
    deps_of,
    idempotency_key,
    placed,
    refusal,
    require_routing,
    respond_with_order,
    run_to_completion,
    storefront_of,
)
from gateway.api.paging import json_answer
from gateway.api.parameters import LedgerParameters, NoParameters, OpsOrderParameters, OrderParameters
from gateway.api.problems import Refusal
from gateway.api.reading import clamped, read_body, read_query, unset_to_none
from gateway.api.spec import Table
from gateway.items.item_rules import VoucherCodes
from gateway.kit.problem import Problem
from gateway.orders import order_view_rows, presenter
from gateway.orders.admit import admit, validate
from gateway.orders.cancel import cancel_by_operator, request_cancel
from gateway.orders.order_search_rows import OrderFilter
from gateway.orders.process import process_order, start
from gateway.orders.resolve import resolve
from schemas.ops_orders import LedgerEntry, OpsCancelRequest, OpsOrder, ResolveRequest, Validated
from schemas.order import NumberDelivery, VoucherCode
from schemas.order_requests import OrderForGood, OrderForNumber, OrderForPlan, OrderForQuote
from schemas.orders import ANSWERED, Order, OrderEventList
from schemas.page import Page

routes = Table()

ORDER_PART = {"id": ("^ord_[A-Za-z0-9]{1,60}$", "The order's `id`.")}
Sent = OrderForPlan | OrderForQuote | OrderForNumber | OrderForGood
BODIES = (OrderForPlan, OrderForQuote, OrderForNumber, OrderForGood)


@routes(
    "POST", "/v1/orders",
    access="storefront", tag="orders", status=201, status_means=STATUS_MEANS, also=ALSO,
    answer=Order, parameters=NoParameters, headers=HEADERS, bodies=BODIES, problems=(*PROBLEMS, "forbidden"),
)  # fmt: skip
async def create_order(request: web.Request) -> web.Response:
    """Place an order.

    For a plan, a virtual number or a digital good (scope `goods`) at its price of now, or for a quote at the price that
    is held. The cheapest offer in stock is bought,
    once, and the next supplier asked only when it is certain that nothing was bought. Sent again under the same
    Idempotency-Key it answers the same order. A problem uses the key not up. `suppliers` needs the scope `routing`.
    """
    read_query(request, NoParameters)
    key = idempotency_key(request)
    sent = await _sent(request)
    admission = admit(deps_of(request), *storefront_of(request), sent, key, key_id=request[state.CALLER].key.id)
    return await placed(request, await run_to_completion(admission))


@routes(
    "POST", "/v1/orders/validate",
    access="storefront", tag="orders", answer=Validated, parameters=NoParameters, bodies=BODIES,
    problems=("no_plan", "not_found", "gone", "plan_replaced", "no_stock", "price_changed", "quote_expired",
              "duplicate_reference", "spend_limit", "mandate_exceeded", "mandate_ended", "forbidden", "invalid",
              "no_rate", "selling_stopped", "unavailable"),
)  # fmt: skip
async def validate_order(request: web.Request) -> web.Response:
    """Say whether an order would be taken now.

    Its price, or the problem that it would meet. Nothing is placed and nothing held.
    """
    read_query(request, NoParameters)
    sent, key_id = await _sent(request), request[state.CALLER].key.id
    found = await validate(deps_of(request), *storefront_of(request), sent, key_id=key_id)
    if isinstance(found, Problem):
        raise refusal(found)
    return json_answer(Validated(valid=True, price=found.price))


@routes(
    "GET", "/v1/orders",
    access="storefront", tag="orders", answer=Page[Order],
    parameters=OrderParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_orders(request: web.Request) -> web.Response:
    """Orders, the newest first.

    Those of your storefront, in the mode of the key. Each filter narrows.
    """
    sent = read_query(request, OrderParameters)
    deps = deps_of(request)
    wanted = OrderFilter(
        status=unset_to_none(sent.status),
        kind=unset_to_none(sent.kind),
        reference=unset_to_none(sent.reference),
        since=None if sent.created_from is UNSET else clamped(sent.created_from),
        until=None if sent.created_to is UNSET else clamped(sent.created_to),
        emails=None if sent.email is UNSET else deps.seal.digests(sent.email.casefold()),
        metadata=[(key, value) for key, _, value in (text.partition(":") for text in sent.metadata)],
    )
    found = await order_view_rows.newest_first(deps.pool, storefront_of(request), wanted, sent.page)
    return json_answer(found.of(await presenter.orders(deps, found.data, with_costs=request[state.CALLER].sees_costs)))


@routes(
    "GET", "/v1/orders/{id}",
    access="storefront", tag="orders", answer=Order, parts=ORDER_PART, narrow=True,
    parameters=NoParameters, headers={"Prefer": HEADERS["Prefer"]}, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def get_order(request: web.Request) -> web.Response:
    """One order.

    With the scope `ops:read` also what it cost, and each attempt at a supplier.
    """
    read_query(request, NoParameters)
    return await respond_with_order(request, await _own(request), not_yet=200)


@routes(
    "GET", "/v1/orders/{id}/events",
    access="storefront", tag="orders", answer=OrderEventList,
    parts=ORDER_PART, parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def list_order_events(request: web.Request) -> web.Response:
    """What happened to an order, the oldest first.

    What the gateway did for it, step by step, in words that a storefront may show.
    """
    read_query(request, NoParameters)
    costs = request[state.CALLER].sees_costs
    return json_answer(
        {"data": await order_view_rows.events(deps_of(request).pool, await _own(request), with_ops=costs)}
    )


@routes(
    "POST", "/v1/orders/{id}/cancel",
    access="storefront", tag="orders", status=202, status_means="Asked for; the order is cancel_pending.",
    also={200: "It is cancelled."}, answer=Order, example={"status": "cancel_pending"},
    parts=ORDER_PART, parameters=NoParameters, headers={"Prefer": HEADERS["Prefer"]},
    problems=("not_found", "not_cancellable", "has_topups", "not_supported", "invalid", "unavailable"),
)  # fmt: skip
async def cancel_order(request: web.Request) -> web.Response:
    """Cancel an order.

    Cancels an unused eSIM where its supplier can; `refund` is then the amount that you get back. The supplier is asked
    once, however often this is sent. An order of which nothing was sent to a supplier yet is cancelled at once,
    whatever its kind. An order whose outcome is not known yet is cancelled when it is. When the supplier refuses, the
    order is fulfilled as before. An eSIM that has top-ups is not cancelled: 409 `has_topups`.
    """
    read_query(request, NoParameters)
    deps, order_id = deps_of(request), request.match_info["id"]
    problem = await run_to_completion(request_cancel(deps, *storefront_of(request), order_id))
    if problem is not None:
        raise refusal(problem)
    if deps.inline:
        start(deps, order_id)
    return await respond_with_order(request, order_id)


async def _sent(request: web.Request) -> Sent:
    sent: Sent = await read_body(request, OrderForPlan, OrderForNumber, OrderForGood, OrderForQuote)
    if isinstance(sent, OrderForGood) and "goods" not in request[state.CALLER].granted:
        raise Refusal("forbidden", "digital goods need a key with the scope goods")
    require_routing(request, sent.suppliers)
    return sent


async def _own(request: web.Request) -> str:
    """The id in the path if it is the caller's order; 404 for another's."""
    order_id = request.match_info["id"]
    if await order_view_rows.by_id(deps_of(request).pool, order_id, storefront_of(request)) is None:
        raise Refusal("not_found", "there is no such order")
    return order_id


@routes(
    "GET", "/v1/ops/orders",
    access="ops:read", tag="orders", answer=Page[OpsOrder],
    parameters=OpsOrderParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_ops_orders(request: web.Request) -> web.Response:
    """All storefronts' orders, live and test, the newest first.

    With costs and attempts, without activation codes. `status=needs_review` lists those that need an operator.
    """
    sent = read_query(request, OpsOrderParameters)
    deps = deps_of(request)
    found = await order_view_rows.of_all(
        deps.pool,
        sent.page,
        mode=unset_to_none(sent.mode),
        status=unset_to_none(sent.status),
        supplier=unset_to_none(sent.supplier),
        storefront=unset_to_none(sent.storefront),
    )
    return json_answer(found.of(await presenter.ops_orders(deps, found.data)))


@routes(
    "GET", "/v1/ops/orders/{id}",
    access="ops:read", tag="orders", answer=OpsOrder, parts=ORDER_PART,
    parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def get_ops_order(request: web.Request) -> web.Response:
    """Any storefront's order, with each attempt and why it was made.

    Also what each attempt cost. The activation code is not shown.
    """
    read_query(request, NoParameters)
    return await _shown(request)


@routes(
    "GET", "/v1/ops/orders/{id}/events",
    access="ops:read", tag="orders", answer=OrderEventList,
    parts=ORDER_PART, parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def list_ops_order_events(request: web.Request) -> web.Response:
    """What happened to any storefront's order, the oldest first.

    With what only operators see of each step.
    """
    read_query(request, NoParameters)
    await _there(request)
    found = await order_view_rows.events(deps_of(request).pool, request.match_info["id"], with_ops=True)
    return json_answer({"data": found})


@routes(
    "POST", "/v1/ops/orders/{id}/resolve",
    access="ops", tag="orders", answer=OpsOrder, parts=ORDER_PART,
    parameters=NoParameters, bodies=(ResolveRequest,), problems=("not_found", "conflict", "invalid", "unavailable"),
)  # fmt: skip
async def resolve_order(request: web.Request) -> web.Response:
    """Resolve an order that needs review.

    `fulfilled` needs what was delivered where it is not known yet: activation code and ICCID of an eSIM, the phone
    number (and `expires_at`) of a number, as many codes of a voucher as were bought; `failed`: the supplier charged
    nothing; `refunded`: it charged and refunded. `released` lets an order that was pending in a restored backup go on
    as pending, once `reconcile` is clean. 409 when the order does not need review.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, ResolveRequest)
    deps = deps_of(request)
    order_id = request.match_info["id"]
    by = actor_of(request)
    code, iccid = unset_to_none(sent.activation_code), unset_to_none(sent.iccid)
    problem = await run_to_completion(resolve(deps, order_id, sent.as_, sent.note, code, iccid, by, item=_item(sent)))
    if problem is not None:
        raise refusal(problem)
    return await _shown(request)


@routes(
    "POST", "/v1/ops/orders/{id}/cancel",
    access="ops", tag="orders", status=202, status_means="Asked for; the order is cancel_pending.",
    also={200: "It is cancelled, or waits for an operator."}, answer=OpsOrder,
    example={"status": "cancel_pending"}, parts=ORDER_PART, parameters=NoParameters,
    bodies=(OpsCancelRequest,), body_optional=True,
    problems=("not_found", "not_cancellable", "has_topups", "not_supported", "invalid", "unavailable"),
)  # fmt: skip
async def cancel_ops_order(request: web.Request) -> web.Response:
    """Cancel any storefront's order.

    As its storefront could. With `force` also an eSIM that has top-ups: each of them then needs review, because its
    supplier may hold what it cost.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, OpsCancelRequest, optional=True)
    deps, order_id = deps_of(request), request.match_info["id"]
    by = actor_of(request)
    problem = await run_to_completion(cancel_by_operator(deps, order_id, by, force=sent.force, note=sent.note))
    if problem is not None:
        raise refusal(problem)
    if deps.inline:
        start(deps, order_id)
    return await _shown(request, not_yet=202)


@routes(
    "POST", "/v1/ops/orders/{id}/look-up",
    access="ops", tag="orders", answer=OpsOrder, parts=ORDER_PART,
    parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def look_up_order(request: web.Request) -> web.Response:
    """Poll the supplier of an order now.

    The answer is processed like that of a scheduled poll. Nothing is bought that would not be bought anyway.
    """
    read_query(request, NoParameters)
    await _there(request)
    await run_to_completion(process_order(deps_of(request), request.match_info["id"], poll=True))
    return await _shown(request)


@routes(
    "GET", "/v1/ops/ledger",
    access="ops:read", tag="orders", answer=Page[LedgerEntry],
    parameters=LedgerParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_ledger(request: web.Request) -> web.Response:
    """What suppliers took and gave back, the newest first.

    At most one charge and one refund for an attempt, in the supplier's currency.
    """
    sent = read_query(request, LedgerParameters)
    return json_answer(
        await order_view_rows.ledger(
            deps_of(request).pool,
            sent.page,
            supplier=unset_to_none(sent.supplier),
            order_id=unset_to_none(sent.order_id),
        )
    )


def _item(sent: ResolveRequest) -> NumberDelivery | VoucherCodes | None:
    if (number := unset_to_none(sent.phone_number)) is not None:
        return NumberDelivery(phone_number=number, expires_at=unset_to_none(sent.expires_at))
    if (codes := unset_to_none(sent.codes)) is None:
        return None
    return VoucherCodes(
        tuple(
            VoucherCode(
                unset_to_none(code.pin),
                unset_to_none(code.serial),
                unset_to_none(code.expires_at),
                unset_to_none(code.told),
            )
            for code in codes
        )
    )


async def _there(request: web.Request) -> None:
    if await order_view_rows.by_id(deps_of(request).pool, request.match_info["id"], None) is None:
        raise Refusal("not_found", "there is no such order")


async def _shown(request: web.Request, *, not_yet: int = 200) -> web.Response:
    order = await presenter.ops_order(deps_of(request), request.match_info["id"])
    if order is None:
        raise Refusal("not_found", "there is no such order")
    return json_answer(order, status=200 if order.status in ANSWERED else not_yet)
