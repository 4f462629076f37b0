"""Who waits after failed log-ins, decided from plain values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.access.login_limit_rules import BACKOFF, NameFailure, counts_against_name, name_wait

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def failures(*minutes_ago: float, address: str = "192.0.2.1") -> list[NameFailure]:
    return [NameFailure(address, NOW - timedelta(minutes=minutes)) for minutes in minutes_ago]


def test_ten_failures_within_an_hour_lock_a_name_for_a_quarter_of_an_hour_at_most():
    assert name_wait(failures(*range(9)), NOW) == 0
    assert name_wait(failures(*range(10)), NOW) == 900
    assert name_wait(failures(*range(5, 15)), NOW) == 600
    assert name_wait(failures(*range(15, 25)), NOW) == 0


def test_failures_of_more_than_an_hour_ago_lock_nothing():
    assert name_wait(failures(*range(9), 60), NOW) == 0
    assert name_wait(failures(*range(9), 59.9), NOW) == 900


def test_a_row_of_a_clock_that_is_ahead_makes_nobody_wait_longer():
    assert name_wait(failures(-3, *range(9)), NOW) == 900


def test_one_address_counts_three_times_an_hour():
    assert counts_against_name(failures(1, 2), "192.0.2.1", NOW)
    assert not counts_against_name(failures(1, 2, 3), "192.0.2.1", NOW)
    assert counts_against_name(failures(1, 2, 3), "192.0.2.2", NOW)
    assert counts_against_name(failures(1, 2, 61), "192.0.2.1", NOW)


@pytest.mark.parametrize(("counter", "free"), [("address", 20), ("device", 5), ("session", 5)])
def test_free_failures_cost_nothing_and_each_further_one_doubles_the_wait_up_to_a_quarter_of_an_hour(counter, free):
    waits = [BACKOFF[counter].wait(count) for count in range(free, free + 12)]
    assert BACKOFF[counter].wait(free - 1) == 0
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
