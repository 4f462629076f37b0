"""What is to be done for an order next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from gateway.orders.rules.states import FINAL, AttemptNow, AttemptState, OrderNow


class Rest(msgspec.Struct, frozen=True):
    """Nothing now."""


class Choose(msgspec.Struct, frozen=True):
    """No attempt may have happened: choose an offer and buy it."""


class MarkLost(msgspec.Struct, frozen=True):
    """An attempt is past its deadline and nobody recorded what came of it."""

    attempt: AttemptNow


class Poll(msgspec.Struct, frozen=True):
    """Ask the supplier what became of an attempt."""

    attempt: AttemptNow


class ReadAnswer(msgspec.Struct, frozen=True):
    """Read a stored answer of the supplier again: recording it failed."""

    attempt: AttemptNow


class SendCancel(msgspec.Struct, frozen=True):
    """Ask the supplier to take back what this attempt bought."""

    purchase: AttemptNow


class CloseCancelled(msgspec.Struct, frozen=True):
    """Nothing was bought, and nothing is to be: the order is cancelled."""


class AskOperator(msgspec.Struct, frozen=True):
    """The order was pending in a backup, and nothing that is known of it says what became of it since."""


Step = Rest | Choose | MarkLost | Poll | SendCancel | CloseCancelled | AskOperator


def unread_answer(order: OrderNow, attempts: Sequence[AttemptNow], now: datetime, *, poll: bool) -> ReadAnswer | None:
    """A stored answer that is to be read before anything else is done, None when there is none."""
    if order.status in FINAL or not _is_due(order, now, poll=poll):
        return None
    return next((ReadAnswer(attempt) for attempt in attempts if attempt.unread_answer), None)


def next_step(  # noqa: PLR0911 - one for each step
    order: OrderNow, attempts: Sequence[AttemptNow], now: datetime, *, poll: bool = False
) -> Step:
    """The one next step. ``poll`` asks now, though the schedule would wait."""
    if order.status in FINAL:
        return Rest()
    due = _is_due(order, now, poll=poll)
    purchase = next((attempt for attempt in attempts if attempt.kind != "cancel" and attempt.live), None)
    if purchase is None:
        if order.status == "needs_review":
            return Rest()
        if order.review_reason is not None:
            return AskOperator()
        return CloseCancelled() if order.cancel_requested else Choose()
    if purchase.state is AttemptState.SUCCEEDED:
        if order.status == "needs_review" and not order.cancel_requested:
            return Rest()
        return _cancelling(order, attempts, purchase, now, due=due)
    return _following(purchase, now, due=due)


def _is_due(order: OrderNow, now: datetime, *, poll: bool) -> bool:
    return poll or (order.next_poll_at is not None and now >= order.next_poll_at)


def _following(attempt: AttemptNow, now: datetime, *, due: bool) -> Step:
    if attempt.state is AttemptState.SENDING:
        return MarkLost(attempt) if now >= attempt.deadline else Rest()
    return Poll(attempt) if due else Rest()


def _cancelling(
    order: OrderNow, attempts: Sequence[AttemptNow], purchase: AttemptNow, now: datetime, *, due: bool
) -> Step:
    live = next((attempt for attempt in attempts if attempt.kind == "cancel" and attempt.live), None)
    if live is not None:
        return _following(live, now, due=due)
    if order.review_reason is not None and order.status == "cancel_pending":
        return AskOperator()  # the cancel may have been sent after the backup
    return SendCancel(purchase) if order.status == "cancel_pending" else Rest()
