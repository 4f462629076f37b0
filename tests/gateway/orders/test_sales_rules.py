"""Today beside a week ago: spans, sums, shares and who comes first."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from gateway.orders.rules.sales import (
    AttemptCounts,
    DaySales,
    Sales,
    SalesRow,
    best,
    change,
    share,
    spans,
    summed,
    total_of,
    whole_days,
)


def row(by="supplier", name="a", status="fulfilled", **more):
    values = {"delivered": status == "fulfilled", "orders": 1, "revenue": Decimal(10), "margin": Decimal(4)}
    return SalesRow(by=by, name=name, status=status, **(values | {"unknown_costs": 0} | more))


def test_the_spans_are_today_so_far_and_the_same_part_of_the_same_weekday_before():
    found = spans(datetime(2026, 11, 22, 14, 32, tzinfo=UTC))
    assert found.today == (datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 22, 14, 32, tzinfo=UTC))
    assert found.before == (datetime(2026, 11, 15, tzinfo=UTC), datetime(2026, 11, 15, 14, 32, tzinfo=UTC))
    assert found.past == (datetime(2026, 11, 9, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC))
    assert found.today.since.weekday() == found.before.since.weekday()


@pytest.mark.parametrize(
    ("status", "delivered", "succeeded", "failed"),
    [
        ("fulfilled", True, 1, 0),
        ("cancel_pending", True, 1, 0),
        ("cancelled", True, 1, 0),  # delivered, and taken back
        ("cancelled", False, 0, 1),  # the supplier refunded what it never delivered
        ("failed", False, 0, 1),
        ("pending", False, 0, 0),
        ("needs_review", False, 0, 0),
        ("needs_review", True, 0, 0),
    ],
)
def test_how_an_order_stands_says_whether_it_counts_as_a_success(status, delivered, succeeded, failed):
    found = summed([row(status=status, delivered=delivered)])
    assert (found.orders, found.succeeded, found.failed) == (1, succeeded, failed)


def test_rows_add_up_and_a_rate_is_of_what_ended():
    rows = [row(orders=8, revenue=Decimal(80), margin=Decimal(20)), row(status="failed", orders=2, revenue=Decimal(0))]
    found = summed([*rows, row(status="pending", orders=5, revenue=Decimal(0), margin=Decimal(0))])
    assert (found.orders, found.success_rate, found.revenue) == (15, Decimal("0.8"), Decimal(80))
    assert found.margin_share == Decimal("0.3")


def test_rates_and_shares_of_nothing_are_not_known():
    assert Sales().success_rate is None
    assert Sales().margin_share is None
    assert summed([row(status="pending", revenue=Decimal(0))]).success_rate is None
    assert summed([row(unknown_costs=1)]).margin_share is None
    assert AttemptCounts().success_rate is None
    assert AttemptCounts(3, 1).success_rate == Decimal("0.75")
    assert share(1, 0) is None


@pytest.mark.parametrize(
    ("now", "before", "by"),
    [(12, 10, "0.2"), (8, 10, "-0.2"), (10, 10, "0"), (0, 10, "-1"), (5, 0, None), (-5, -10, "0.5"), (5, -10, "1.5")],
)
def test_a_change_is_a_share_of_what_was_before(now, before, by):
    assert change(now, before) == (None if by is None else Decimal(by))


def test_all_orders_together_are_counted_once():
    rows = [row(name="a", orders=2), row(name=None, orders=1), row(by="country", name="JP", orders=3)]
    assert total_of(rows).orders == 3


def test_the_best_are_those_that_sold_most_on_either_day():
    today = [row(name="a", revenue=Decimal(5)), row(name="b", revenue=Decimal(50)), row(name="c", revenue=Decimal(1))]
    before = [row(name="gone", revenue=Decimal(40), orders=4), row(by="country", name="JP", revenue=Decimal(999))]
    found = best(today, before, "supplier", 3)
    assert [line.name for line in found] == ["b", "gone", "a"]
    assert (found[1].today, found[1].before.orders) == (Sales(), 4)
    assert [line.name for line in best(today, before, "country", 3)] == ["JP"]


def test_a_day_without_orders_stands_there_too():
    sold = DaySales(date(2026, 11, 21), 3, Decimal(30))
    days = whole_days({sold.day: sold}, date(2026, 11, 22), 3)
    assert days == [DaySales(date(2026, 11, 20), 0, Decimal(0)), sold, DaySales(date(2026, 11, 22), 0, Decimal(0))]
