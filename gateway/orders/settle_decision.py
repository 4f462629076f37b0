"""An operator's decision on a purchase of which the end cannot be known otherwise."""

from __future__ import annotations

from gateway.kit.pool import Connection
from gateway.orders import ledger_rows
from gateway.orders.observations import OperatorDecision
from gateway.orders.order_rows import AttemptRow
from gateway.orders.rules.changes import Change
from gateway.orders.rules.states import AttemptState
from gateway.orders.settling_rows import AttemptWrite, Writes
from gateway.orders.transitions import deliver, transition
from gateway.suppliers.deps import Deps


async def settle_decision(
    deps: Deps, connection: Connection, writes: Writes, attempt: AttemptRow, decision: OperatorDecision
) -> bool:
    """Fill it in; False when the order moved meanwhile and needs no operator any more."""
    order, now = writes.order, writes.now
    if order.status != "needs_review" or not attempt.now.live:
        return False
    fulfilled = decision.outcome == "fulfilled"
    writes.attempt = AttemptWrite(
        attempt.id,
        attempt.supplier,
        attempt.kind,
        state=AttemptState.SUCCEEDED if fulfilled else AttemptState.FAILED,
        error_code=None if fulfilled else "person",
        error=None if fulfilled else decision.note[:500],
    )
    goods_id = None
    if fulfilled:
        goods_id = await deliver(deps, connection, writes, attempt, decision.delivery)
        # A cancel that was asked for meanwhile has waited for this.
        back = order.cancel_requested_at is not None and order.kind == "esim"
        what = Change(
            status="cancel_pending" if back else "fulfilled",
            next_poll_at=now if back else None,
            events=("resolved", "fulfilled"),
        )
    elif decision.outcome == "refunded":
        net_charge = await ledger_rows.net_charge(connection, attempt.id)
        if net_charge is not None:
            await ledger_rows.refund(connection, attempt, net_charge, now)
        what = Change(status="cancelled", events=("resolved", "cancelled"))
    else:
        detail = "the purchase did not come about"
        what = Change(
            status="failed", failure_code="supplier_refused", failure_detail=detail, events=("resolved", "failed")
        )
    ops = {"supplier": attempt.supplier, "n": attempt.n, "as": decision.outcome, "note": decision.note}
    await transition(deps, connection, writes, what, ops=ops, goods_id=goods_id, delivery=decision.delivery)
    return True
