"""An operator's word on what waits about a payment: the order is placed, the money was given back, or neither."""

from __future__ import annotations

from datetime import datetime

import structlog

from gateway.access import audit_rows
from gateway.access.user_rows import Visitor
from gateway.checkouts import checkout_rows, payment_rows
from gateway.checkouts.checkout_rows import CheckoutRow
from gateway.checkouts.checkout_rules import Decided, Review, gives_back, rests_as, why_not_placed
from gateway.checkouts.payment_rows import CaseRow
from gateway.checkouts.place_order import take
from gateway.checkouts.refunds import cancel_refunded, lock_order
from gateway.kit.log import redact
from gateway.kit.pool import Connection
from gateway.kit.problem import Problem
from gateway.orders.order_rows import OrderRow
from gateway.orders.process import start
from gateway.suppliers.deps import Deps

log = structlog.get_logger(__name__)


async def decide(
    deps: Deps, name: str, outcome: Decided, note: str, by: Visitor | str = "an operator"
) -> list[CaseRow] | Problem:
    """Close a case (``pc_…``), or all open ones of a checkout (``co_…``), as an operator says; those that were closed.

    ``placed`` has the order bought now at the price and cost that were held, and closes the case that allows it.
    ``refunded``: the money was given back at the payment supplier by hand; nothing is sent there. Where it was the
    payment of the order, an order that waits is cancelled, as by the notice of a full refund. ``closed``: neither.
    Problems: not_found, conflict.
    """
    order_id: str | None = None
    async with deps.pool.acquire() as connection, connection.transaction():
        order = await _order_first(connection, name) if outcome == "refunded" else None
        found = await _named(connection, name)
        if isinstance(found, Problem):
            return found
        row, cases = found
        now = deps.clock()
        if outcome == "refunded" and row is not None and row.order_id != (None if order is None else order.id):
            return Problem("conflict", "its order was placed just now; reload it")
        if outcome == "placed":
            placed = await _place(deps, connection, row, cases, now)
            if isinstance(placed, Problem):
                return placed
            order_id, cases = placed
        kept = str(redact(note))
        await payment_rows.close_cases(connection, cases, outcome, kept, now)
        if row is not None:
            await checkout_rows.add_event(
                connection, row.id, now, "resolved", reasons=[case.reason for case in cases], note=kept,
                by=by.name if isinstance(by, Visitor) else by, **{"as": outcome},
            )  # fmt: skip
            await _rest(connection, row.id, now)
            if outcome == "refunded" and await _gave_back(connection, row, cases):
                await cancel_refunded(deps, connection, order)
        what = f"checkout:{row.id}" if row is not None else f"payment:{cases[0].payment_id}"
        detail = {"as": outcome, "note": note, "cases": [case.id for case in cases]}
        await audit_rows.record(connection, by, "checkout.resolved", what, detail)
    if order_id is not None and deps.inline:
        start(deps, order_id)
    return cases


async def _order_first(connection: Connection, name: str) -> OrderRow | None:
    """The order of the checkout that is named, locked before the checkout, as by whoever ends an order."""
    if not name.startswith("co_"):
        case = await payment_rows.case(connection, name)
        name = (case.checkout_id or "") if case is not None else ""
    return await lock_order(connection, name)


async def _gave_back(connection: Connection, row: CheckoutRow, cases: list[CaseRow]) -> bool:
    """Whether the customer has back what the order was paid with. A partial refund cancels nothing."""
    if any(gives_back(case.reason, case.payment_id, row.accepted) for case in cases):
        return True
    return any(case.reason == "refund" for case in cases) and await payment_rows.given_back(connection, row.id)


async def _named(connection: Connection, name: str) -> tuple[CheckoutRow | None, list[CaseRow]] | Problem:
    if name.startswith("co_"):
        row = await checkout_rows.lock(connection, name)
        if row is None:
            return Problem("not_found", "there is no such checkout")
        cases = await payment_rows.open_cases_of(connection, name)
        if not cases:
            return Problem("conflict", f"the checkout is {row.status}: nothing of it waits for an operator")
        return row, cases
    case = await payment_rows.case(connection, name)
    if case is None:
        return Problem("not_found", "there is no such case")
    row = None if case.checkout_id is None else await checkout_rows.lock(connection, case.checkout_id)
    if row is None and case.payment_id is not None:
        await payment_rows.lock(connection, case.payment_id)
    case = await payment_rows.case(connection, name)  # as it is now that nobody else can close it
    if case is None or case.closed_at is not None:
        return Problem("conflict", "this is already resolved")
    return row, [case]


async def _place(
    deps: Deps, connection: Connection, row: CheckoutRow | None, cases: list[CaseRow], now: datetime
) -> tuple[str, list[CaseRow]] | Problem:
    refusals = [why_not_placed(None if row is None else row.now, case.reason) for case in cases]
    able = [case for case, why in zip(cases, refusals, strict=True) if why is None]
    if row is None or not able:
        return Problem("conflict", f"no order can be placed: {refusals[0]}")
    if len(able) > 1:  # one of them may be no money at all, so it is not for us to take one
        named = ", ".join(f"{case.id} ({case.reason})" for case in able)
        return Problem("conflict", f"an order could be placed for any of these; say for which case: {named}")
    (case,) = able
    payment = None if case.payment_id is None else await payment_rows.lock(connection, case.payment_id)
    taken = await take(deps, connection, row, payment, now, decided=True)
    if isinstance(taken, Review):
        return Problem("conflict", f"no order can be placed: {taken.detail}")
    return taken, [case]


async def _rest(connection: Connection, checkout_id: str, now: datetime) -> None:
    """A checkout that waits for nobody any more has come to its end, and its link can be paid no more."""
    row = await checkout_rows.load(connection, checkout_id)
    if row is None or row.open_cases:
        return
    state = rests_as(row.order_id)
    if row.state != state:
        await checkout_rows.move(connection, checkout_id, now=now, state=state, next_poll_at=now)
