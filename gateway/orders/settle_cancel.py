"""What becomes of a cancel: the storefront's wish to give an eSIM back, sent once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from gateway.inventory import esim_rows
from gateway.kit.pool import Connection
from gateway.orders import ledger_rows, order_state_rows
from gateway.orders.observations import LookupFailed, NoResponse, Observation, OperatorDecision
from gateway.orders.order_rows import AttemptRow, OrderRow
from gateway.orders.rules import cancelling, verdicts
from gateway.orders.rules.cancelling import CancelSeen, CancelVerdict
from gateway.orders.rules.changes import Change
from gateway.orders.rules.schedule import next_poll, next_poll_in_review
from gateway.orders.rules.states import AttemptState
from gateway.orders.settling_rows import AttemptWrite, Writes
from gateway.orders.transitions import transition
from gateway.suppliers.accounts import account_of
from gateway.suppliers.deps import Deps
from schemas.errors import GatewayError
from schemas.money import Money
from schemas.order import Cancellation


async def settle_cancel(
    deps: Deps, connection: Connection, writes: Writes, attempt: AttemptRow, observation: Observation
) -> bool:
    """Fill in what is now known of a cancel; True when it changes something."""
    order, now = writes.order, writes.now
    if attempt.state in {AttemptState.SUCCEEDED, AttemptState.FAILED}:
        return False
    verdict = _cancel_verdict(deps, order, attempt, observation, now)
    if not _says_something(order, verdict):
        return False
    writes.attempt = AttemptWrite(
        attempt.id,
        attempt.supplier,
        attempt.kind,
        state=verdict.state,
        error_code=verdict.error_code,
        error=verdict.error,
    )
    ops: dict[str, Any] = {"supplier": attempt.supplier, "n": attempt.n, "error": verdict.error}
    if isinstance(observation, OperatorDecision):
        ops |= {"as": observation.outcome, "note": observation.note}
        writes.add_event("resolved", **ops)
    match verdict.end:
        case "cancelled":
            decided = isinstance(observation, OperatorDecision)
            await _cancelled(deps, connection, writes, attempt, verdict.refunded, decided=decided)
        case "refused":
            back = Change(status="fulfilled", events=("cancel_refused",))
            await transition(deps, connection, writes, back, ops=ops, uncancel=True)
        case "review":
            review = Change(
                status="needs_review",
                next_poll_at=next_poll_in_review(now, attempt.started_at),
                events=("needs_review",),
            )
            await transition(deps, connection, writes, review, ops=ops)
        case None:
            later = next_poll(now, attempt.started_at, (attempt.quiescent_at,))
            unknown = Change(next_poll_at=later, events=("cancel_unknown",))
            await transition(deps, connection, writes, unknown, ops=ops)
    return True


def _says_something(order: OrderRow, verdict: CancelVerdict) -> bool:
    """Whether a verdict on a cancel changes an order that stands so."""
    if order.status not in {"cancel_pending", "needs_review"}:
        return False
    if verdict.end == "review":
        return order.status == "cancel_pending"
    return verdict.end is not None or verdict.state not in {None, AttemptState.FAILED}


def _cancel_verdict(  # noqa: PLR0911 - one for each kind of observation
    deps: Deps, order: OrderRow, attempt: AttemptRow, observation: Observation, now: datetime
) -> CancelVerdict:
    match observation:
        case Cancellation() | GatewayError():
            verdict = cancelling.of_answer(observation)
            late = verdict.state is AttemptState.UNKNOWN and attempt.state is not AttemptState.SENDING
            return CancelVerdict(state=None) if late else verdict
        case CancelSeen():
            account = account_of(deps.accounts, attempt.supplier, order.mode)
            trusted = account is not None and account.settings.trust_absence
            return cancelling.of_poll(observation, attempt.now, now, trust_absence=trusted)
        case NoResponse() if attempt.state is AttemptState.SENDING:
            return CancelVerdict(state=AttemptState.UNKNOWN, error_code="lost", error="the run that sent was lost")
        case LookupFailed() if now >= attempt.quiescent_at + verdicts.UNSEEN_FOR:
            return CancelVerdict(state=None, end="review", error=observation.error)
        case OperatorDecision(outcome="refunded"):
            return CancelVerdict(state=AttemptState.SUCCEEDED, end="cancelled")
        case OperatorDecision():
            return CancelVerdict(state=AttemptState.FAILED, end="refused", error_code="person", error=observation.note)
    return CancelVerdict(state=None)


async def _cancelled(
    deps: Deps, connection: Connection, writes: Writes, cancel: AttemptRow, refunded: Money | None, *, decided: bool
) -> None:
    """The supplier took it back: its refund belongs to the attempt that bought, the storefront gets its price.

    ``decided``: an operator says so, and that everything was refunded.
    """
    order = writes.order
    bought = next(
        (
            attempt
            for attempt in await order_state_rows.attempts_of(connection, order.id)
            if attempt.kind == "purchase" and attempt.now.live
        ),
        None,
    )
    if bought is not None and decided:
        refunded = await ledger_rows.net_charge(connection, bought.id)
    if bought is not None and refunded is not None:
        await ledger_rows.refund(connection, bought, refunded, writes.now)
    esim = await esim_rows.end(connection, order.id)
    ops = {"supplier": cancel.supplier, "refunded": None if refunded is None else str(refunded)}
    done = Change(status="cancelled", events=("cancelled",))
    await transition(deps, connection, writes, done, ops=ops, goods_id=esim)
