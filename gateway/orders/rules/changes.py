"""What a verdict changes: the attempt, the order, and what is told. State moves one way.

The two steps back are a cancel that the supplier refuses (back to fulfilled) and an operator's resolution.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from gateway.orders.rules.failures import failure_of
from gateway.orders.rules.schedule import CONTINUES, next_poll, next_poll_in_review
from gateway.orders.rules.states import AttemptNow, AttemptState, OrderNow, OrderStatus
from gateway.orders.rules.verdicts import Verdict
from schemas.orders import FailureCode

_S = AttemptState
_OPEN = frozenset({_S.SENDING, _S.UNKNOWN})
# From a state to those that it may become. A failure after "accepted" needs the supplier's own word.
_NEXT: dict[AttemptState, frozenset[AttemptState]] = {
    _S.SENDING: frozenset(_S),
    _S.UNKNOWN: frozenset({_S.ACCEPTED, _S.SUCCEEDED, _S.CHARGED_UNDELIVERABLE, _S.FAILED}),
    _S.ACCEPTED: frozenset({_S.SUCCEEDED, _S.CHARGED_UNDELIVERABLE, _S.FAILED}),
    _S.CHARGED_UNDELIVERABLE: frozenset({_S.SUCCEEDED, _S.FAILED}),
    _S.SUCCEEDED: frozenset(),
    _S.FAILED: frozenset(),
}


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What to write. ``attempt`` and ``status`` None leave it as it is.

    ``contradiction`` is a charge for an attempt that had failed: recorded and shown, nothing else can be done.
    """

    attempt: AttemptState | None = None
    status: OrderStatus | None = None
    failure_code: FailureCode | None = None
    failure_detail: str | None = None
    next_poll_at: datetime | None = None
    keep_schedule: bool = False
    events: tuple[str, ...] = ()
    contradiction: bool = False

    @property
    def nothing(self) -> bool:
        """Whether nothing at all is to be written."""
        return self.attempt is None and self.status is None and not self.contradiction


def change(order: OrderNow, attempt: AttemptNow, verdict: Verdict, now: datetime) -> Change:
    """What a verdict on a purchase or top-up changes."""
    if attempt.state is _S.FAILED:
        charged = verdict.charged is not None and verdict.charged.amount > 0 and not verdict.gone
        return Change(contradiction=charged, events=("charged_after_failure",) if charged else (), keep_schedule=True)
    state = _moved(attempt, verdict)
    if state is _S.SUCCEEDED:
        return _succeeded(order, now)
    if state is _S.FAILED:
        return _failed(order, attempt, verdict, now)
    waits = order.status in {"pending", "cancel_pending"}
    if verdict.review is not None and waits and attempt.state is not _S.SUCCEEDED:
        return Change(
            attempt=state,
            status="needs_review",
            next_poll_at=next_poll_in_review(now, attempt.started_at),
            events=("needs_review",),
        )
    if state is None or not waits:
        return Change(attempt=state, keep_schedule=True, events=() if state is None else (f"attempt_{state.value}",))
    bounds = (attempt.quiescent_at, attempt.provision_by)
    return Change(
        attempt=state, next_poll_at=next_poll(now, attempt.started_at, bounds), events=(f"attempt_{state.value}",)
    )


def _moved(attempt: AttemptNow, verdict: Verdict) -> AttemptState | None:
    """The attempt's new state, None when the verdict says nothing new or nothing that may be believed now."""
    new = verdict.state
    if new is None or new is attempt.state or new not in _NEXT[attempt.state]:
        return None
    if new is _S.FAILED and attempt.state not in _OPEN and not verdict.gone:
        return None
    if new is _S.UNKNOWN and attempt.state is not _S.SENDING:
        return None
    return new


def _succeeded(order: OrderNow, now: datetime) -> Change:
    if order.review_reason == "esim_cancelled":
        # Delivered to an eSIM that was taken back: the operator decides what the customer gets.
        return Change(attempt=_S.SUCCEEDED, events=("delivered_in_review",))
    if order.status in {"pending", "needs_review", "cancel_pending"}:
        wanted_back = order.cancel_requested and order.kind == "esim"
        return Change(
            attempt=_S.SUCCEEDED,
            status="cancel_pending" if wanted_back else "fulfilled",
            next_poll_at=now if wanted_back else None,
            events=("fulfilled",),
        )
    return Change(attempt=_S.SUCCEEDED, keep_schedule=True, events=("delivered_after_the_end",))


def _failed(order: OrderNow, attempt: AttemptNow, verdict: Verdict, now: datetime) -> Change:
    code, detail = failure_of(verdict.error_code)
    if order.status not in {"pending", "needs_review", "cancel_pending"}:
        return Change(attempt=_S.FAILED, keep_schedule=True, events=("attempt_failed",))
    if order.review_reason == "restored":
        # This attempt failed, and one that the backup does not know may have succeeded: nothing is bought, or called
        # failed, before an operator has said so.
        waits = None if order.status == "needs_review" else now
        return Change(attempt=_S.FAILED, next_poll_at=waits, events=("attempt_failed",))
    if order.cancel_requested:
        return Change(attempt=_S.FAILED, status="cancelled", events=("attempt_failed", "cancelled"))
    if order.status == "needs_review" or attempt.kind == "topup":
        return Change(
            attempt=_S.FAILED,
            status="failed",
            failure_code=code,
            failure_detail=detail,
            events=("attempt_failed", "failed"),
        )
    # The run that recorded it goes on with the next offer; a worker does if that run ends.
    return Change(attempt=_S.FAILED, next_poll_at=now + CONTINUES, events=("attempt_failed",))
