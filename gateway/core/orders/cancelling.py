"""What a supplier's word on a cancel makes of it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from gateway.core.orders import plausible
from gateway.core.orders.states import AttemptNow, AttemptState
from gateway.core.orders.verdicts import of_error
from schemas.errors import GatewayError
from schemas.money import Money
from schemas.order import Cancellation


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


def of_look(seen: CancelSeen, attempt: AttemptNow, now: datetime, *, trust_absence: bool) -> CancelVerdict:
    """What a look says: cancelled when the money came back; otherwise nothing before the quiescence is over."""
    refunded = plausible.money(seen.refunded)
    if refunded is not None and seen.revoked is not False:
        return CancelVerdict(state=AttemptState.SUCCEEDED, end="cancelled", refunded=refunded)
    if min(seen.at or now, now) < attempt.quiescent_at:
        return CancelVerdict(state=None)
    if trust_absence and seen.revoked is False and seen.refunded is None:
        return CancelVerdict(state=AttemptState.FAILED, end="refused", error_code="absent", error="it did not happen")
    return CancelVerdict(state=None, end="review")
