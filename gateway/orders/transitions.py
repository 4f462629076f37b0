"""How an order moves on: its row, its timeline and the event for the storefront, filled into what settling writes.

Everything here runs under the order's lock, in the caller's transaction.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any, cast

import structlog
from msgspec import UNSET

from gateway.checkouts.cases import follow
from gateway.inventory import esim_rows
from gateway.items.item_rules import ITEM_KINDS, Delivered
from gateway.kit.pool import Connection
from gateway.orders import delivered, order_state_rows, settling_rows
from gateway.orders.order_rows import AttemptRow, OrderRow
from gateway.orders.rules.changes import Change
from gateway.orders.rules.states import ANSWERED, OrderStatus, ReviewReason
from gateway.orders.settling_rows import EsimWrite, OrderWrite, Writes
from gateway.suppliers import spend_rows
from gateway.suppliers.deps import Deps
from gateway.webhooks import notify
from schemas.api import Price
from schemas.events import OrderEventData, OrderEventFailure
from schemas.money import Money
from schemas.notice import NoticeType
from schemas.order import Delivery
from schemas.orders import FailureCode, Kind

log = structlog.get_logger(__name__)

_NOTICES: dict[str, NoticeType] = {
    "failed": NoticeType.ORDER_FAILED,
    "needs_review": NoticeType.ORDER_NEEDS_REVIEW,
    "cancelled": NoticeType.ORDER_CANCELLED,
}


async def fail(deps: Deps, order_id: str, step: int, code: FailureCode, detail: str, **ops: Any) -> bool:
    """Fail an order of which nothing was bought and nothing can be; False when it moved meanwhile.

    One whose cancel was asked for is cancelled instead. ``ops`` is told to operators in its timeline.
    """
    async with deps.pool.acquire() as connection, connection.transaction():
        ended = await fail_locked(deps, connection, order_id, step, code, detail, ops)
    if ended:
        deps.watch.answered(order_id)
    return ended


async def fail_locked(
    deps: Deps, connection: Connection, order_id: str, step: int, code: FailureCode, detail: str, ops: dict[str, Any]
) -> bool:
    """``fail`` in the caller's transaction."""
    order = await order_state_rows.lock(connection, order_id)
    if order is None or order.step != step or order.status not in {"pending", "cancel_pending"}:
        return False
    cancelled = order.cancel_requested_at is not None
    end = Change(
        status="cancelled" if cancelled else "failed",
        failure_code=None if cancelled else code,
        failure_detail=None if cancelled else detail,
        events=("cancelled",) if cancelled else ("failed",),
    )
    writes = Writes(order, deps.clock())
    await transition(deps, connection, writes, end)
    if ops:
        writes.add_event("offers_left", **ops)
    await settling_rows.write(connection, writes)
    return True


async def move(
    deps: Deps,
    connection: Connection,
    order: OrderRow,
    what: Change,
    *,
    ops: dict[str, Any] | None = None,
    uncancel: bool = False,
    review_reason: ReviewReason | None = None,
) -> None:
    """``transition``, written at once: for what moves an order and says nothing of an attempt."""
    writes = Writes(order, deps.clock())
    await transition(deps, connection, writes, what, ops=ops, uncancel=uncancel, review_reason=review_reason)
    await settling_rows.write(connection, writes)


async def deliver(
    deps: Deps,
    connection: Connection,
    writes: Writes,
    attempt: AttemptRow,
    delivery: Delivered | None,
) -> str | None:
    """Keep what was delivered; the id of the eSIM or number, None where there is none."""
    order, now = writes.order, writes.now
    if order.kind in ITEM_KINDS:
        return await delivered.keep(deps, connection, order, attempt, delivery, now)
    if order.kind != "esim":
        if order.target_esim_id is not None:
            await esim_rows.set_poll_at(connection, order.target_esim_id, now)
        return order.target_esim_id
    if not isinstance(delivery, Delivery) or delivery.iccid is None:
        raise ValueError("a delivered eSIM has an ICCID")
    writes.esim = esim_write(deps, delivery, delivery.iccid, now)
    return writes.esim.id


