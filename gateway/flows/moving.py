"""Moving an order on: its row, its timeline, the event outside and the job that comes back, in one transaction.

Everything here runs under the order's lock, in the caller's transaction.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog

from gateway.core.orders.changes import Change
from gateway.core.orders.items import ITEM_KINDS, Delivered
from gateway.core.orders.states import ReviewReason
from gateway.flows import delivered, notify
from gateway.flows.checkout_cases import follow
from gateway.flows.deps import Deps
from gateway.store import esims, orders, spend
from gateway.store.jobs import enqueue_advance
from gateway.store.order_rows import AttemptRow, OrderRow
from gateway.store.pool import Connection
from schemas.money import Money
from schemas.notice import NoticeType
from schemas.order import Delivery

log = structlog.get_logger(__name__)

_NOTICES: dict[str, NoticeType] = {
    "failed": NoticeType.ORDER_FAILED,
    "needs_review": NoticeType.ORDER_NEEDS_REVIEW,
    "cancelled": NoticeType.ORDER_CANCELLED,
}


async def give_up(deps: Deps, connection: Connection, order_id: str, step: int, code: str, detail: str) -> bool:
    """Fail an order of which nothing was bought and nothing can be; False when it moved meanwhile."""
    order = await orders.lock(connection, order_id)
    if order is None or order.step != step or order.status not in {"pending", "cancel_pending"}:
        return False
    now = deps.clock()
    cancelled = order.cancel_requested_at is not None
    end = Change(
        status="cancelled" if cancelled else "failed",
        failure_code=None if cancelled else code,
        failure_detail=None if cancelled else detail,
        events=("cancelled",) if cancelled else ("failed",),
    )
    await move(deps, connection, order, end, now)
    return True


async def deliver(
    deps: Deps,
    connection: Connection,
    order: OrderRow,
    attempt: AttemptRow,
    delivery: Delivered | None,
    now: datetime,
) -> str | None:
    """Write what was delivered; the id of the eSIM or number, None where there is none."""
    if order.kind in ITEM_KINDS:
        return await delivered.keep(deps, connection, order, attempt, delivery, now)
    if order.kind != "esim":
        if order.target_esim_id is not None:
            await esims.look_at(connection, order.target_esim_id, now)
        return order.target_esim_id
    if not isinstance(delivery, Delivery) or delivery.iccid is None:
        raise ValueError("a delivered eSIM has an ICCID")
    new = esims.NewEsim(
        order_id=order.id,
        storefront_id=order.storefront_id,
        mode=order.mode,
        supplier=attempt.supplier,
        supplier_plan_id=attempt.supplier_plan_id,
        iccid=delivery.iccid,
        activation_code=delivery.activation_code,
        confirmation_code_required=delivery.confirmation_code_required,
    )
    return await esims.add(connection, deps.seal, new, now)


async def move(
    deps: Deps,
    connection: Connection,
    order: OrderRow,
    what: Change,
    now: datetime,
    *,
    ops: dict[str, Any] | None = None,
    goods_id: str | None = None,
    delivery: Delivered | None = None,
    refund: bool = False,
    uncancel: bool = False,
    review_reason: ReviewReason | None = None,
) -> None:
    """Move the order, tell it in the timeline and outside, and have a worker come back when it is time."""
    ended = what.status in {"failed", "cancelled"}
    await orders.move(
        connection,
        order.id,
        now=now,
        status=what.status,
        next_look_at=what.next_look_at,
        keep_schedule=what.keep_schedule,
        failure_code=what.failure_code,
        failure_detail=what.failure_detail,
        refund=refund or what.status == "cancelled",
        uncancel=uncancel,
        review_reason=review_reason,
    )
    if ended:
        await spend.give_back(connection, "storefront", order.storefront_id, order.price_base, order.created_at)
    for event in what.events:
        text = what.failure_detail or "" if event == "failed" else ""
        await orders.tell(connection, order.id, now, event, text, **(ops or {}))
    told = _notice(order, what)
    if told is not None:
        await notify.announce(
            connection,
            deps.seal,
            storefront_id=order.storefront_id,
            mode=order.mode,
            type=told,
            data=_data(order, what, goods_id, delivery),
            order_id=order.id,
        )
    if order.checkout_id is not None and what.status is not None:
        await follow(deps, connection, order.checkout_id, order.id, what.status)
    if what.status == "needs_review":
        log.warning("order_needs_review", order=order.id, supplier=(ops or {}).get("supplier"))
    if what.next_look_at is not None and what.status not in {"failed", "cancelled", "fulfilled"}:
        after = max(timedelta(0), what.next_look_at - now)
        await enqueue_advance(connection, order.id, f"{order.step + 1}:0", after=after or None)


def _notice(order: OrderRow, what: Change) -> NoticeType | None:
    if "fulfilled" in what.events:
        return NoticeType.TOPUP_COMPLETED if order.kind == "topup" else NoticeType.ORDER_FULFILLED
    return _NOTICES.get(what.status or "")


def _data(order: OrderRow, what: Change, goods_id: str | None, delivery: Delivered | None) -> dict[str, Any]:
    """An event's ``data``: no activation code, number or PIN; the storefront fetches the order."""
    price = {"amount": f"{Money(order.price, order.currency).padded().amount:f}", "currency": order.currency}
    told: dict[str, Any] = {
        "order_id": order.id,
        "kind": order.kind,
        "status": what.status or order.status,
        "reference": order.reference,
        "plan_id": order.plan_id,
        "price": price,
    }
    if what.failure_code is not None:
        told["failure"] = {"code": what.failure_code, "detail": what.failure_detail}
    if what.status == "cancelled":
        told["refund"] = price
    if goods_id is not None:
        told["number_id" if order.kind == "number" else "esim_id"] = goods_id
    if isinstance(delivery, Delivery) and delivery.iccid is not None and "fulfilled" in what.events:
        told["iccid"] = delivery.iccid
    return told
