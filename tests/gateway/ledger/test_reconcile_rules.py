"""What a comparison of two books names, with plain values."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from gateway.ledger.reconcile_rules import Booked, Day, Known, Movement, differences
from schemas.money import Money

START = datetime(2026, 11, 20, tzinfo=UTC)
DAY = Day(START, START + timedelta(days=1))
NOON = START + timedelta(hours=12)


def money(amount, currency="USD"):
    return Money(Decimal(amount), currency)


def moved(order="so1", amount="5.00", kind="charge", at=NOON, **more):
    return Movement(kind=kind, amount=money(amount), at=at, supplier_order_id=order, **more)


def booked(attempt="att_1", amount="5.00", kind="charge", at=NOON, order="so1"):
    return Booked(attempt=attempt, order_id="ord_1", supplier_order_id=order, kind=kind, amount=money(amount), at=at)


def known(attempt="att_1", order="so1", *, is_open=False):
    return Known(attempt=attempt, order_id="ord_1", supplier_order_id=order, open=is_open)


def named(movements=(), rows=(), attempts=(), explained=None):
    found = differences("s2s", DAY, movements, rows, attempts, explained or {})
    return [(one.what, one.movement, one.attempt) for one in found]


def test_books_that_agree_name_nothing_whatever_the_zeros():
    assert named([moved(amount="5")], [booked(amount="5.000")], [known()]) == []


@pytest.mark.parametrize(
    ("movements", "rows", "attempts", "found"),
    [
        ([moved()], [], [], ("charge_without_attempt", "charge:so1", None)),
        ([moved()], [], [known()], ("charge_not_booked", "charge:so1", "att_1")),
        ([moved()], [], [known(is_open=True)], ("not_settled", "charge:so1", "att_1")),
        ([moved(reference="att_1")], [], [known(order=None, is_open=True)], ("not_settled", "charge:so1", "att_1")),
        ([], [booked()], [known()], ("charge_not_found", "charge:so1", "att_1")),
        ([moved(amount="5.18")], [booked()], [known()], ("amount_differs", "charge:so1", "att_1")),
        ([moved(), moved(kind="refund")], [booked()], [known()], ("refund_not_booked", "refund:so1", "att_1")),
        ([moved()], [booked(), booked(kind="refund")], [known()], ("refund_not_found", "refund:so1", "att_1")),
        ([moved(None, movement_id="t9")], [], [], ("movement_without_order", "charge:t9", None)),
    ],
)
def test_each_difference_has_its_name(movements, rows, attempts, found):
    assert named(movements, rows, attempts) == [found]


def test_what_was_charged_twice_differs_by_one_charge():
    (one,) = differences("s2s", DAY, [moved(), moved()], [booked()], [known()], {})
    assert (one.what, one.theirs, one.ours) == ("amount_differs", money("1E+1"), money("5"))


def test_a_charge_that_was_given_back_on_both_sides_or_on_none_is_no_difference():
    back = [moved(), moved(kind="refund")]
    assert named(back, [], [known()]) == []
    assert named(back, [booked(), booked(kind="refund")], [known()]) == []


def test_the_other_side_s_part_may_be_of_another_day_but_a_day_asks_only_for_its_own():
    before = START - timedelta(seconds=1)
    assert named([moved(at=before)], [booked()], [known()]) == []
    assert named([moved(at=before)], [], []) == []
    assert named([moved(at=DAY.end)], [], []) == []
    assert named([moved(at=START)], [], []) == [("charge_without_attempt", "charge:so1", None)]


def test_what_a_person_explained_is_left_out_until_its_amount_changes():
    assert named([moved()], explained={"charge:so1": money("5")}) == []
    assert named([moved(amount="6")], explained={"charge:so1": money("5")}) != []
    assert named([moved()], explained={"charge:so2": money("5")}) != []


def test_sums_in_two_currencies_are_two_differences_and_no_fault():
    euros = Movement(kind="charge", amount=money("4.00", "EUR"), at=NOON, supplier_order_id="so1")
    found = differences("s2s", DAY, [moved(), euros], [booked()], [known()], {})
    assert [(one.what, one.movement, one.theirs) for one in found] == [
        ("charge_not_booked", "charge:so1:EUR", money("4", "EUR"))
    ]
    mine = msgspec.structs.replace(booked(), amount=money("4.00", "EUR"))
    (one,) = differences("s2s", DAY, [moved()], [mine], [known()], {})
    assert (one.what, one.theirs, one.ours) == ("amount_differs", money("5"), money("4", "EUR"))
