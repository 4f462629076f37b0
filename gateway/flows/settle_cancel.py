"""What becomes of a cancel: the storefront's wish to give an eSIM back, sent once."""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.core.orders import cancelling, verdicts
from gateway.core.orders.cancelling import CancelSeen, CancelVerdict
from gateway.core.orders.changes import Change
from gateway.core.orders.schedule import next_look
from gateway.core.orders.states import AttemptState
from gateway.flows.deps import Deps
from gateway.flows.moving import move
from gateway.flows.truth import Lost, NotSeen, Person, Truth
from gateway.store import attempts, esims, ledger, orders
from gateway.store.order_rows import AttemptRow, OrderRow
from gateway.store.pool import Connection
from schemas.errors import GatewayError
from schemas.money import Money
from schemas.order import Cancellation


async def settle_cancel(
    deps: Deps, connection: Connection, order: OrderRow, attempt: AttemptRow, truth: Truth, now: datetime
) -> bool:
    """Record what is now known of a cancel; True when it changed something."""
    if attempt.state in {AttemptState.SUCCEEDED, AttemptState.FAILED}:
        return False
    verdict = _cancel_verdict(deps, attempt, truth, now)
    if verdict.state is None and verdict.end is None:
        return False
    if verdict.state is AttemptState.FAILED and verdict.end is None:
        return False
    if order.status not in {"cancel_pending", "needs_review"}:
        return False
    await attempts.record(
        connection,
        attempt.id,
        now=now,
        state=verdict.state,
        charged=None,
        supplier_order_id=None,
        error_code=verdict.error_code,
        error=verdict.error,
    )
    ops = {"supplier": attempt.supplier, "n": attempt.n, "error": verdict.error}
    match verdict.end:
        case "cancelled":
            await _cancelled(deps, connection, order, attempt, verdict.refunded, now)
        case "refused":
            back = Change(status="fulfilled", events=("cancel_refused",))
            await move(deps, connection, order, back, now, ops=ops, uncancel=True)
        case "review" if order.status == "cancel_pending":
            review = Change(status="needs_review", next_look_at=now + timedelta(minutes=15), events=("needs_review",))
            await move(deps, connection, order, review, now, ops=ops)
        case None:
            later = next_look(now, 0, (attempt.quiescent_at,))
            await move(deps, connection, order, Change(next_look_at=later, events=("cancel_unknown",)), now, ops=ops)
        case _:
            return False
    return True


def _cancel_verdict(  # noqa: PLR0911 - one for each kind of truth
    deps: Deps, attempt: AttemptRow, truth: Truth, now: datetime
) -> CancelVerdict:
    match truth:
        case Cancellation() | GatewayError():
            verdict = cancelling.of_answer(truth)
            late = verdict.state is AttemptState.UNKNOWN and attempt.state is not AttemptState.SENDING
            return CancelVerdict(state=None) if late else verdict
        case CancelSeen():
            account = deps.accounts.get(attempt.supplier)
            trusted = account is not None and account.settings.trust_absence
            return cancelling.of_look(truth, attempt.now, now, trust_absence=trusted)
        case Lost() if attempt.state is AttemptState.SENDING:
            return CancelVerdict(state=AttemptState.UNKNOWN, error_code="lost", error="the run that sent was lost")
        case NotSeen() if now >= attempt.quiescent_at + verdicts.UNSEEN_FOR:
            return CancelVerdict(state=None, end="review", error=truth.error)
        case Person(outcome="refunded"):
            return CancelVerdict(state=AttemptState.SUCCEEDED, end="cancelled")
        case Person():
            return CancelVerdict(state=AttemptState.FAILED, end="refused", error_code="person", error=truth.note)
    return CancelVerdict(state=None)


async def _cancelled(
    deps: Deps, connection: Connection, order: OrderRow, cancel: AttemptRow, refunded: Money | None, now: datetime
) -> None:
    """The supplier took it back: its refund belongs to the attempt that bought, the storefront gets its price."""
    bought = next(
        (one for one in await orders.attempts_of(connection, order.id) if one.kind == "purchase" and one.now.live), None
    )
    if bought is not None and refunded is not None:
        await ledger.refund(connection, bought, refunded, now)
    esim = await connection.fetchval("SELECT id FROM esims WHERE order_id = $1", order.id)
    if esim is not None:
        await esims.look_at(connection, esim, None)
    ops = {"supplier": cancel.supplier, "refunded": None if refunded is None else str(refunded)}
    done = Change(status="cancelled", events=("cancelled",))
    await move(deps, connection, order, done, now, ops=ops, goods_id=esim)
