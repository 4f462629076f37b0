"""A supplier's statement beside the ledger: what was not read yet is no difference."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gateway.ledger.ledger_view_rules import DIFFERENT, Line, StatementsRead, lines
from gateway.ledger.reconcile_rules import Booked, Day, Known, Movement, beside
from schemas.money import Money

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = Day(NOON - timedelta(hours=12), NOON + timedelta(hours=12))
KNOWN = Known(attempt="att_1", order_id="ord_1", supplier_order_id="so1", open=False)


def moved(kind: str, amount: str) -> Movement:
    return Movement(kind=kind, amount=Money(Decimal(amount), "USD"), at=NOON, supplier_order_id="so1")  # type: ignore[arg-type]


def booked(kind: str, amount: str, at: datetime = NOON) -> Booked:
    return Booked(
        attempt="att_1",
        order_id="ord_1",
        supplier_order_id="so1",
        kind=kind,  # type: ignore[arg-type]
        amount=Money(Decimal(amount), "USD"),
        at=at,
    )


def view(theirs: list[Movement], ours: list[Booked], read: StatementsRead) -> list[Line]:
    return lines("s2s", DAY, beside(theirs, ours, [KNOWN]), [], {}, read)


@pytest.mark.parametrize(
    ("read", "verdict", "why"),
    [
        (StatementsRead(), "statement_not_read", None),
        (StatementsRead(NOON - timedelta(days=30), NOON - timedelta(seconds=1)), "statement_not_read", None),
        (StatementsRead(NOON + timedelta(hours=1), NOON + timedelta(hours=2)), "statement_not_read", None),
        (StatementsRead(NOON - timedelta(days=30), NOON), "only_ours", "charge_not_found"),
        (StatementsRead(None, NOON), "only_ours", "charge_not_found"),
    ],
    ids=["never", "not so far", "not so far back", "read", "from the beginning"],
)
def test_a_charge_of_a_time_that_was_not_read_is_no_difference(
    read: StatementsRead, verdict: str, why: str | None
) -> None:
    (line,) = view([], [booked("charge", "5")], read)
    assert (line.verdict, line.why, line.verdict in DIFFERENT) == (verdict, why, verdict == "only_ours")


def test_a_refund_that_is_still_to_be_read_makes_no_difference_of_the_one_that_was() -> None:
    late = NOON + timedelta(hours=1)
    ours = [booked("charge", "10"), booked("refund", "3"), booked("refund", "2", late)]
    theirs = [moved("charge", "10"), moved("refund", "3")]
    verdicts = {line.kind: line.verdict for line in view(theirs, ours, StatementsRead(None, NOON))}
    assert verdicts == {"charge": "same", "refund": "statement_not_read"}
    verdicts = {line.kind: line.verdict for line in view(theirs, ours, StatementsRead(None, late))}
    assert verdicts == {"charge": "same", "refund": "amount_differs"}


def test_more_at_the_supplier_than_in_the_ledger_differs_whatever_was_read() -> None:
    (line,) = view([moved("charge", "12")], [booked("charge", "10")], StatementsRead())
    assert line.verdict == "amount_differs"
