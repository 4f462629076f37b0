"""The last look before something is sent: a top-up and a cancel of one eSIM do not both go out.

For the transaction that begins an attempt, before it changes the order's row (``inventory.esim_lock_rows`` says why).
"""

from __future__ import annotations

from typing import Literal

from gateway.inventory import esim_lock_rows
from gateway.kit.pool import Connection
from gateway.orders import order_state_rows
from gateway.orders.order_rows import OrderRow
from gateway.orders.rules.changes import Change
from gateway.orders.transitions import fail_locked, move
from gateway.suppliers.deps import Deps

Refusal = Literal["cancelled", "not_supported", "has_topups"]
_DETAILS = {
    "cancelled": "the eSIM was given back before the data was bought",
    "not_supported": "the eSIM is revoked or expired",
}


async def may_be_sent(connection: Connection, order: OrderRow) -> Refusal | None:
    """Why nothing may be sent for this order now; None when it may.

    Of a top-up it is the code that its order fails with: "cancelled" where a cancel of the eSIM was asked for or is
    done, "not_supported" where the eSIM is revoked or expired. Of a cancel it is "has_topups". ``refuse`` writes it.
    """
    if order.kind == "topup" and order.target_esim_id is not None:
        reason = await esim_lock_rows.topup_refusal(connection, order.target_esim_id)
        return None if reason is None else "cancelled" if reason == "cancelled" else "not_supported"
    if order.kind == "esim" and order.status == "cancel_pending":
        return "has_topups" if await esim_lock_rows.live_topups(connection, order.id, cases=False) else None
    return None


async def refuse(deps: Deps, connection: Connection, order: OrderRow, refusal: Refusal) -> None:
    """End what may not be sent: a top-up fails, a cancel is refused and its order is fulfilled as before.

    In the transaction of ``may_be_sent``; changes nothing when the order moved meanwhile.
    """
    if refusal != "has_topups":
        await fail_locked(deps, connection, order.id, order.step, refusal, _DETAILS[refusal], {})
        return
    now_there = await order_state_rows.lock(connection, order.id)
    if now_there is not None and now_there.step == order.step:
        back = Change(status="fulfilled", events=("cancel_refused",))
        why = "data was added to the eSIM after the cancel was asked for"
        await move(deps, connection, now_there, back, ops={"why": why}, uncancel=True)
