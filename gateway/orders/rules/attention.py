"""Which orders wait for an operator, why, and since when. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

import msgspec

Kind = Literal["charged", "review", "unknown", "stuck"]
KINDS: tuple[tuple[Kind, str], ...] = (
    ("charged", "charged and undelivered"),
    ("review", "waits for an operator"),
    ("unknown", "unknown"),
    ("stuck", "stuck"),
)
WORDS = dict(KINDS)

UNKNOWN_AFTER = timedelta(minutes=1)  # a look follows within seconds; who is unknown for longer is worth a glance
STUCK_AFTER = timedelta(minutes=10)
OVERDUE_AFTER = timedelta(minutes=5)  # a schedule that runs is never so late


class OpenOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that is not answered, waits for an operator, or was charged after it had failed.

    ``attempt_state`` and what follows are of the attempt that matters now. ``standing`` is what suppliers still hold
    for it. ``reviewed_at`` is when it began to wait for an operator, ``late_at`` when a charge came after its end.
    """

    id: str
    status: str
    created_at: datetime
    updated_at: datetime
    next_poll_at: datetime | None
    cancel_requested: bool
    supplier: str | None
    attempt_kind: str | None
    attempt_state: str | None
    attempt_error: str | None
    started_at: datetime | None
    standing: Decimal | None
    reviewed_at: datetime | None
    review_why: str | None
    late_at: datetime | None


class Attention(msgspec.Struct, frozen=True):
    """Why an order waits and since when. ``resolvable``: an operator may say what became of it."""

    order_id: str
    kind: Kind
    why: str
    since: datetime
    resolvable: bool


class AttentionGroup(msgspec.Struct, frozen=True):
    """Orders that wait for one and the same reason, which ends by itself: how many, since when the longest, which."""

    kind: Kind
    why: str
    since: datetime
    order_ids: list[str]


def needs_decision(what: Attention) -> bool:
    """Whether it waits for an operator, and not for a supplier or a worker."""
    return what.resolvable or what.kind == "charged"


def groups(waiting: Iterable[Attention]) -> list[AttentionGroup]:
    """Orders by why they wait, the largest group first."""
    found: dict[tuple[Kind, str], list[Attention]] = {}
    for what in waiting:
        found.setdefault((what.kind, what.why), []).append(what)
    made = [
        AttentionGroup(kind, why, min(each.since for each in those), [each.order_id for each in those])
        for (kind, why), those in found.items()
    ]
    return sorted(made, key=lambda group: (-len(group.order_ids), group.since))


def attention(order: OpenOrder, now: datetime) -> Attention | None:
    """What is the matter with an order, None while all goes as it should."""
    if order.status == "needs_review":
        return Attention(order.id, _kind_of_review(order), _why_review(order), _since_review(order), resolvable=True)
    if order.late_at is not None:
        why = "the supplier took money after the order had failed; it stands there until it is given back"
        return Attention(order.id, "charged", why, order.late_at, resolvable=False)
    if order.status not in {"pending", "cancel_pending"}:
        return None
    if order.attempt_state == "unknown" and order.started_at is not None and now - order.started_at > UNKNOWN_AFTER:
        error = order.attempt_error or "no answer"
        why = f"nobody knows yet what became of the {_call(order)} at {order.supplier}: {error}"
        return Attention(order.id, "unknown", why, order.started_at, resolvable=False)
    overdue = order.next_poll_at is not None and now - order.next_poll_at > OVERDUE_AFTER
    if overdue or now - order.created_at > STUCK_AFTER:
        return Attention(order.id, "stuck", _why_stuck(order, overdue=overdue), _since_stuck(order), resolvable=False)
    return None


def _kind_of_review(order: OpenOrder) -> Kind:
    if order.attempt_state == "charged_undeliverable" or (order.standing is not None and order.standing > 0):
        return "charged"
    return "unknown" if order.attempt_state == "unknown" else "review"


def _why_review(order: OpenOrder) -> str:
    return order.review_why or order.attempt_error or f"the end of the {_call(order)} cannot be known"


def _since_review(order: OpenOrder) -> datetime:
    return order.reviewed_at or order.updated_at


def _why_stuck(order: OpenOrder, *, overdue: bool) -> str:
    if overdue:
        return "its time to be looked at is over: no worker runs, or it is behind"
    if order.status == "cancel_pending":
        return "the supplier has not said yet whether it takes it back"
    if order.attempt_state == "accepted":
        return f"{order.supplier} accepted it and has not delivered it yet"
    if order.attempt_state is None:
        return "no supplier was asked yet: selling may be stopped, or suppliers are busy"
    return f"the {_call(order)} at {order.supplier} is {(order.attempt_state or '').replace('_', ' ')}"


def _since_stuck(order: OpenOrder) -> datetime:
    return order.updated_at if order.cancel_requested else order.created_at


def _call(order: OpenOrder) -> str:
    return order.attempt_kind or "purchase"
