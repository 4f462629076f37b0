"""What an offer cost over time, from what was recorded of it."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.prices.history_rules import CurrentOffer, PriceStep, Recorded, Span, gaps, stairs
from schemas.money import Money

DAY_0 = datetime(2026, 11, 1, tzinfo=UTC)


def day(number):
    return DAY_0 + timedelta(days=number)


def usd(amount):
    return Money.of(str(amount), "USD")


def moved(at, old, new):
    return Recorded(day(at), None, usd(old), usd(new))


LONG_AGO = day(-100)


def test_where_nothing_changed_the_present_cost_held_all_the_time():
    assert stairs(CurrentOffer(usd(5), LONG_AGO), [], day(0)) == [PriceStep(day(0), usd(5))]


def test_before_the_first_change_stands_what_it_came_from():
    recorded = [moved(2, 6, 7), moved(4, 7, 5)]
    assert stairs(CurrentOffer(usd(5), LONG_AGO), recorded, day(0)) == [
        PriceStep(day(0), usd(6)),
        PriceStep(day(2), usd(7)),
        PriceStep(day(4), usd(5)),
    ]


def test_an_offer_that_was_gone_for_a_while_has_a_hole_there():
    recorded = [Recorded(day(2), "gone"), Recorded(day(5), "back"), moved(5, 6, 7)]
    assert stairs(CurrentOffer(usd(7), LONG_AGO), recorded, day(0)) == [
        PriceStep(day(0), usd(6)),
        PriceStep(day(2), None, there=False),
        PriceStep(day(5), usd(7)),
    ]


def test_an_offer_whose_cost_changes_is_listed_whatever_was_noted_before():
    recorded = [Recorded(day(2), "gone"), moved(4, 5, 6)]
    assert stairs(CurrentOffer(usd(6), LONG_AGO), recorded, day(0))[-1] == PriceStep(day(4), usd(6))


def test_an_offer_begins_when_it_was_first_seen_though_no_event_says_so():
    assert stairs(CurrentOffer(usd(5), day(3)), [], day(0)) == [PriceStep(day(3), usd(5))]
    assert stairs(CurrentOffer(usd(6), day(3)), [moved(4, 5, 6)], day(0)) == [
        PriceStep(day(3), usd(5)),
        PriceStep(day(4), usd(6)),
    ]


def test_an_offer_ends_when_it_left_though_no_event_says_so():
    assert stairs(CurrentOffer(usd(5), LONG_AGO, day(3)), [], day(0)) == [
        PriceStep(day(0), usd(5)),
        PriceStep(day(3), None, there=False),
    ]


def test_an_offer_that_was_gone_all_the_time_has_no_history_in_it():
    assert stairs(CurrentOffer(usd(5), LONG_AGO, day(-3)), [], day(0)) == []


def test_a_cost_that_is_not_told_is_a_step_without_one():
    recorded = [Recorded(day(2), None, usd(5), None), Recorded(day(3), None, None, usd(6))]
    assert stairs(CurrentOffer(usd(6), LONG_AGO), recorded, day(0)) == [
        PriceStep(day(0), usd(5)),
        PriceStep(day(2), None),
        PriceStep(day(3), usd(6)),
    ]


def test_stock_makes_no_step():
    recorded = [Recorded(day(2), "out_of_stock"), Recorded(day(3), "in_stock")]
    assert len(stairs(CurrentOffer(usd(5), LONG_AGO), recorded, day(0))) == 1


@given(st.lists(st.integers(1, 9), min_size=1, max_size=20))
def test_the_last_step_is_what_stands_and_no_two_steps_say_the_same(costs):
    recorded = [moved(at + 1, old, new) for at, (old, new) in enumerate(pairwise(costs))]
    steps = stairs(CurrentOffer(usd(costs[-1]), LONG_AGO), recorded, day(0))
    assert steps[0].cost == usd(costs[0])
    assert steps[-1].cost == usd(costs[-1])
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    assert all(one.cost != two.cost for one, two in pairwise(steps))


def test_only_gaps_longer_than_allowed_are_shown_and_cut_to_the_range():
    spans = [Span(day(-5), day(1)), Span(day(1), day(1.5)), Span(day(2), day(4)), Span(day(6), day(12))]
    assert gaps(spans, day(0), day(10), timedelta(days=1)) == [
        Span(day(0), day(1)),
        Span(day(2), day(4)),
        Span(day(6), day(10)),
    ]
