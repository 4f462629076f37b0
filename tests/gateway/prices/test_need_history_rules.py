"""What the cheapest offer of each supplier cost over time, and which offers that left met a need."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gateway.catalog.index.matrix import Bucket
from gateway.prices.need_history_rules import NeedOffer, OfferLine, cheapest, meets, supplier_lines
from schemas.plan import DataAllowance, Scope

DAY_0 = datetime(2026, 11, 1, tzinfo=UTC)


def offer(name, costs, supplier="alpha"):
    """An offer by its costs from days on; None: not offered."""
    steps = [(DAY_0 + timedelta(days=day), None if cost is None else Decimal(cost)) for day, cost in costs.items()]
    return OfferLine(NeedOffer(f"off_{name}", supplier, name, name, "jp-5gb-30d"), steps)


def line(offers):
    return [
        ((step.at - DAY_0).days, step.cost and str(step.cost), step.offer and step.offer.name)
        for step in cheapest(offers)
    ]


def test_the_lowest_of_all_offers_counts_at_every_moment():
    offers = [offer("a", {0: "5.00", 4: "9.00"}), offer("b", {2: "4.00", 6: "10.00"})]
    assert line(offers) == [(0, "5.00", "a"), (2, "4.00", "b"), (6, "9.00", "a")]


def test_a_change_that_leaves_the_lowest_as_it_is_makes_no_step():
    assert line([offer("a", {0: "5.00"}), offer("b", {0: "9.00", 1: "8.00", 2: "7.00"})]) == [(0, "5.00", "a")]


def test_a_supplier_without_any_offer_has_a_hole_and_the_line_begins_with_its_first_price():
    assert line([offer("a", {3: None, 4: "5.00", 5: None, 7: "6.00"})]) == [
        (4, "5.00", "a"),
        (5, None, None),
        (7, "6.00", "a"),
    ]


def test_amounts_are_compared_as_numbers():
    assert line([offer("a", {0: "10.00"}), offer("b", {0: "9.50"})]) == [(0, "9.50", "b")]


def test_lines_stand_by_what_is_cheapest_now_and_those_without_a_price_last():
    offers = [
        offer("a", {0: "5.00"}, "alpha"),
        offer("b", {0: "9.00", 3: "4.00"}, "beta"),
        offer("c", {0: "1.00", 2: None}, "gamma"),
        offer("d", {0: None}, "delta"),
    ]
    assert [each.supplier for each in supplier_lines(offers)] == ["beta", "alpha", "gamma"]


FIVE_GB = DataAllowance(5000, "5 GB")
UNLIMITED = DataAllowance(None, "unlimited", unlimited=True)


@pytest.mark.parametrize(
    ("bucket", "data", "days", "expected"),
    [
        (Bucket(data_mb=5120, days=30), FIVE_GB, 30, True),
        (Bucket(data_mb=5120, days=30), FIVE_GB, 29, False),
        (Bucket(data_mb=6144, days=30), FIVE_GB, 30, False),
        (Bucket(data_mb=1024, days=7), FIVE_GB, 30, True),
        (Bucket(data_mb=1024, days=7, exact=True), FIVE_GB, 30, False),
        (Bucket(data_mb=5120, days=30, exact=True), FIVE_GB, 30, True),
        (Bucket(data_mb=30_720, days=30), UNLIMITED, 30, True),  # 1000 MB a day are assumed
        (Bucket(data_mb=35_840, days=30), UNLIMITED, 30, False),
        (Bucket(days=30, unlimited=True), UNLIMITED, 30, True),
        (Bucket(days=30, unlimited=True), FIVE_GB, 30, False),
        (Bucket(scope=Scope.REGION), FIVE_GB, 30, False),
        (Bucket(), FIVE_GB, 1, True),
    ],
)
def test_an_offer_that_left_meets_a_need_as_one_that_is_there(bucket, data, days, expected):
    assert meets(bucket, data, days, ["JP"], 1000) is expected
