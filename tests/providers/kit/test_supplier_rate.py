from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from providers.kit.supplier_rate import (
    LEASE_SECONDS,
    LONGEST_WAIT,
    Pace,
    Priority,
    RateReport,
    held_token,
    refuse_long_wait,
    seconds_until,
    token_held,
)
from schemas.errors import RateLimited

NOW = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)
UNIX = int(NOW.timestamp())


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
    # A token is used up to a second after it was leased. The most that any window [t, t + 61) can see: the burst,
    # and one token for each interval after it.
    in_a_minute = pace.burst - int(-(60 + LEASE_SECONDS - 1e-6) // pace.interval) - 1
    assert in_a_minute <= per_minute


@given(st.integers(min_value=1, max_value=100_000))
def test_a_lease_is_for_a_second_and_for_32_calls_at_most(per_minute):
    pace = Pace.of(per_minute)
    assert 1 <= pace.lease <= 32
    assert pace.lease == 1 or pace.lease * pace.interval <= 1 + 1e-9


@given(st.integers(min_value=2, max_value=100_000))
def test_in_the_long_run_it_is_five_sixths_of_the_limit(per_minute):
    sustained = 60 / Pace.of(per_minute).interval
    assert sustained >= per_minute * 5 / 6 - 1
    assert sustained <= per_minute * 5 / 6 + 1


@given(st.integers(min_value=1, max_value=100_000))
def test_who_comes_first_is_let_further_ahead(per_minute):
    pace = Pace.of(per_minute)
    ahead = [pace.tolerance(priority) for priority in Priority]
    assert ahead == sorted(ahead, reverse=True)
    assert ahead[-1] >= 0


# --- waiting and tokens -------------------------------------------------------------------------------


@pytest.mark.parametrize("priority", Priority)
def test_each_priority_has_its_longest_wait(priority):
    refuse_long_wait("demo", priority, LONGEST_WAIT[priority])
    with pytest.raises(RateLimited) as caught:
        refuse_long_wait("demo", priority, LONGEST_WAIT[priority] + 1)
    assert caught.value.retry_after == LONGEST_WAIT[priority] + 1


def test_a_token_is_held_for_one_call_and_one_block_only():
    assert held_token() is None
    with token_held() as token:
        assert held_token() is token
        token.used = True
        assert held_token() is None
    with token_held():
        pass
    assert held_token() is None


async def test_a_task_that_the_holder_starts_shares_the_token():
    async def use() -> None:
        token = held_token()
        assert token is not None
        token.used = True

    with token_held() as token:
        await asyncio.create_task(use())
    assert token.used