def esim_write(deps: Deps, delivery: Delivery, iccid: str, now: datetime) -> EsimWrite:
    """A delivered eSIM as it is written: sealed, found by its digests."""
    seal, code = deps.seal, delivery.activation_code
    return EsimWrite(
        id=esim_rows.PREFIX + secrets.token_hex(12),
        iccid=seal.seal(iccid),
        iccid_digest=seal.digest(iccid),
        activation_code=None if code is None else seal.seal(code),
        code_digest=None if code is None else seal.digest(code),
        confirmation_code_required=delivery.confirmation_code_required,
        next_poll_at=now + esim_rows.FIRST_POLL,
    )


async def transition(
    deps: Deps,
    connection: Connection,
    writes: Writes,
    what: Change,
    *,
    ops: dict[str, Any] | None = None,
    goods_id: str | None = None,
    delivery: Delivered | None = None,
    refund: bool = False,
    uncancel: bool = False,
    review_reason: ReviewReason | None = None,
) -> None:
    """Move the order, with its lines in the timeline and the event for the storefront.

    ``settling.write`` writes it; only the day's spend and the order's checkout are written here.
    """
    order = writes.order
    writes.move = OrderWrite(
        status=what.status,
        next_poll_at=what.next_poll_at,
        keep_schedule=what.keep_schedule,
        failure_code=what.failure_code,
        failure_detail=what.failure_detail,
        refund=refund or what.status == "cancelled",
        uncancel=uncancel,
        review_reason=review_reason,
    )
    if what.status in {"failed", "cancelled"}:
        await spend_rows.give_back(connection, "storefront", order.storefront_id, order.price_base, order.created_at)
    for event in what.events:
        text = what.failure_detail or "" if event == "failed" else ""
        writes.add_event(event, text, **(ops or {}))
    notice = _notice(order, what)
    if notice is not None:
        writes.event = notify.prepared(deps.seal, notice, _data(order, what, goods_id, delivery), writes.now)
    if order.checkout_id is not None and what.status is not None:
        await follow(deps, connection, order.checkout_id, order.id, what.status)
    if what.status == "needs_review":
        log.warning("order_needs_review", order=order.id, supplier=(ops or {}).get("supplier"))
    writes.answered = what.status in ANSWERED
    due = what.next_poll_at is not None and what.next_poll_at - writes.now <= timedelta(0)
    writes.wake = due and (what.status or order.status) not in ANSWERED


def status_after(writes: Writes) -> OrderStatus:
    """The order's status once it is written."""
    moved = None if writes.move is None else writes.move.status
    return moved or writes.order.status


def _notice(order: OrderRow, what: Change) -> NoticeType | None:
    if "fulfilled" in what.events:
        return NoticeType.TOPUP_COMPLETED if order.kind == "topup" else NoticeType.ORDER_FULFILLED
    return _NOTICES.get(what.status or "")


def _data(order: OrderRow, what: Change, goods_id: str | None, delivery: Delivered | None) -> OrderEventData:
    """An event's ``data``: no activation code, number or PIN; the storefront fetches the order."""
    price = Price(f"{Money(order.price, order.currency).padded().amount:f}", order.currency)
    iccid = delivery.iccid if isinstance(delivery, Delivery) and "fulfilled" in what.events else None
    return OrderEventData(
        order_id=order.id,
        kind=cast("Kind", order.kind),
        status=what.status or order.status,
        reference=order.reference,
        plan_id=order.plan_id,
        price=price,
        failure=UNSET if what.failure_code is None else OrderEventFailure(what.failure_code, what.failure_detail),
        refund=price if what.status == "cancelled" else UNSET,
        esim_id=UNSET if goods_id is None or order.kind == "number" else goods_id,
        number_id=UNSET if goods_id is None or order.kind != "number" else goods_id,
        iccid=UNSET if iccid is None else iccid,
    )
