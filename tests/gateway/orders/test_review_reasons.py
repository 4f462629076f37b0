"""What an operator has to decide stays with the operator, whatever else is learnt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.orders.rules import cancelling, steps
from gateway.orders.rules.changes import change
from gateway.orders.rules.states import AttemptNow, AttemptState, OrderNow
from gateway.orders.rules.steps import AskOperator, Choose, Poll, Rest, SendCancel, next_step
from gateway.orders.rules.verdicts import Verdict

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
S = AttemptState


def attempt(state: AttemptState, kind: str = "purchase") -> AttemptNow:
    at = NOW - timedelta(minutes=1)
    return AttemptNow(
        id=f"att_{kind}", kind=kind, n=1, supplier="a", supplier_plan_id="p", state=state, started_at=at,  # type: ignore[arg-type]
        deadline=at + timedelta(seconds=15), quiescent_at=at + timedelta(seconds=600),
    )  # fmt: skip


def order(status: str = "pending", reason: str | None = "restored", **more: object) -> OrderNow:
    values = {"kind": "esim", "next_poll_at": NOW} | more
    return OrderNow(id="ord_1", status=status, review_reason=reason, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seen", "attempts", "step"),
    [
        (order(), [], AskOperator),
        (order(), [attempt(S.FAILED)], AskOperator),
        (order(), [attempt(S.UNKNOWN)], Poll),
        (order("cancel_pending", cancel_requested=True), [], AskOperator),
        (order("cancel_pending", cancel_requested=True), [attempt(S.SUCCEEDED)], AskOperator),
        (order("cancel_pending", cancel_requested=True), [attempt(S.SUCCEEDED), attempt(S.UNKNOWN, "cancel")], Poll),
        (order("needs_review"), [], Rest),
        (order(reason=None), [], Choose),
        (order("cancel_pending", None, cancel_requested=True), [attempt(S.SUCCEEDED)], SendCancel),
    ],
)
def test_nothing_is_sent_for_what_was_pending_in_a_backup(
    seen: OrderNow, attempts: list[AttemptNow], step: type[steps.Step]
) -> None:
    assert isinstance(next_step(seen, attempts, NOW), step)


@pytest.mark.parametrize("status", ["pending", "needs_review", "cancel_pending"])
def test_a_failed_attempt_of_a_backup_ends_no_order(status: str) -> None:
    what = change(order(status, cancel_requested=status == "cancel_pending"), attempt(S.UNKNOWN), _failed(), NOW)
    assert (what.attempt, what.status) == (S.FAILED, None)
    # Who waits for an operator is polled no more: nothing is left to ask about.
    assert what.next_poll_at == (None if status == "needs_review" else NOW)


def test_a_topup_of_a_cancelled_esim_stays_a_case_when_it_is_delivered_and_ends_when_it_failed() -> None:
    case = order("needs_review", "esim_cancelled", kind="topup")
    delivered = change(case, attempt(S.UNKNOWN, "topup"), Verdict(state=S.SUCCEEDED), NOW)
    assert (delivered.attempt, delivered.status, delivered.next_poll_at) == (S.SUCCEEDED, None, None)
    assert change(case, attempt(S.UNKNOWN, "topup"), _failed(), NOW).status == "failed"


@pytest.mark.parametrize(
    ("seen", "attempts", "never"),
    [
        (order(reason=None), [], True),
        (order(reason=None), [attempt(S.FAILED)], True),
        (order(reason=None), [attempt(S.SENDING)], False),
        (order(reason=None), [attempt(S.UNKNOWN)], False),
        (order("fulfilled", None), [], False),
        (order("needs_review", "restored"), [], False),
        (order("pending", "restored"), [], False),
    ],
)
def test_never_sent_is_what_waits_without_an_attempt_that_may_have_happened(
    seen: OrderNow, attempts: list[AttemptNow], never: bool
) -> None:
    assert cancelling.never_sent(seen, attempts) is never


def test_a_topup_that_is_not_settled_is_polled_on_as_a_case() -> None:
    assert cancelling.topup_case([attempt(S.UNKNOWN, "topup")], NOW).next_poll_at == NOW + timedelta(minutes=15)
    assert cancelling.topup_case([attempt(S.SUCCEEDED, "topup")], NOW).next_poll_at is None


def _failed() -> Verdict:
    return Verdict(state=S.FAILED, error_code="failed_there", error="no", gone=True, kept_charge=None)
