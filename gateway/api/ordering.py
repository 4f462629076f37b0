"""What all routes that place an order have in common: key, waiting, problems, and the order as the answer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from typing import TypeVar

from aiohttp import web
from msgspec import UNSET, UnsetType

from gateway.api import state
from gateway.api.paging import json_answer
from gateway.api.problems import KINDS, Refusal, unavailable
from gateway.api.spec import Header
from gateway.kit import tracing
from gateway.kit.pool import DATABASE_DOWN
from gateway.kit.problem import Problem
from gateway.orders import order_state_rows, presenter
from gateway.orders.admit import Admitted
from gateway.orders.order_view_rows import StorefrontScope
from gateway.orders.process import follow, start, wait_for_answer
from gateway.suppliers.deps import Deps
from schemas.order_requests import SupplierChoice
from schemas.orders import ANSWERED, Order

T = TypeVar("T")

LONGEST_WAIT_SECONDS = 30
SETTLED_SECONDS = 0.05
_KEY = "[!-~]([ -~]{0,253}[!-~])?"
_KEY_FORM = re.compile(_KEY)
_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?([0-9]{1,300})\"?\s*(?=$|[,;])", re.IGNORECASE)
_RETRY_AFTER: Mapping[str, int] = {"unavailable": 5, "selling_stopped": 60}  # seconds; a stop is lifted by an operator
IDEMPOTENCY_KEY = "Idempotency-Key"
HEADERS: Mapping[str, Header] = {
    IDEMPOTENCY_KEY: Header(
        "Yours, new for each order and the same whenever you send it again: 1 to 255 printable ASCII characters. "
        "It answers the same order for ever.",
        required=True,
        schema={"pattern": f"^{_KEY}$", "minLength": 1, "maxLength": 255, "example": "6f1c2a7e-order-1"},
    ),
    "Prefer": Header("`wait=10` waits up to so many seconds, at most 30, for the order to be answered."),
}
STATUS_MEANS = "Placed, and answered already: fulfilled, failed, needs_review or cancelled."
ALSO: Mapping[int, str] = {
    200: "Placed before under this key, and answered. `Idempotent-Replayed: true`.",
    202: "Placed, and not answered yet: follow it, or wait for its event.",
}
PROBLEMS = (
    "idempotency_key_required", "no_plan", "not_found", "gone", "plan_replaced", "no_stock", "price_changed",
    "quote_expired", "duplicate_reference", "spend_limit", "mandate_exceeded", "mandate_ended", "idempotency_mismatch",
    "invalid", "no_rate", "too_many_open_orders",
    "selling_stopped", "unavailable",
)  # fmt: skip


def deps_of(request: web.Request) -> Deps:
    """What the flows of orders work with; 503 where no database is configured."""
    deps = request.app.get(state.DEPS)
    if deps is None:
        raise unavailable("no database is configured")
    return deps


def storefront_of(request: web.Request) -> StorefrontScope:
    """The storefront and mode of the caller's key."""
    caller = request[state.CALLER]
    return StorefrontScope(caller.key.storefront_id, caller.mode)


def idempotency_key(request: web.Request) -> str:
    """The request's Idempotency-Key; 400 when there is none, more than one, or it is not of the form."""
    keys = request.headers.getall(IDEMPOTENCY_KEY, [])
    if not keys:
        raise Refusal("idempotency_key_required", "send an Idempotency-Key that is new for each order")
    if len(keys) > 1 or not _KEY_FORM.fullmatch(keys[0]):
        raise Refusal("idempotency_key_required", "one Idempotency-Key of 1 to 255 printable ASCII characters")
    return keys[0]


def seconds_to_wait(request: web.Request) -> int:
    """How long the caller prefers to wait; any other preference is none of ours."""
    found = _WAIT.search(",".join(request.headers.getall("Prefer", [])))
    return min(int(found[1]), LONGEST_WAIT_SECONDS) if found else 0


