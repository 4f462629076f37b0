"""An order and its attempts as the decisions see them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

import msgspec

from schemas.order import OrderKind

OrderStatus = Literal["pending", "fulfilled", "failed", "needs_review", "cancel_pending", "cancelled"]
AttemptKind = Literal["purchase", "topup", "cancel"]
ReviewReason = Literal["esim_cancelled", "restored"]
FINAL: frozenset[str] = frozenset({"fulfilled", "failed", "cancelled"})
ANSWERED: frozenset[str] = FINAL | {"needs_review"}


class AttemptState(StrEnum):
    """How one try at one supplier stands."""

    SENDING = "sending"
    ACCEPTED = "accepted"
    SUCCEEDED = "succeeded"
    UNKNOWN = "unknown"
    CHARGED_UNDELIVERABLE = "charged_undeliverable"
    FAILED = "failed"


class AttemptNow(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt.

    ``item`` says which other thing than an eSIM is bought, and ``units`` how many of it.
    Nothing is sent after ``deadline``; absence means something from ``quiescent_at`` on;
    ``provision_by`` is when an operator polls at what was accepted and not delivered.
    """

    id: str
    kind: AttemptKind
    n: int
    supplier: str
    supplier_plan_id: str
    state: AttemptState
    started_at: datetime
    deadline: datetime
    quiescent_at: datetime
    item: OrderKind | None = None
    units: int = 1
    provision_by: datetime | None = None
    error_code: str | None = None
    error: str | None = None
    unread_answer: bool = False

    @property
    def live(self) -> bool:
        """Whether it may have happened: while one lives no other may be made."""
        return self.state is not AttemptState.FAILED


class OrderNow(msgspec.Struct, frozen=True, kw_only=True):
    """One order. ``cancel_requested`` is whether the storefront wants it cancelled.

    ``review_reason`` is why an operator decides about it, whatever else is learnt: its eSIM was cancelled, or it was
    pending in the backup that the database was restored from.
    """

    id: str
    kind: str
    status: OrderStatus
    cancel_requested: bool = False
    polls: int = 0
    next_poll_at: datetime | None = None
    review_reason: ReviewReason | None = None
