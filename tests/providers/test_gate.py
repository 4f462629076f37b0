from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from providers.gate import (
    BREAKER_FAILURES,
    BREAKER_MAX_SECONDS,
    LONGEST_WAIT,
    MemoryGate,
    Pace,
    Priority,
    RateReport,
    breaker_seconds,
    refuse_long_wait,
    seconds_until,
)
from schemas.errors import (
    CircuitOpen,
    ConnectionLost,
    NotFound,
    NotReached,
    RateLimited,
    ServerFault,
    TimedOut,
    UnreadableAnswer,
)

NOW = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)
UNIX = int(NOW.timestamp())


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


# --- headers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30),
        ("0", 0),
        ("1.5", 1.5),
        (" 30 ", 30),
        (str(UNIX + 40), 40),
        (str((UNIX + 40) * 1000), 40),
        (format_datetime(datetime(2026, 11, 20, 10, 0, 40, tzinfo=UTC), usegmt=True), 40),
        ("Fri, 20 Nov 2026 10:00:40 -0000", 40),
        ("Fri, 20 Nov 2026 09:00:00 GMT", 0),
        (str(UNIX - 5), 0),
        ("-5", 0),
        ("999999", 3600),
        (str(UNIX + 999_999), 3600),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("", None),
        (None, None),
        ("9" * 5000, 3600),
    ],
)
def test_a_wait_is_read_in_every_way_that_suppliers_write_it(text, seconds):
    assert seconds_until(text, NOW) == seconds


@given(st.text(max_size=80))
@example("Mon, 99999999999999999999 Jan 2020 00:00:00 GMT")
@example("Mon, 01 Jan 2020 00:00:00 +99999999999999999")
def test_no_header_breaks_the_reading(text):
    seconds = seconds_until(text, NOW)
    assert seconds is None or 0 <= seconds <= 3600
    RateReport.of({"X-RateLimit-Limit": text, "X-RateLimit-Remaining": text, "Retry-After": text}, NOW)


def test_header_names_are_read_in_any_case():
    headers = {"x-ratelimit-limit": "60", "X-RATELIMIT-REMAINING": "0", "X-RateLimit-Reset": str(UNIX + 12)}
    report = RateReport.of(headers, NOW)
    assert report == RateReport(limit=60, remaining=0, resets_in=12)
    assert report.blocks(200) == 12


@pytest.mark.parametrize("text", ["", "-1", "1e3", "x", "1" * 10, "٣", "1.0"])
def test_a_count_that_is_no_whole_number_was_not_said(text):
    assert RateReport.of({"X-RateLimit-Limit": text, "X-RateLimit-Remaining": text}, NOW) == RateReport()


def test_a_limit_of_zero_was_not_said():
    assert RateReport.of({"X-RateLimit-Limit": "0"}, NOW).limit is None


def test_retry_after_comes_before_the_reset():
    assert RateReport(resets_in=40, retry_after=3).blocks(429) == 3
    assert RateReport(resets_in=40).blocks(429) == 40
    assert RateReport().blocks(429) == 2
    assert RateReport(remaining=1, resets_in=40).blocks(200) is None


# --- the pace -----------------------------------------------------------------------------------------


@given(st.integers(min_value=1, max_value=100_000))
def test_no_minute_ever_has_more_calls_than_the_limit(per_minute):
    pace = Pace.of(per_minute)
    # The most that any window [t, t + 60) can see: the burst, and one call for each interval after it.
    in_a_minute = pace.burst + -int(-(60 - 1e-6) // pace.interval) - 1
    assert in_a_minute <= per_minute


@given(st.integers(min_value=1, max_value=100_000))
def test_who_comes_first_is_let_further_ahead(per_minute):
    pace = Pace.of(per_minute)
    ahead = [pace.tolerance(priority) for priority in Priority]
    assert ahead == sorted(ahead, reverse=True)
    assert ahead[-1] >= 0


# --- the gate of one process --------------------------------------------------------------------------


def taken(gate: MemoryGate, priority: Priority) -> int:
    count = 0
    while count < 1000 and gate._take(priority) == 0:
        count += 1
    return count


def test_background_calls_leave_a_part_of_the_burst_to_purchases():
    gate = MemoryGate("demo", 120, clock=Clock())
    assert taken(gate, Priority.SYNC) == 10
    assert taken(gate, Priority.PURCHASE) == 10


def test_a_minute_of_calls_is_no_more_than_the_limit_and_not_much_less():
    clock = Clock()
    gate = MemoryGate("demo", 60, clock=clock)
    times = []
    while clock.now < 1600:
        wait = gate._take(Priority.PURCHASE)
        clock.now += wait
        times += [] if wait else [clock.now]
    most = max(sum(start <= t < start + 60 for t in times) for start in times)
    assert most <= 60
    assert len(times) >= 45 * 10


async def test_a_supplier_can_lower_the_limit_and_not_raise_it():
    gate = MemoryGate("demo", 60)
    await gate.observed({"X-RateLimit-Limit": "600"}, 200)
    assert gate.per_minute == 60
    await gate.observed({"X-RateLimit-Limit": "6"}, 200)
    assert gate.per_minute == 6


async def test_a_long_block_refuses_and_a_short_one_is_waited_out():
    gate = MemoryGate("demo")
    await gate.observed({"Retry-After": "0.05"}, 429)
    await gate.admit(Priority.PURCHASE)
    await gate.observed({"Retry-After": "500"}, 429)
    with pytest.raises(RateLimited):
        await gate.admit(Priority.SYNC)


@pytest.mark.parametrize("priority", Priority)
def test_each_priority_has_its_longest_wait(priority):
    refuse_long_wait("demo", priority, LONGEST_WAIT[priority])
    with pytest.raises(RateLimited) as caught:
        refuse_long_wait("demo", priority, LONGEST_WAIT[priority] + 1)
    assert caught.value.retry_after == LONGEST_WAIT[priority] + 1


@pytest.mark.parametrize("error", [NotReached("x"), TimedOut("x"), ConnectionLost("x"), ServerFault("x")])
async def test_outages_open_the_breaker_and_time_lets_one_try(error):
    clock = Clock()
    gate = MemoryGate("demo", clock=clock)
    for _ in range(BREAKER_FAILURES):
        await gate.admit(Priority.SYNC)
        await gate.failed(error)
    with pytest.raises(CircuitOpen):
        await gate.admit(Priority.PURCHASE)
    await gate.probe()
    await gate.admit(Priority.SYNC)
    with pytest.raises(CircuitOpen):
        await gate.admit(Priority.SYNC)
    clock.now += 31
    await gate.admit(Priority.SYNC)
    await gate.succeeded()
    await gate.admit(Priority.PURCHASE)


@pytest.mark.parametrize("error", [UnreadableAnswer("x"), RateLimited("x"), NotFound("x")])
async def test_answers_do_not_open_the_breaker(error):
    gate = MemoryGate("demo")
    for _ in range(20):
        await gate.failed(error)
    await gate.admit(Priority.PURCHASE)


def test_the_breaker_stays_open_for_longer_each_time_within_bounds():
    seconds = [breaker_seconds(failures) for failures in range(BREAKER_FAILURES, BREAKER_FAILURES + 200)]
    assert seconds == sorted(seconds)
    assert (seconds[0], seconds[1], seconds[-1]) == (30, 60, BREAKER_MAX_SECONDS)
