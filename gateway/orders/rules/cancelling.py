"""What a supplier's word on a cancel makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from gateway.orders.rules import plausible
from gateway.orders.rules.changes import Change
from gateway.orders.rules.states import AttemptNow, AttemptState, OrderNow
from gateway.orders.rules.verdicts import of_error
from schemas.errors import GatewayError
from schemas.money import Money
from schemas.order import Cancellation

TOPUP_CASE = "its eSIM was cancelled by an operator; the supplier may still hold what the top-up cost"
_POLL_IN_REVIEW = timedelta(minutes=15)


class CancelSeen(msgspec.Struct, frozen=True):
    """A look at the eSIM (``revoked``: its status) and the money (``refunded``: the transactions); None: not told.

    ``at`` is when it was begun: whoever looked may have frozen since.
    """

    revoked: bool | None
    refunded: Money | None = None
    at: datetime | None = None


class CancelVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """``end`` is cancelled, refused (back to fulfilled) or review; None while it is not known."""

    state: AttemptState | None
    end: Literal["cancelled", "refused", "review"] | None = None
    refunded: Money | None = None
    error_code: str | None = None
    error: str | None = None


def of_answer(answer: Cancellation | GatewayError) -> CancelVerdict:
    """What the answer to the one request says."""
    if isinstance(answer, Cancellation):
        return CancelVerdict(state=AttemptState.SUCCEEDED, end="cancelled", refunded=plausible.money(answer.refunded))
    verdict = of_error(answer)
    return CancelVerdict(
        state=verdict.state,
        end="refused" if verdict.state is AttemptState.FAILED else None,
        error_code=verdict.error_code,
        error=verdict.error,
    )


def of_poll(seen: CancelSeen, attempt: AttemptNow, now: datetime, *, trust_absence: bool) -> CancelVerdict:
    """What a look says: cancelled when the money came back; otherwise nothing before the quiescence is over."""
    refunded = plausible.money(seen.refunded)
    if refunded is not None and seen.revoked is not False:
        return CancelVerdict(state=AttemptState.SUCCEEDED, end="cancelled", refunded=refunded)
    if min(seen.at or now, now) < attempt.quiescent_at:
        return CancelVerdict(state=None)
    if trust_absence and seen.revoked is False and seen.refunded is None:
        return CancelVerdict(state=AttemptState.FAILED, end="refused", error_code="absent", error="it did not happen")
    return CancelVerdict(state=None, end="review")


def never_sent(order: OrderNow, attempts: Sequence[AttemptNow]) -> bool:
    """Whether an order waits and no supplier has, or may have, what it asks for: it can end without asking anybody.

    An attempt that failed is definite. One that was pending in a backup may have been sent since.
    """
    waits = order.status in {"pending", "cancel_pending"} and order.review_reason is None
    return waits and not any(attempt.live for attempt in attempts)


def topup_case(attempts: Sequence[AttemptNow], now: datetime) -> Change:
    """A top-up of an eSIM that is taken back goes to an operator; what is not known of it is polled on."""
    settled = any(attempt.state is AttemptState.SUCCEEDED for attempt in attempts)
    later = None if settled else now + _POLL_IN_REVIEW
    return Change(status="needs_review", next_poll_at=later, events=("needs_review",))