def refusal(problem: Problem) -> Refusal:
    """A flow's problem as the answer."""
    headers = {"Retry-After": "5"} if KINDS[problem.code].status in {429, 503} else None
    return Refusal(problem.code, problem.detail, errors=problem.errors, successors=problem.successors, headers=headers)


def require_routing(request: web.Request, choice: SupplierChoice | UnsetType) -> None:
    """403 where suppliers are chosen with a key that may not."""
    if choice is not UNSET and "routing" not in request[state.CALLER].granted:
        raise Refusal("forbidden", "to choose suppliers needs a key with the scope routing")


async def run_to_completion(work: Awaitable[T]) -> T:
    """The result of work that goes on to its end although the caller goes away or the process ends."""
    return await asyncio.shield(asyncio.ensure_future(work))


async def placed(request: web.Request, admitted: Admitted | Problem) -> web.Response:
    """The order that a request placed, or found under its key; waited for if that is preferred."""
    if isinstance(admitted, Problem):
        raise refusal(admitted)
    deps, order_id = deps_of(request), admitted.order_id
    headers = {"Location": f"/v1/orders/{order_id}"}
    if admitted.replayed:
        headers["Idempotent-Replayed"] = "true"
        return await respond_with_order(request, order_id, headers, answered=200)
    if tracing.active is not None:
        await _keep_trace(tracing.active, deps, order_id)
    if admitted.sending is not None:
        follow(deps, order_id, admitted.sending)
    elif deps.inline:
        start(deps, order_id)
    here = deps.inline and not (admitted.sending is not None and admitted.sending.done())
    headers |= await waited(request, order_id, admitted_here=here)
    if here and admitted.sending is not None and "Preference-Applied" in headers:
        # Who waits is woken from within that task: its result says all that would have to be read otherwise.
        await asyncio.wait({admitted.sending}, timeout=SETTLED_SECONDS)
    costs = request[state.CALLER].sees_costs
    order = None if costs else presenter.placed(deps, admitted, waited="Preference-Applied" in headers)
    return answer_of(order or await _read(request, order_id), headers, answered=201)


async def respond_with_order(
    request: web.Request,
    order_id: str,
    headers: Mapping[str, str] | None = None,
    *,
    answered: int = 200,
    not_yet: int = 202,
) -> web.Response:
    """An order as it is after the wait that was asked for, with the status for an order that is answered or not."""
    added = {**(headers or {}), **await waited(request, order_id)}
    return answer_of(await _read(request, order_id), added, answered=answered, not_yet=not_yet)


async def waited(request: web.Request, order_id: str, *, admitted_here: bool = False) -> dict[str, str]:
    """Wait for as long as the caller prefers; the header that says so."""
    seconds = seconds_to_wait(request)
    if not seconds:
        return {}
    await wait_for_answer(deps_of(request), order_id, seconds, admitted_here=admitted_here)
    return {"Preference-Applied": f"wait={seconds}"}


def answer_of(order: Order, headers: Mapping[str, str], *, answered: int, not_yet: int = 202) -> web.Response:
    """The order as the answer."""
    answer = json_answer(order, status=answered if order.status in ANSWERED else not_yet)
    answer.headers.update(headers)
    return answer


async def _keep_trace(traces: tracing.Tracing, deps: Deps, order_id: str) -> None:
    """Let whoever processes the order later go on with this request's trace."""
    traceparent = traces.traceparent()
    if traceparent is not None:
        with suppress(*DATABASE_DOWN):  # the order is admitted, and a trace is not worth an answer
            await order_state_rows.keep_trace(deps.pool, order_id, traceparent)


async def _read(request: web.Request, order_id: str) -> Order:
    costs = request[state.CALLER].sees_costs
    order = await presenter.order(deps_of(request), order_id, storefront_of(request), with_costs=costs)
    if order is None:
        raise Refusal("not_found", "there is no such order")
    return order
