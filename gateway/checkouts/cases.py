"""What waits for an operator about a checkout: opened where it is found, told outside, and over when it comes right.

Everything here runs under the checkout's lock, in the caller's transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import structlog
from msgspec import UNSET

from gateway.checkouts import checkout_rows, payment_rows
from gateway.checkouts.checkout_rows import CheckoutRow
from gateway.checkouts.checkout_rules import UNDELIVERED, Review, gives_back
from gateway.checkouts.payment_rows import PaymentRow
from gateway.kit.pool import Connection
from gateway.orders import order_state_rows
from gateway.suppliers.deps import Deps
from gateway.webhooks import notify
from schemas.api import Price
from schemas.checkouts import CaseReason
from schemas.events import CheckoutEventData
from schemas.notice import NoticeType

log = structlog.get_logger(__name__)

_ITS_REFUND = "the customer has the money back"


async def review(
    deps: Deps, connection: Connection, row: CheckoutRow, what: Review, now: datetime, payment: PaymentRow | None = None
) -> bool:
    """Have an operator look at a checkout; False when the like of it waits already."""
    opened = await payment_rows.open_case(
        connection,
        checkout_id=row.id,
        payment_id=None if payment is None else payment.id,
        reason=what.reason,
        detail=what.detail,
        mode=row.mode,
        now=now,
    )
    if opened is None:
        return False
    await checkout_rows.add_event(
        connection, row.id, now, "needs_review", case=opened, reason=what.reason, detail=what.detail,
        payment=None if payment is None else payment.payment_id,
    )  # fmt: skip
    await emit_event(deps, connection, row, NoticeType.CHECKOUT_NEEDS_REVIEW, "needs_review", reason=what.reason)
    log.warning("checkout_needs_review", checkout=row.id, reason=what.reason)
    return True


async def auto_resolve(connection: Connection, checkout_id: str, reasons: frozenset[str], now: datetime) -> bool:
    """Close what waits for these reasons: it needs nobody any more."""
    over = [case for case in await payment_rows.open_cases_of(connection, checkout_id) if case.reason in reasons]
    if over:
        await payment_rows.close_cases(connection, over, "settled", None, now)
        await checkout_rows.add_event(
            connection, checkout_id, now, "came_right", reasons=[case.reason for case in over]
        )
    return bool(over)


async def emit_event(
    deps: Deps,
    connection: Connection,
    row: CheckoutRow,
    type: NoticeType,  # noqa: A002 - the event's own word
    status: Literal["paid", "expired", "needs_review"],
    *,
    order_id: str | None = None,
    reason: CaseReason | None = None,
) -> None:
    """Tell the storefront; the payment's page and the customer's address stand in no event."""
    data = CheckoutEventData(
        checkout_id=row.id,
        status=status,
        reference=row.reference,
        plan_id=row.plan_id,
        price=Price(f"{row.money.padded().amount:f}", row.currency),
        order_id=order_id or row.order_id,
        reason=UNSET if reason is None else reason,
    )
    await notify.emit_event(
        connection,
        deps.seal,
        storefront_id=row.storefront_id,
        mode=row.mode,
        type=type,
        data=data,
        order_id=order_id or row.order_id,
    )


async def follow(deps: Deps, connection: Connection, checkout_id: str, order_id: str, status: str) -> None:
    """What the end of its order means for a checkout that was paid. ``status`` is the order's new one."""
    now = deps.clock()
    row = await checkout_rows.lock(connection, checkout_id)
    if row is None:
        return
    match status:
        case "fulfilled":
            await auto_resolve(connection, checkout_id, UNDELIVERED, now)
            await checkout_rows.add_event(connection, checkout_id, now, "delivered", order=order_id)
            if await payment_rows.given_back(connection, checkout_id) or await _said_refunded(connection, row):
                late = Review("other_movement", f"order {order_id} was delivered after its money was given back")
                await review(deps, connection, row, late, now)
                await order_state_rows.add_event(
                    connection, order_id, now, "delivered_after_refund", checkout=checkout_id
                )
        case "failed" | "needs_review":
            await review(deps, connection, row, Review("undeliverable", f"order {order_id} is {status}"), now)
        case "cancelled":
            await auto_resolve(connection, checkout_id, frozenset({"undeliverable"}), now)
            refunded = await payment_rows.given_back(connection, checkout_id)
            if refunded or await _said_refunded(connection, row):
                await _nothing_owed(connection, row, order_id, now, refunded=refunded)
                return
            await review(deps, connection, row, Review("order_cancelled", f"order {order_id}"), now)


async def _said_refunded(connection: Connection, row: CheckoutRow) -> bool:
    """Whether an operator said that the payment of the checkout's order was given back."""
    cases = await payment_rows.cases_of(connection, [row.id])
    return any(case.outcome == "refunded" and gives_back(case.reason, case.payment_id, row.accepted) for case in cases)


async def _nothing_owed(
    connection: Connection, row: CheckoutRow, order_id: str, now: datetime, *, refunded: bool
) -> None:
    """The order is cancelled and the money is back: that is written down, and nobody has to look at it.

    ``refunded`` by its payment supplier; otherwise by an operator, whose refund is still to be told.
    """
    await auto_resolve(connection, row.id, frozenset({"refund"}), now)
    detail = f"order {order_id}"
    opened = await payment_rows.open_case(
        connection, checkout_id=row.id, payment_id=None, reason="order_cancelled", detail=detail, mode=row.mode, now=now
    )
    case = None if opened is None else await payment_rows.case(connection, opened)
    if case is not None:
        await payment_rows.close_cases(connection, [case], "refunded" if refunded else "closed", _ITS_REFUND, now)
    await checkout_rows.add_event(connection, row.id, now, "order_cancelled", order=order_id, note=_ITS_REFUND)
