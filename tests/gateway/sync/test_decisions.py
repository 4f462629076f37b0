"""Quarantine, suspect prices, freshness, what may be sold, and what a run came to: as the rules say it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog.selectable_rules import why_not
from gateway.kit.freshness import Freshness, FreshnessBounds, changes_at, freshness
from gateway.pricing.quarantine_rules import QuarantineBounds, WalkChange, moved_far, quarantine
from gateway.pricing.suspect_rules import SuspectBounds, against_past
from gateway.sync.run_rules import SupplierRun, SyncRun, exit_code, run_state
from schemas.plan import WhyNot

SHARES = QuarantineBounds(Decimal("0.30"), Decimal("0.30"), Decimal("0.30"), 10)
SUSPECT = SuspectBounds(Decimal("0.60"), Decimal("2.00"), Decimal("0.25"))
FRESH = FreshnessBounds(interval_seconds=900, expire_after_seconds=86400)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "gone", "moved", "held"),
    [
        (100, 30, 0, False),  # 30 % is not more than 30 %
        (100, 31, 0, True),
        (10, 9, 0, False),  # nine are too few to judge by
        (10, 10, 0, True),
        (33, 10, 0, True),
        (34, 10, 0, False),
        (100, 0, 30, False),
        (100, 0, 31, True),
        (9, 0, 9, False),
        (0, 0, 0, False),
    ],
)
def test_quarantine_begins_above_the_share_and_from_ten_such_offers_on(before, gone, moved, held):
    assert (quarantine(WalkChange(before, gone, moved), SHARES) is not None) is held


@pytest.mark.parametrize(
    ("old", "new", "far"),
    [("10", "14.28", False), ("10", "14.29", True), ("10", "7", False), ("10", "6.99", True), (None, "1", False)],
)
def test_a_price_moved_far_when_it_moved_by_more_than_the_share_of_the_higher_price(old, new, far):
    assert moved_far(old and Decimal(old), Decimal(new), Decimal("0.30")) is far
    assert not moved_far(Decimal(new), None, Decimal("0.30"))


@pytest.mark.parametrize(
    ("good", "cost", "suspect"),
    [("10", "4", False), ("10", "3.99", True), ("10", "30", False), ("10", "30.01", True), ("10", "10", False)],
)
def test_a_price_is_suspect_beyond_the_bounds_of_its_own_past(good, cost, suspect):
    assert (against_past(Decimal(cost), Decimal(good), None, SUSPECT) is not None) is suspect


def test_a_cost_that_a_person_let_through_is_not_suspect_and_the_next_one_is_judged_again():
    assert against_past(Decimal(1), Decimal(10), Decimal(1), SUSPECT) is None
    assert against_past(Decimal(2), Decimal(10), Decimal(1), SUSPECT) is not None


def test_an_offer_without_a_past_or_a_price_is_not_judged_by_it():
    assert against_past(Decimal(1), None, None, SUSPECT) is None
    assert against_past(None, Decimal(1), None, SUSPECT) is None


@pytest.mark.parametrize(
    ("age", "state", "is_"),
    [
        (0, "ok", Freshness.FRESH),
        (1800, "ok", Freshness.FRESH),
        (1801, "ok", Freshness.STALE),
        (60, "failed", Freshness.STALE),
        (60, "quarantined", Freshness.STALE),
        (86400, "failed", Freshness.STALE),
        (86401, "ok", Freshness.EXPIRED),
        (86401, "failed", Freshness.EXPIRED),
    ],
)
def test_offers_go_stale_then_expire(age, state, is_):
    assert freshness(NOW - timedelta(seconds=age), state, NOW, FRESH) is is_


def test_a_supplier_that_was_never_synced_has_nothing_to_sell():
    assert freshness(None, None, NOW, FRESH) is Freshness.EXPIRED
    assert changes_at(None, FRESH) == ()


@given(st.integers(min_value=0, max_value=200_000))
def test_the_clock_alone_changes_freshness_only_at_the_times_that_are_named(seconds):
    at = NOW + timedelta(seconds=seconds)
    passed = sum(at > moment for moment in changes_at(NOW, FRESH))
    assert freshness(NOW, "ok", at, FRESH) is (Freshness.FRESH, Freshness.STALE, Freshness.EXPIRED)[passed]


@pytest.mark.parametrize(
    ("facts", "reasons"),
    [
        ({}, ()),
        ({"visible": False}, (WhyNot.INVISIBLE,)),
        ({"stock": 0}, (WhyNot.OUT_OF_STOCK,)),
        ({"stock": 1}, ()),
        ({"marks": ("out_of_stock",)}, (WhyNot.OUT_OF_STOCK,)),
        ({"marks": ("stopped",)}, (WhyNot.STOPPED,)),
        ({"expired": True}, (WhyNot.EXPIRED,)),
        ({"suspect": True}, (WhyNot.SUSPECT_PRICE,)),
        ({"cost_base": None}, (WhyNot.NO_RATE,)),
        ({"cost_base": None, "has_cost": False}, (WhyNot.NO_FIXED_PRICE,)),
        ({"quarantined": True}, (WhyNot.QUARANTINED,)),
        ({"paused": True}, (WhyNot.SUPPLIER_PAUSED,)),
        ({"no_balance": True}, (WhyNot.NO_BALANCE,)),
        ({"max_cost_base": Decimal(5)}, ()),
        ({"max_cost_base": Decimal("4.99")}, (WhyNot.THIN_MARGIN,)),
        ({"max_cost_base": Decimal("5.24"), "tolerance": Decimal("0.05")}, (WhyNot.THIN_MARGIN,)),
        ({"max_cost_base": Decimal("5.25"), "tolerance": Decimal("0.05")}, ()),
        ({"visible": False, "stock": 0, "paused": True}, ("invisible", "out_of_stock", "supplier_paused")),
    ],
)
def test_an_offer_is_kept_from_sale_by_each_reason_that_holds(facts, reasons):
    assert why_not(**{"cost_base": Decimal(5), **facts}) == reasons


@pytest.mark.parametrize(
    ("states", "state", "code"),
    [
        (["ok", "ok"], "ok", 0),
        (["ok", "failed"], "partial", 3),
        (["quarantined", "ok"], "partial", 3),
        (["failed", "quarantined"], "failed", 4),
        ([], "failed", 4),
    ],
)
def test_a_run_is_what_its_suppliers_came_to(states, state, code):
    parts = [SupplierRun(supplier=str(n), state=s) for n, s in enumerate(states)]
    assert run_state(states) == state
    assert exit_code(SyncRun(id="x", started_at=NOW, ended_at=NOW, state=state, suppliers=parts)) == code
