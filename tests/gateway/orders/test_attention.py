"""Which orders wait for somebody: told from how they stand, and from nothing else."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from gateway.orders.rules.attention import OVERDUE_AFTER, STUCK_AFTER, UNKNOWN_AFTER, OpenOrder, attention
from gateway.orders.rules.margin import Sums, margin
from gateway.pricing.price_rules import Rates
from schemas.money import Money

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FRESH = OpenOrder(
    id="ord_1",
    status="pending",
    created_at=NOW - timedelta(seconds=20),
    updated_at=NOW - timedelta(seconds=10),
    next_poll_at=NOW + timedelta(seconds=5),
    cancel_requested=False,
    supplier="pikasim",
    attempt_kind="purchase",
    attempt_state="accepted",
    attempt_error=None,
    started_at=NOW - timedelta(seconds=15),
    standing=None,
    reviewed_at=None,
    review_why=None,
    late_at=None,
)


def order(**more):
    return msgspec.structs.replace(FRESH, **more)


def test_an_order_on_its_way_waits_for_nobody():
    assert attention(FRESH, NOW) is None
    assert attention(order(attempt_state="unknown"), NOW) is None
    assert attention(order(status="fulfilled", created_at=NOW - timedelta(days=9)), NOW) is None
    assert attention(order(status="cancelled", standing=Decimal(18)), NOW) is None


def test_what_is_unknown_for_a_minute_waits_since_it_was_sent():
    sent = NOW - UNKNOWN_AFTER - timedelta(seconds=1)
    found = attention(order(attempt_state="unknown", started_at=sent, attempt_error="timed out"), NOW)
    assert (found.kind, found.since, found.resolvable) == ("unknown", sent, False)
    assert "purchase at pikasim: timed out" in found.why


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"attempt_state": "accepted"}, "has not delivered it yet"),
        ({"attempt_state": None, "supplier": None}, "no supplier was asked yet"),
        ({"status": "cancel_pending"}, "whether it takes it back"),
        ({"attempt_state": "sending"}, "is sending"),
    ],
)
def test_what_takes_too_long_is_stuck_and_says_where(more, words):
    found = attention(order(created_at=NOW - STUCK_AFTER - timedelta(seconds=1), **more), NOW)
    assert found.kind == "stuck"
    assert words in found.why


def test_an_order_whose_look_is_overdue_says_that_nobody_works():
    found = attention(order(next_poll_at=NOW - OVERDUE_AFTER - timedelta(seconds=1)), NOW)
    assert (found.kind, "no worker runs" in found.why) == ("stuck", True)


def test_what_waits_for_a_person_is_told_by_what_the_supplier_holds():
    since = NOW - timedelta(hours=3)
    review = {"status": "needs_review", "reviewed_at": since, "review_why": "two codes that differ"}
    for more, kind in (
        ({"attempt_state": "charged_undeliverable"}, "charged"),
        ({"attempt_state": "accepted", "standing": Decimal("4.9")}, "charged"),
        ({"attempt_state": "unknown", "standing": Decimal(0)}, "unknown"),
        ({"attempt_state": "accepted"}, "review"),
    ):
        found = attention(order(**review, **more), NOW)
        assert (found.kind, found.since, found.why, found.resolvable) == (kind, since, "two codes that differ", True)
    bare = attention(order(status="needs_review"), NOW)
    assert (bare.since, bare.why) == (FRESH.updated_at, "the end of the purchase cannot be known")


def test_a_charge_after_the_end_waits_until_it_is_dealt_with():
    found = attention(order(status="failed", late_at=NOW, standing=Decimal(5)), NOW)
    assert (found.kind, found.since, found.resolvable) == ("charged", NOW, False)


def sums(**more):
    given = {
        "status": "fulfilled",
        "price": Decimal("9.90"),
        "price_base": Decimal("9.90"),
        "refund": None,
        "listed": Money(Decimal(8), "EUR"),
        "cost_base": Decimal("8.80"),
        "taken": Money(Decimal(8), "EUR"),
    }
    return Sums(**given | more)


RATES = Rates("USD", {"EUR": Decimal("1.5")})


@pytest.mark.parametrize(
    ("more", "amount", "expected"),
    [
        ({}, "1.1", False),  # by the rate of its own day, not by today's
        ({"taken": Money(Decimal("8.5"), "EUR")}, "0.55", False),
        ({"taken": None, "status": "pending"}, "1.1", True),
        ({"taken": None}, "1.1", True),
        ({"status": "failed", "refund": None}, "-8.8", False),
        ({"status": "cancelled", "refund": Decimal("9.90"), "taken": Money(Decimal("0.18"), "EUR")}, "-0.198", False),
        ({"listed": None, "taken": Money(Decimal(2), "EUR")}, "6.9", False),
    ],
)
def test_a_margin_is_the_price_less_what_suppliers_hold(more, amount, expected):
    found = margin(sums(**more), RATES)
    assert (found.amount, found.expected) == (Decimal(amount), expected)


def test_a_margin_that_nobody_can_know_is_none():
    assert margin(sums(listed=None, taken=Money(Decimal(2), "XAU")), RATES) is None
    assert margin(sums(taken=None, cost_base=None), RATES) is None
    assert margin(sums(status="failed", taken=None), RATES) is None
    assert margin(sums(status="cancelled", taken=None, refund=Decimal("9.90")), RATES) is None
