"""What becomes of a checkout: no captured payment is ever without an order or a person."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.checkouts.checkout_rules import (
    EXPIRED_AFTER,
    REASONS,
    UNREPORTED_FOR,
    WORDS,
    Accept,
    CheckoutNow,
    LinkGone,
    LinkUnseen,
    Nothing,
    PaymentNow,
    Review,
    State,
    after_poll,
    after_search,
    creation_timed_out,
    judge,
    next_search,
    not_made,
    rests_as,
    why_not_placed,
)
from schemas.checkouts import CaseReason
from schemas.errors import InvalidRequest, NotAuthorised, NotReached, NotSupported, ServerFault, TimedOut
from schemas.money import Money
from schemas.payment import PaymentKind, PaymentLink, PaymentState

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
END = NOW + timedelta(hours=1)


def checkout(**more):
    return CheckoutNow(
        **{
            "id": "co_1", "state": "open", "price": Money(Decimal("5.50"), "USD"), "test": False, "created_at": NOW,
            "expires_at": END, "link_id": "prd_1", **more,
        }
    )  # fmt: skip


def payment(amount="5.50", currency="USD", **more):
    return PaymentNow(
        **{
            "id": "pay_1", "kind": PaymentKind.PAYMENT, "state": PaymentState.CAPTURED,
            "paid": Money(Decimal(amount), currency), "test": False, "at": NOW, "link_id": "prd_1", **more,
        }
    )  # fmt: skip


def link(remaining=1):
    return PaymentLink("prd_1", "https://pay.example.com", Money(Decimal("5.50"), "USD"), remaining, test=False)


def reason(judgement):
    return judgement.reason if isinstance(judgement, Review) else judgement


@pytest.mark.parametrize(
    ("seen", "told", "wanted"),
    [
        (checkout(), payment(), Accept(place=True)),
        (checkout(), payment("5.5"), Accept(place=True)),
        (checkout(state="creating", link_id=None), payment(), Accept(place=True)),
        (checkout(state="expired"), payment(at=END), Accept(place=True)),
        (checkout(state="paid", order_id="ord_1"), payment(), Accept(place=False)),
        (checkout(state="paid", order_id="ord_1"), payment(at=END + timedelta(days=1)), Accept(place=False)),
        (checkout(state="paid", order_id="ord_1", accepted="pay_1"), payment(), Nothing()),
        (checkout(state="paid", order_id="ord_1", accepted="pay_0"), payment(), "paid_twice"),
        (checkout(), payment("5.49"), "paid_too_little"),
        (checkout(), payment("5.51"), "paid_too_much"),
        (checkout(), payment(currency="EUR"), "other_currency"),
        (checkout(), payment(test=True), "test_payment"),
        (checkout(test=True), payment(), "live_payment"),
        (checkout(), payment(link_id="prd_2"), "other_link"),
        (checkout(), payment(link_id=None), Accept(place=True)),
        (checkout(), payment(at=END + timedelta(seconds=1)), "paid_late"),
        (checkout(state="closed"), payment(), "paid_after_close"),
        (checkout(state="failed"), payment(), "paid_after_close"),
        (checkout(), payment(kind=PaymentKind.AUTHORISATION), "authorisation_only"),
        (checkout(), payment(kind=PaymentKind.REFUND), "refund"),
        (checkout(), payment(kind=PaymentKind.OTHER), "other_movement"),
        (None, payment(), "unknown_checkout"),
    ],
)
def test_a_captured_payment_is_judged(seen, told, wanted):
    assert reason(judge(seen, told)) == wanted


@pytest.mark.parametrize("state", [PaymentState.PENDING, PaymentState.FAILED, PaymentState.EXPIRED])
def test_what_was_not_captured_moves_nothing(state):
    assert judge(checkout(), payment(state=state)) == Nothing()


def test_a_refund_that_a_person_announced_needs_nobody():
    assert judge(checkout(), payment(kind=PaymentKind.REFUND), refunds_expected=1) == Nothing()


@given(
    state=st.sampled_from(get_args(State)),
    known=st.booleans(),
    amount=st.decimals(0, 100, places=2),
    currency=st.sampled_from(["USD", "EUR"]),
    late=st.booleans(),
    test=st.booleans(),
    accepted=st.sampled_from([None, "pay_0"]),
    order_id=st.sampled_from([None, "ord_1"]),
    link_id=st.sampled_from([None, "prd_1", "prd_2"]),
)
def test_no_captured_payment_is_without_an_order_or_a_person(
    state, known, amount, currency, late, test, accepted, order_id, link_id
):
    seen = checkout(state=state, accepted=accepted, order_id=order_id) if known else None
    told = payment(amount, currency, test=test, link_id=link_id, at=END + timedelta(1) if late else NOW)
    judgement = judge(seen, told)
    assert isinstance(judgement, Accept | Review)
    if isinstance(judgement, Accept):
        assert seen is not None
        assert (told.paid, told.test, seen.accepted) == (seen.price, seen.test, None)
        assert judgement.place is (order_id is None)


def test_a_link_is_looked_at_later_and_later_and_once_at_its_end():
    times, seen, now = [], checkout(), NOW + timedelta(minutes=1)
    while (step := after_poll(seen, link(), now)).state is None:
        times.append(step.next_poll_at - now)
        now, seen = step.next_poll_at, checkout(polls=seen.polls + 1)
    assert times[:3] == [timedelta(seconds=60), timedelta(seconds=300), timedelta(seconds=600)]
    assert now == END + EXPIRED_AFTER
    assert (step.state, step.close_link, step.settled, step.review) == ("expired", True, False, None)
    # What was under way may still come to its end: it is looked at once more.
    last = after_poll(checkout(state="expired"), link(), step.next_poll_at)
    assert (last.next_poll_at, last.close_link, last.settled) == (None, False, True)
    assert after_poll(checkout(state="expired"), link(0), step.next_poll_at).gone_since == step.next_poll_at


def test_a_used_link_without_a_word_goes_to_a_person_after_a_while():
    first = after_poll(checkout(), link(0), NOW)
    assert (first.state, first.review, first.gone_since) == (None, None, NOW)
    later = after_poll(checkout(gone_since=NOW), link(0), NOW + UNREPORTED_FOR)
    assert (later.review.reason, later.next_poll_at, later.state) == ("payment_not_seen", None, None)
    over = after_poll(checkout(gone_since=END), link(0), END + UNREPORTED_FOR)
    assert (over.review.reason, over.state) == ("payment_not_seen", "expired")


def test_a_used_link_of_which_money_was_told_needs_nobody_for_that():
    assert after_poll(checkout(), link(0), NOW, paid=True).review is None
    assert after_poll(checkout(), link(0), NOW, paid=True).settled


def test_a_link_that_is_gone_or_cannot_be_seen_does_not_hold_the_price_for_longer():
    over = END + EXPIRED_AFTER
    assert after_poll(checkout(), LinkGone(), over).state == "expired"
    unseen = after_poll(checkout(), LinkUnseen("away"), over)
    assert (unseen.state, unseen.settled) == ("expired", False)
    assert unseen.next_poll_at is not None
    never = after_poll(checkout(state="expired"), LinkUnseen("away"), END + timedelta(days=3))
    assert (never.review.reason, never.next_poll_at) == ("payment_not_seen", None)
    assert after_poll(checkout(), LinkUnseen("away"), NOW).state is None


@pytest.mark.parametrize("state", ["paid", "closed", "failed"])
def test_a_link_that_has_done_its_work_is_closed_if_it_can_still_be_paid(state):
    assert after_poll(checkout(state=state), link(1), NOW).close_link
    assert not after_poll(checkout(state=state), link(0), NOW).close_link
    assert not after_poll(checkout(state=state), LinkGone(), NOW).close_link
    assert after_poll(checkout(state=state), LinkUnseen("away"), NOW).next_poll_at is not None


def test_what_a_failed_creation_means():
    assert not_made(TimedOut("no answer")) is None
    assert not_made(ServerFault("500")) is None
    assert not_made(InvalidRequest("language is unknown")).code == "refused"
    for error in (NotReached("no way"), NotAuthorised("wrong key"), NotSupported("bepaid", "links")):
        assert not_made(error).code == "unavailable"


def test_a_lost_creation_is_searched_for_soon_given_up_in_time_and_watched_until_its_end():
    assert next_search(0, NOW) < next_search(3, NOW) < next_search(9, NOW)
    assert not creation_timed_out(checkout(state="creating"), NOW + timedelta(seconds=90))
    assert creation_timed_out(checkout(state="creating"), NOW + timedelta(minutes=2))
    assert after_search(checkout(state="failed"), NOW) is not None
    assert after_search(checkout(state="failed"), END) is None


def test_a_person_places_one_order_and_only_of_what_may_be_one():
    assert why_not_placed(checkout(), "paid_late") is None
    assert why_not_placed(checkout(order_id="ord_1"), "paid_late")
    assert why_not_placed(None, "unknown_checkout")
    assert why_not_placed(checkout(), "refund")
    assert (rests_as("ord_1"), rests_as(None)) == ("paid", "closed")


def test_every_reason_has_its_words_and_stands_in_the_api():
    assert set(WORDS) == set(REASONS) == set(get_args(CaseReason))
