"""Which rate is in force, which one waits for an operator, and what is old: decided with plain values."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest

from gateway.pricing.rate_rules import (
    Rate,
    RateBounds,
    RateReport,
    SourceState,
    convert,
    fetch_is_due,
    must_wait,
    only_shipped,
    per_base,
    rate_warnings,
    rates_in_force,
    state_of,
)

LIVE = RateBounds(base="USD")
TEST = RateBounds(base="USD", test_only=True)
FRIDAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def euro(days_ago, rate="1.08", kind="fetched"):
    return Rate("EUR", Decimal(rate), FRIDAY - timedelta(days=days_ago), "a test", kind)


@pytest.mark.parametrize(
    ("known", "shipped", "bounds", "rate"),
    [
        ([euro(0, "1.10")], [], LIVE, "1.10"),
        ([euro(9, "1.05"), euro(0, "1.10"), euro(-1, "2")], [], LIVE, "1.10"),  # not what tomorrow brings
        ([euro(14, "1.10")], [], LIVE, "1.10"),
        ([euro(15, "1.10")], [], LIVE, None),
        ([euro(15, "1.10")], [], TEST, None),
        ([euro(15, "1.10")], [], RateBounds(base="USD", no_rate_days=20), "1.10"),
        ([euro(10, "1.10")], [euro(2, "1.2", "shipped")], LIVE, "1.10"),  # the shipped file comes last
        ([euro(15, "1.10")], [euro(14, "1.2", "shipped")], LIVE, "1.2"),
        ([], [euro(14, "1.2", "shipped")], LIVE, "1.2"),
        ([], [euro(15, "1.2", "shipped")], LIVE, None),
        ([], [euro(400, "1.2", "shipped")], TEST, "1.2"),
    ],
)
def test_the_newest_rate_that_is_neither_expired_nor_waits_is_in_force(known, shipped, bounds, rate):
    found = rates_in_force(known, shipped, FRIDAY, bounds)
    assert (str(found["EUR"].rate) if "EUR" in found else None) == rate
    assert found["USD"].rate == 1


def test_a_stablecoin_is_a_dollar_until_it_has_a_rate_of_its_own():
    assert rates_in_force([], [], FRIDAY, LIVE)["USDT"].rate == 1
    own = Rate("USDT", Decimal("0.9"), FRIDAY, "a test")
    assert rates_in_force([own], [], FRIDAY, LIVE)["USDT"].rate == Decimal("0.9")
    dollar = Rate("USD", Decimal("0.92"), FRIDAY, "a test")
    in_euro = rates_in_force([dollar], [], FRIDAY, RateBounds(base="EUR"))
    assert (in_euro["USDC"].rate, in_euro["USDC"].kind) == (Decimal("0.92"), "fixed")
    assert "USDT" not in rates_in_force([], [], FRIDAY, RateBounds(base="EUR"))


@pytest.mark.parametrize(
    ("before", "rate", "waits"),
    [
        (None, "7", False),  # a new currency
        (euro(1, "1.00"), "1.10", False),
        (euro(1, "1.00"), "1.1001", True),
        (euro(1, "1.00"), "0.90", False),
        (euro(1, "1.00"), "0.8999", True),
        (euro(0, "1.00"), "1.11", True),  # the same day again
        (euro(3, "1.00"), "1.11", True),  # a weekend excuses nothing
        (euro(60, "1.00"), "1.11", True),
        (euro(60, "1.00", "set"), "1.11", True),
        (euro(0, "1.00", "set"), "2", False),  # an operator spoke of this day
        (euro(-1, "1.00"), "2", False),  # it would not be in force
        (euro(20, "1.00", "shipped"), "1.90", False),
        (euro(20, "1.00", "shipped"), "0.50", False),
        (euro(20, "1.00", "shipped"), "1.95", True),
        (euro(20, "1.00", "shipped"), "0.01", True),
    ],
)
def test_a_fetched_rate_that_moved_too_far_in_a_day_waits(before, rate, waits):
    assert must_wait(before, euro(0, rate), LIVE) is waits


def test_the_bound_is_a_setting():
    assert not must_wait(euro(1, "1.00"), euro(0, "1.20"), RateBounds(base="USD", max_move_percent=Decimal(20)))


def report(*rates, sources=(), shipped=(), on=FRIDAY, bounds=LIVE):
    in_force = rates_in_force(rates, shipped, on, bounds)
    return RateReport(in_force, {rate.currency: rate for rate in rates}, {}, sources)


def fetched(days_ago, *, error=None, since=100):
    at = None if days_ago is None else NOON - timedelta(days=days_ago)
    return SourceState("ecb here", NOON - timedelta(days=since), NOON, at, FRIDAY, error)


@pytest.mark.parametrize(
    ("found", "bounds", "warnings"),
    [
        (report(euro(0), sources=[fetched(0)]), LIVE, []),
        (report(euro(6), sources=[fetched(3)]), LIVE, []),
        (report(euro(7)), LIVE, ["old rates: EUR of 2026-11-13"]),
        (report(euro(7)), RateBounds(base="USD", warn_days=8), []),
        (report(euro(0), sources=[fetched(4, error="HTTP 503")]), LIVE,
         ["the rates of ecb here were last fetched on 2026-11-16: HTTP 503"]),
        (report(euro(0), sources=[fetched(None, since=2, error="timeout")]), LIVE, []),
        (report(euro(0), sources=[fetched(None, since=4, error="timeout")]), LIVE,
         ["the rates of ecb here were never fetched: timeout"]),
        (report(euro(0), Rate("IDR", Decimal(1), FRIDAY - timedelta(days=20), "x")), LIVE,
         ["no rate, the last is older than 14 days: IDR of 2026-10-31"]),
        (report(euro(0), Rate("IDR", Decimal(1), FRIDAY - timedelta(days=91), "x")), LIVE, []),
        (report(shipped=[euro(2, kind="shipped")]), LIVE,
         ["nobody fetched or set exchange rates: those shipped with this release, of 2026-11-18, are in use"]),
        (report(shipped=[euro(20, kind="shipped")]), LIVE, ["nobody fetched or set exchange rates: there are none"]),
        (report(euro(0), shipped=[Rate("GBP", Decimal(1), date(2026, 1, 1), "x", "shipped")], bounds=TEST), TEST, []),
    ],
)  # fmt: skip
def test_what_is_old_is_told(found, bounds, warnings):
    assert rate_warnings(found, NOON, bounds) == warnings


def test_weekends_and_holidays_raise_no_alarm():
    """The bank publishes at three on working days; rates are fetched at noon. Over Easter there are none."""
    published = [date(2026, 4, day) for day in (1, 2, 7, 8)]
    for hours in range(24 * 7):
        now = datetime(2026, 4, 3, tzinfo=UTC) + timedelta(hours=hours)
        noon = now.replace(hour=12) - timedelta(days=now.hour < 12)
        day = max(day for day in published if datetime(day.year, day.month, day.day, 15, tzinfo=UTC) <= noon)
        source = SourceState("ecb here", noon, noon, noon, day)
        rate = Rate("EUR", Decimal(1), day, "ecb here", "fetched")
        found = RateReport(rates_in_force([rate], [], now.date(), LIVE), {"EUR": rate}, {}, [source])
        assert rate_warnings(found, now, LIVE) == [], now


def test_a_state_is_that_of_the_newest_rate():
    for days, state in ((0, "in_force"), (6, "in_force"), (7, "old"), (14, "old"), (15, "expired")):
        in_force = rates_in_force([euro(days)], [], FRIDAY, LIVE)
        assert state_of(euro(days), FRIDAY, LIVE, in_force) == state
    assert only_shipped(report(shipped=[euro(2, kind="shipped")]))
    assert not only_shipped(report(euro(0)))


@pytest.mark.parametrize(
    ("hours", "error", "due"),
    [(23, None, False), (24, None, True), (0.5, "timeout", False), (1, "timeout", True)],
)
def test_a_source_is_fetched_each_day_and_an_hour_after_a_failure(hours, error, due):
    state = msgspec.structs.replace(fetched(0, error=error), tried_at=NOON - timedelta(hours=hours))
    assert fetch_is_due(state, NOON) is due
    assert fetch_is_due(None, NOON)


def test_rates_are_told_in_the_base_currency_whatever_the_list_is_in():
    figures = {"USD": Fraction("1.08"), "IDR": Fraction("17550")}
    told = convert("EUR", figures, "USD", {})
    assert (told["EUR"], told["IDR"]) == (Decimal("1.08"), Decimal("0.0000615384615385"))
    assert "USD" not in told
    assert convert("EUR", figures, "EUR", {})["USD"] == Decimal("0.925925925926")
    assert convert("EUR", figures, "AED", {"EUR": Decimal(4)})["EUR"] == 4
    with pytest.raises(ValueError, match="no rate of the base currency AED"):
        convert("EUR", figures, "AED", {})
    assert per_base(told["IDR"]) == 16250
