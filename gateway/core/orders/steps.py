"""What is to be done for an order next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from gateway.core.orders.states import AttemptNow, AttemptState, OrderNow


class Rest(msgspec.Struct, frozen=True):
    """Nothing now."""


class Choose(msgspec.Struct, frozen=True):
    """No attempt may have happened: choose an offer and buy it."""


class MarkLost(msgspec.Struct, frozen=True):
    """An attempt is past its deadline and nobody recorded what came of it."""

    attempt: AttemptNow


class Look(msgspec.Struct, frozen=True):
    """Ask the supplier what became of an attempt."""

    attempt: AttemptNow


class SendCancel(msgspec.Struct, frozen=True):
    """Ask the supplier to take back what this attempt bought."""

    purchase: AttemptNow


class CloseCancelled(msgspec.Struct, frozen=True):
    """Nothing was bought, and nothing is to be: the order is cancelled."""


class AskOperator(msgspec.Struct, frozen=True):
    """The order was pending in a backup, and nothing that is known of it says what became of it since."""


Step = Rest | Choose | MarkLost | Look | SendCancel | CloseCancelled | AskOperator


def next_step(  # noqa: PLR0911 - one for each step
    order: OrderNow, attempts: Sequence[AttemptNow], now: datetime, *, look: bool = False
) -> Step:
    """The one next step. ``look`` asks now, though the schedule would wait."""
    if order.status in {"fulfilled", "failed", "cancelled"}:
        return Rest()
    purchase = next((one for one in attempts if one.kind != "cancel" and one.live), None)
    due = look or (order.next_look_at is not None and now >= order.next_look_at)
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


def _following(attempt: AttemptNow, now: datetime, *, due: bool) -> Step:
    if attempt.state is AttemptState.SENDING:
        return MarkLost(attempt) if now >= attempt.deadline else Rest()
    return Look(attempt) if due else Rest()


def _cancelling(
    order: OrderNow, attempts: Sequence[AttemptNow], purchase: AttemptNow, now: datetime, *, due: bool
) -> Step:
    live = next((one for one in attempts if one.kind == "cancel" and one.live), None)
    if live is not None:
        return _following(live, now, due=due)
    if order.review_reason is not None and order.status == "cancel_pending":
        return AskOperator()  # the cancel may have been sent after the backup
    return SendCancel(purchase) if order.status == "cancel_pending" else Rest()
