"""A person's word on a purchase that nobody else can tell the end of."""

from __future__ import annotations

from datetime import datetime

from gateway.core.orders.changes import Change
from gateway.core.orders.states import AttemptState
from gateway.flows.deps import Deps
from gateway.flows.moving import deliver, move
from gateway.flows.truth import Person
from gateway.store import attempts, ledger
from gateway.store.order_rows import AttemptRow, OrderRow
from gateway.store.pool import Connection


async def settle_person(
    deps: Deps, connection: Connection, order: OrderRow, attempt: AttemptRow, said: Person, now: datetime
) -> bool:
    """Record it; False when the order moved meanwhile and needs no person any more."""
    if order.status != "needs_review" or not attempt.now.live:
        return False
    fulfilled = said.outcome == "fulfilled"
    await attempts.record(
        connection,
        attempt.id,
        now=now,
        state=AttemptState.SUCCEEDED if fulfilled else AttemptState.FAILED,
        charged=None,
        supplier_order_id=None,
        error_code=None if fulfilled else "person",
        error=None if fulfilled else said.note[:500],
    )
    goods_id = None
    if fulfilled:
        goods_id = await deliver(deps, connection, order, attempt, said.delivery, now)
        # A cancel that was asked for meanwhile has waited for this.
        back = order.cancel_requested_at is not None and order.kind == "esim"
        what = Change(
            status="cancel_pending" if back else "fulfilled",
            next_look_at=now if back else None,
            events=("resolved", "fulfilled"),
        )
    elif said.outcome == "refunded":
        held = await ledger.held(connection, attempt.id)
        if held is not None:
            await ledger.refund(connection, attempt, held, now)
        what = Change(status="cancelled", events=("resolved", "cancelled"))
    else:
        detail = "the purchase did not come about"
        what = Change(
            status="failed", failure_code="supplier_refused", failure_detail=detail, events=("resolved", "failed")
        )
    ops = {"supplier": attempt.supplier, "n": attempt.n, "as": said.outcome, "note": said.note}
    await move(deps, connection, order, what, now, ops=ops, goods_id=goods_id, delivery=said.delivery)
    return True
