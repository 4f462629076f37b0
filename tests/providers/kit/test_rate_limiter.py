"""The limiter of one process, and the parts that every limiter is made of."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from itertools import zip_longest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.kit.breaker import (
    BREAKER_FAILURES,
    BREAKER_MAX_SECONDS,
    PROBE_SECONDS,
    Breaker,
    BreakerState,
    Passage,
    breaker_seconds,
)
from providers.kit.fair_queue import FairQueue
from providers.kit.rate_limiter import MemoryRateLimiter
from providers.kit.supplier_rate import Pace, Priority
from providers.kit.token_stock import TokenStock
from schemas.errors import CircuitOpen, NotReached, TimedOut
from tests.kit.driven_clock import DrivenClock
from tests.kit.rate_limiter_contract import LONG, SINCE, Opened, RateLimiterContract


class TestMemoryRateLimiter(RateLimiterContract):
    @pytest.fixture
    async def opened(self, clock):
        limiters = []

        def opened(per_minute):
            limiters.append(MemoryRateLimiter("demo", per_minute, clock=clock, pause=clock.pause))
            return limiters[-1]

        yield opened
        for limiter in limiters:
            await limiter.close()

    async def test_a_minute_has_no_more_calls_than_the_limit_and_not_much_less(self, opened: Opened, clock):
        limiter, times = opened(60), []
        while clock.now < 1600:
            assert await limiter.acquire("a", SINCE, LONG)
            times.append(clock.now)
        assert max(sum(start <= time < start + 60 for time in times) for start in times) <= 60
        assert len(times) >= 45 * 10

    async def test_background_calls_leave_a_part_of_the_burst_to_purchases(self, opened: Opened, clock):
        limiter, began = opened(144), clock.now
        for _ in range(Pace.of(144).burst // 2):
            await limiter.admit(Priority.SYNC)
        assert clock.now == began
        await limiter.admit(Priority.SYNC)
        assert clock.now > began

    async def test_a_supplier_can_lower_the_limit_and_not_raise_it(self, opened: Opened):
        limiter = opened(60)
        await limiter.observed({"X-RateLimit-Limit": "600"}, 200)
        assert limiter.per_minute == 60
        await limiter.observed({"X-RateLimit-Limit": "6"}, 200)
        assert limiter.per_minute == 6

    async def test_a_real_wait_ends(self):
        limiter = MemoryRateLimiter("demo", 60)
        await limiter.observed({"Retry-After": "0.05"}, 429)
        async with asyncio.timeout(60):
            await limiter.admit(Priority.PURCHASE)


# --- the breaker --------------------------------------------------------------------------------------


def opened_breaker(**settings: bool) -> Breaker:
    breaker = Breaker(**settings)
    for _ in range(BREAKER_FAILURES):
        breaker.fail(0.0, TimedOut("x"), write=True)
    assert breaker.state is BreakerState.OPEN
    return breaker


def test_failures_of_reads_keep_it_open_for_longer_each_time_within_bounds():
    breaker, now, waits = Breaker(), 0.0, []
    for _ in range(BREAKER_FAILURES + 10):
        breaker.fail(now, TimedOut("x"), write=False)
        waits.append(breaker.retry_in(now))
        now += waits[-1]
    assert waits[: BREAKER_FAILURES - 1] == [0.0] * (BREAKER_FAILURES - 1)
    assert waits[BREAKER_FAILURES - 1 :][:3] == [30.0, 60.0, 120.0]
    assert waits[-1] == BREAKER_MAX_SECONDS


@given(st.lists(st.booleans(), max_size=60))
def test_only_reads_and_connections_that_fail_count_towards_more_than_30_s(reads):
    breaker = Breaker()
    for read in reads:
        breaker.fail(0.0, TimedOut("x"), write=not read)
        assert breaker.retry_in(0.0) <= breaker_seconds(breaker.read_failures)
    assert breaker.read_failures <= sum(reads)
    assert breaker.retry_in(0.0) <= 30


def test_a_purchase_that_did_not_connect_counts_like_a_read():
    breaker = Breaker()
    breaker.fail(0.0, NotReached("x"), write=True)
    breaker.fail(0.0, TimedOut("x"), write=True)
    assert (breaker.failures, breaker.read_failures) == (2, 1)


def test_failures_of_calls_that_were_on_their_way_change_nothing():
    breaker = opened_breaker()
    assert not breaker.fail(10.0, TimedOut("x"), write=False)
    assert not breaker.fail(31.0, TimedOut("x"), write=True)
    assert breaker.retry_in(0.0) == 30.0
    assert breaker.fail(31.0, TimedOut("x"), write=False)
    assert breaker.retry_in(31.0) == 30.0


def test_a_probe_that_was_lost_is_sent_again():
    breaker = opened_breaker()
    assert breaker.passage(31.0, Priority.SYNC, write=False) is Passage.PROBE
    breaker.start_probe(31.0)
    assert breaker.passage(32.0, Priority.SYNC, write=False) is Passage.REFUSED
    assert breaker.passage(32.0, Priority.SETTLE, write=False) is Passage.GO
    assert not breaker.probe_due(32.0)
    assert breaker.probe_due(37.0)
    assert breaker.passage(31.0 + PROBE_SECONDS, Priority.USAGE, write=False) is Passage.PROBE


def test_where_nobody_reads_a_write_may_be_the_probe():
    breaker = opened_breaker(writes_may_probe=True)
    assert breaker.passage(29.0, Priority.PURCHASE, write=True) is Passage.REFUSED
    assert breaker.purchase_blocked_for(29.0) > 0
    assert breaker.purchase_blocked_for(30.0) == 0.0
    assert breaker.passage(30.0, Priority.PURCHASE, write=True) is Passage.PROBE
    breaker.start_probe(30.0)
    assert breaker.fail(31.0, TimedOut("x"), write=True)
    assert breaker.passage(32.0, Priority.PURCHASE, write=True) is Passage.REFUSED


async def test_an_account_where_nobody_reads_is_tried_by_a_write():
    clock = DrivenClock()
    limiter = MemoryRateLimiter("pay", writes_may_probe=True, clock=clock, pause=clock.pause)
    for _ in range(BREAKER_FAILURES):
        await limiter.failed(TimedOut("x"), write=True)
    with pytest.raises(CircuitOpen):
        await limiter.admit(Priority.PURCHASE, write=True)
    clock.now += 31
    await limiter.admit(Priority.PURCHASE, write=True)
    with pytest.raises(CircuitOpen):
        await limiter.admit(Priority.PURCHASE, write=True)


# --- the queue and the stock --------------------------------------------------------------------------


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 50)), max_size=60))
async def test_storefronts_take_turns_whatever_they_queue(calls):
    queue = FairQueue()
    waiting: dict[str, list[int]] = {}
    for storefront, second in calls:
        queue.push(Priority.PURCHASE, storefront, datetime.fromtimestamp(second, UTC), has_timeout=True)
        waiting.setdefault(storefront, []).append(second)
    served = []
    while (waiter := queue.pop(Priority.PURCHASE)) is not None:
        served.append((waiter.storefront_id, waiter.age[0].timestamp()))
    rounds = zip_longest(*([(name, second) for second in sorted(seconds)] for name, seconds in waiting.items()))
    assert served == [turn for turns in rounds for turn in turns if turn is not None]
    assert queue.first_priority() is None


async def test_whoever_leaves_the_queue_is_not_served():
    queue = FairQueue()
    gone = queue.push(Priority.PURCHASE, "a", SINCE, has_timeout=True)
    stays = queue.push(Priority.PURCHASE, "a", SINCE, has_timeout=True)
    read = queue.push(Priority.SYNC, "", SINCE, has_timeout=False)
    for _ in range(2):
        queue.discard(gone)
    queue.discard(read)
    assert (queue.count(Priority.PURCHASE), queue.count(Priority.SYNC)) == (1, 0)
    assert queue.pop(Priority.PURCHASE) is stays
    assert queue.pop(Priority.PURCHASE) is None


def test_tokens_are_used_only_by_calls_as_urgent_as_they_were_leased_for():
    stock = TokenStock()
    stock.add(Priority.SETTLE, 2, 0.0, 1.0)
    assert stock.take(Priority.SYNC, 0.5) is None
    assert stock.take(Priority.SETTLE, 0.5) == 1.0
    assert stock.take(Priority.PURCHASE, 0.5) == 1.0
    assert stock.take(Priority.PURCHASE, 0.5) is None


def test_the_token_that_expires_first_is_used_first_and_none_after_its_time():
    stock = TokenStock()
    stock.add(Priority.PURCHASE, 1, 0.5, 1.5)
    stock.put_back(Priority.PURCHASE, 1.0)
    assert stock.take(Priority.PURCHASE, 0.9) == 1.0
    assert stock.has(Priority.PURCHASE, 1.4)
    assert not stock.has(Priority.PURCHASE, 1.5)
    assert stock.take(Priority.PURCHASE, 1.5) is None


def test_a_lease_follows_the_rate_at_which_tokens_are_used():
    stock = TokenStock()
    assert stock.expected_demand(Priority.PURCHASE, 0.0) == 1
    stock.add(Priority.PURCHASE, 4, 0.0, 1.0)
    for _ in range(4):
        stock.take(Priority.PURCHASE, 0.1)
    assert stock.expected_demand(Priority.PURCHASE, 0.1) == 16
    assert stock.expected_demand(Priority.PURCHASE, 0.8) == 5
    assert stock.expected_demand(Priority.PURCHASE, 60.0) == 1
