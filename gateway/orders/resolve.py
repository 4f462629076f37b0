"""An operator's word on an order that needs review."""

from __future__ import annotations

from typing import Literal

from gateway.access import audit_rows
from gateway.access.user_rows import Visitor
from gateway.inventory import number_rows
from gateway.items.item_rules import (
    ITEM_KINDS,
    Delivered,
    VoucherCodes,
    VoucherItem,
    complete,
    is_phone_number,
    item_of,
)
from gateway.kit.log import REDACTED, redact
from gateway.kit.pool import Connection
from gateway.kit.problem import Problem
from gateway.orders import delivered, order_state_rows
from gateway.orders.observations import OperatorDecision
from gateway.orders.order_rows import AttemptRow, OrderRow
from gateway.orders.restore import release
from gateway.orders.rules import failures
from gateway.orders.rules.changes import Change
from gateway.orders.settle import settle
from gateway.orders.transitions import move
from gateway.suppliers.deps import Deps
from providers.kit import activation
from schemas.order import Delivery, NumberDelivery
from schemas.orders import FailureCode

_SHORTEST_CODE = 4  # a shorter one would blank out ordinary words
_FIELDS = {Delivery: "activation_code", NumberDelivery: "phone_number", VoucherCodes: "codes"}


async def resolve(  # noqa: PLR0911 - one for each way in which it may not be
    deps: Deps,
    order_id: str,
    outcome: Literal["fulfilled", "failed", "refunded", "released"],
    note: str,
    activation_code: str | None = None,
    iccid: str | None = None,
    by: Visitor | str = "an operator",
    *,
    item: NumberDelivery | VoucherCodes | None = None,
) -> Problem | None:
    """Settle an order that needs review as an operator says; None when that is done.

    An eSIM is fulfilled with its activation code, and its ICCID where no supplier told it; a number with the number
    and a voucher with all its codes, as ``item``. One that a restore left to an operator goes on when it is released.
    Problems: not_found, conflict (it does not need review), invalid. The note is kept without the codes and addresses
    that stand in it.
    """
    if outcome == "released":
        released = await release(deps, order_id, by, redact(note))
        return released if isinstance(released, Problem) else None
    async with deps.pool.acquire() as connection, connection.transaction():
        order = await order_state_rows.lock(connection, order_id)
        if order is None:
            return Problem("not_found", "there is no such order")
        if order.status != "needs_review":
            return Problem("conflict", f"the order is {order.status}; only one that needs review is resolved")
        tries = [tried for tried in await order_state_rows.attempts_of(connection, order_id) if tried.now.live]
        attempt = next((pending for pending in tries if pending.kind == "cancel"), next(iter(tries), None))
        if attempt is None:
            return await _without_attempt(deps, connection, order, outcome, redact(note), by)
        if attempt.kind == "cancel" and outcome == "failed":
            return Problem("invalid", "as: a cancel is fulfilled or refunded", (("/as", "fulfilled or refunded"),))
        delivery: Delivered | None = None
        if outcome == "fulfilled" and attempt.kind == "purchase":
            of_item = order.kind in ITEM_KINDS
            item_or_problem = _item(order, item) if of_item else _delivery(deps, attempt, activation_code, iccid)
            if isinstance(item_or_problem, Problem):
                return item_or_problem
            holder = await delivered.holder_of(deps, connection, order, attempt, item_or_problem)
            if holder is not None:
                return _wrong(
                    _FIELDS[type(item_or_problem)],
                    f"{delivered.label_of(item_or_problem)} was delivered to {holder} before",
                )
            delivery = item_or_problem
        note = _without_codes(redact(note), item)
        settled = await settle(deps, connection, attempt.id, OperatorDecision(outcome, note, delivery))
        if settled is None or not settled.changed:
            return Problem("conflict", "the order changed meanwhile; reload it")
        await audit_rows.record(connection, by, "order.resolved", f"order:{order_id}", {"as": outcome, "note": note})
    return None


async def _without_attempt(
    deps: Deps,
    connection: Connection,
    order: OrderRow,
    outcome: Literal["fulfilled", "failed", "refunded"],
    note: str,
    by: Visitor | str,
) -> Problem | None:
    """An order that was pending in a backup, of which nothing is known to have been sent."""
    if order.review_reason != "restored":
        return Problem("conflict", "no attempt of this order is open")
    if outcome == "fulfilled":
        what = "the database knows no attempt of it: give it back the one that it had (orders adopt)"
        return Problem("conflict", what)
    end = Change(status="cancelled", events=("resolved", "cancelled"))
    if outcome == "failed":
        code: FailureCode = "supplier_refused"
        end = Change(
            status="failed", failure_code=code, failure_detail=failures.detail_of(code), events=("resolved", "failed")
        )
    await move(deps, connection, order, end, ops={"as": outcome, "note": note})
    await audit_rows.record(connection, by, "order.resolved", f"order:{order.id}", {"as": outcome, "note": note})
    return None


def _without_codes(note: str, item: NumberDelivery | VoucherCodes | None) -> str:
    """A note without what is delivered: nobody can tell a PIN by its looks."""
    codes = item.codes if isinstance(item, VoucherCodes) else ()
    texts = {text for code in codes for text in (code.pin, code.serial) if text and len(text) >= _SHORTEST_CODE}
    if isinstance(item, NumberDelivery):
        texts |= {item.phone_number, number_rows.same(item.phone_number)}
    for text in sorted(texts, key=len, reverse=True):
        note = note.replace(text, REDACTED)
    return note


def _item(order: OrderRow, submitted: NumberDelivery | VoucherCodes | None) -> Delivered | Problem:
    item = item_of(order.plan)
    if isinstance(item, VoucherItem):
        if isinstance(submitted, VoucherCodes) and complete(submitted.codes, item.quantity):
            return submitted
        return _wrong("codes", f"{item.quantity} codes were bought, so as many are needed, none of them twice")
    if isinstance(submitted, NumberDelivery) and is_phone_number(submitted.phone_number):
        return submitted
    return _wrong("phone_number", "the number that was delivered is needed")


def _wrong(field: str, what: str) -> Problem:
    return Problem("invalid", f"{field}: {what}", ((f"/{field}", what),))


def _delivery(deps: Deps, attempt: AttemptRow, code: str | None, iccid: str | None) -> Delivery | Problem:
    if activation.parse(code) is None:
        what = "an activation code that can be installed is needed"
        return Problem("invalid", f"activation_code: {what}", (("/activation_code", what),))
    number = iccid or (deps.seal.open_text(attempt.iccid) if attempt.iccid is not None else None)
    if number is None:
        what = "the supplier did not tell it, so it is needed"
        return Problem("invalid", f"iccid: {what}", (("/iccid", what),))
    return activation.delivery(number, code)
