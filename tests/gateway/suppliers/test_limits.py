"""A supplier's rate and breaker, as all processes share them in one database."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.suppliers import limit_rows
from gateway.suppliers.limit_rows import SharedRateLimiter
from providers.kit.supplier_rate import RESERVED_SHARE, Pace, Priority, token_held
from schemas.errors import RateLimiterUnavailable
from tests.kit.counting_pool import CountingPool
from tests.kit.driven_clock import DrivenClock
from tests.kit.rate_limiter_contract import LONG, SINCE, Opened, RateLimiterContract, wait_until

# So slow that no further call is let in while a test runs, whatever the machine does.
PER_MINUTE = 12
BURST = Pace.of(PER_MINUTE).burst


async def rows(pool):
    limits = await pool.fetchrow("SELECT * FROM supplier_limits")
    breaker = await pool.fetchrow("SELECT * FROM supplier_breakers")
    return limits, breaker


async def leased(limiter: SharedRateLimiter, priority: Priority = Priority.PURCHASE, most: int = 200) -> int:
    """How many tokens can be leased one by one before a call would have to wait."""
    count = 0
    while count < most and (await limiter._lease(priority, 1)).granted:
        count += 1
    return count


class LatePool:
    """Stands for ``pool``; its first statement is sent when ``go`` is set, and ``late`` says that it waits."""

    def __init__(self, pool) -> None:
        self._pool = pool
        self.late, self.go = asyncio.Event(), asyncio.Event()

    async def execute(self, *values: object) -> None:
        if not self.late.is_set():
            self.late.set()
            await self.go.wait()
        await self._pool.execute(*values)


class TestSharedRateLimiter(RateLimiterContract):
    @pytest.fixture
    def clock(self, clock):
        return clock

    @pytest.fixture
    def advance(self, advance):
        return advance


# --- the rate -----------------------------------------------------------------------------------------


async def test_the_first_call_makes_the_rows_by_itself(opened: Opened, pool):
    await opened(60).admit(Priority.PURCHASE)
    limits, breaker = await rows(pool)
    assert (limits["supplier"], breaker["supplier"], breaker["state"]) == ("demo", "demo", "closed")


async def test_a_burst_is_let_in_and_then_no_more(opened: Opened):
    assert await leased(opened(PER_MINUTE)) == BURST


async def test_a_place_comes_back_with_time(opened: Opened, clock):
    limiter = opened(PER_MINUTE)
    await leased(limiter)
    lease = await limiter._lease(Priority.PURCHASE, 1)
    assert lease.wait == pytest.approx(Pace.of(PER_MINUTE).interval, abs=1e-3)
    clock.now += lease.wait
    assert await leased(limiter) == 1


async def test_two_suppliers_do_not_share_a_rate(opened):
    first, other = opened(PER_MINUTE), opened(PER_MINUTE, name="other")
    await leased(first)
    assert await leased(other) == BURST


@pytest.mark.parametrize("per_minute", [1, 2, 3, 5, 7, 12, 59, 60, 61, 100, 119, 144, 600, 6000])
async def test_the_function_keeps_the_pace_that_the_code_keeps(opened, per_minute):
    pace = Pace.of(per_minute)
    for priority in Priority:
        limiter = opened(per_minute, name=f"{per_minute} {priority}")
        lease = await limiter._lease(priority, 1000)
        reserved = int(pace.burst * RESERVED_SHARE[priority])
        assert lease.granted == min(pace.lease, pace.burst - reserved)
        total = lease.granted
        while granted := (await limiter._lease(priority, 1000)).granted:
            total += granted
        assert total == pace.burst - reserved
        assert (await limiter._lease(priority, 1)).wait == pytest.approx(pace.interval, rel=1e-3, abs=1e-4)


class RecordingRateLimiter(SharedRateLimiter):
    """Notes when it hands out a token: whoever gets it runs a little later, when the clock may have moved on."""

    times: list[float]

    def _take(self, priority: Priority) -> float | None:
        expiry = super()._take(priority)
        if expiry is not None:
            self.times.append(self._clock())
        return expiry

    def _restore(self, priority: Priority, expiry: float | None) -> None:
        super()._restore(priority, expiry)
        self.times.pop()


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    per_minute=st.sampled_from([1, 2, 7, 60, 150, 300]),
    processes=st.integers(1, 4),
    seed=st.integers(0, 10**9),
)
async def test_no_minute_sees_more_than_the_limit_over_all_processes(pool, per_minute, processes, seed):
    clock, chance = DrivenClock(), random.Random(seed)
    limiters = [
        RecordingRateLimiter(
            pool, f"demo {seed}", per_minute, clock=clock, pause=clock.pause, database_clock=clock.database
        )
        for _ in range(processes)
    ]
    times: list[float] = []
    for limiter in limiters:
        limiter.times = times

    await pool.execute("DELETE FROM supplier_limits")
    for _ in range(2):
        for _ in range(30):  # short bursts, after which leased tokens are left over
            clock.now += chance.choice([0.0, 0.1, 0.9, 1.1])
            limiter = chance.choice(limiters)
            calls = chance.choice([1, 3, 7])
            assert all(await asyncio.gather(*(limiter.acquire("a", SINCE, LONG) for _ in range(calls))))
            if chance.random() < 0.2 and limiter.try_acquire("a"):
                limiter.release()
        clock.now += chance.choice([0.0, 1.1, 20.0, 60.0])
        # A minute in which everybody wants more than there is.
        calls = per_minute + 20
        await asyncio.gather(*(chance.choice(limiters).acquire("a", SINCE, LONG) for _ in range(calls)))
    for limiter in limiters:
        await limiter.close()
    assert times == sorted(times)
    most = max(sum(start <= moment < start + 60 for moment in times) for start in times)
    assert most <= per_minute


async def test_tokens_that_a_process_does_not_use_are_lost_after_a_second(opened: Opened, clock):
    limiter = opened(6000)
    for _ in range(6):
        assert await limiter.acquire("a", SINCE, LONG)
    assert limiter.try_acquire("a")
    clock.now += 1.0
    assert not limiter.try_acquire("a")


async def test_a_process_that_buys_now_and_then_takes_no_more_tokens_than_it_uses(opened: Opened, clock, pool):
    limiter = opened(6000)
    for _ in range(20):
        assert await limiter.acquire("a", SINCE, LONG)
        clock.now += 1.5
    began = await pool.fetchval("SELECT tat FROM supplier_limits")
    assert await limiter.acquire("a", SINCE, LONG)
    after = await pool.fetchval("SELECT tat FROM supplier_limits")
    assert after - max(began, clock.database()) <= 1.1 * timedelta(seconds=Pace.of(6000).interval)


@pytest.mark.parametrize("at_once", [1, 100])
async def test_a_hundred_calls_at_a_high_rate_take_seven_statements_at_most(opened, pool, at_once):
    counting = CountingPool(pool)
    limiter = opened(6000, on=counting)
    for _ in range(100 // at_once):
        got = await asyncio.gather(*(limiter.acquire("a", SINCE, LONG) for _ in range(at_once)))
        assert all(got)
        for _ in range(at_once):
            with token_held():
                await limiter.admit(Priority.PURCHASE, write=True)
            await limiter.observed({"X-RateLimit-Limit": "6000", "X-RateLimit-Remaining": "5000"}, 200)
            await limiter.succeeded()
    assert len(counting.statements) <= 7


async def test_without_a_limit_calls_cost_a_statement_a_second_to_know_the_breaker(opened, pool, clock):
    counting = CountingPool(pool)
    limiter = opened(None, on=counting)
    await limiter.admit(Priority.SYNC)
    began = len(counting.statements)
    for _ in range(100):
        assert limiter.try_acquire("a")
        with token_held():
            await limiter.admit(Priority.PURCHASE, write=True)
        await limiter.succeeded()
    assert len(counting.statements) == began
    clock.now += 1.5
    for _ in range(100):
        await limiter.admit(Priority.SETTLE)
    await wait_until(limiter._refreshing.done)
    assert len(counting.statements) == began + 1


HAMMER = """
import asyncio, sys
from datetime import UTC, datetime
import asyncpg
from gateway.suppliers.limit_rows import SharedRateLimiter

async def main():
    pool = await asyncpg.create_pool(sys.argv[1], min_size=4, max_size=4)
    limiter = SharedRateLimiter(pool, "demo", int(sys.argv[2]))
    sys.stdout.write("ready\\n")
    sys.stdout.flush()
    sys.stdin.readline()
    got = await asyncio.gather(*(limiter.acquire("a", datetime.now(UTC), 1.0) for _ in range(200)))
    await limiter.close()
    await pool.close()
    sys.stdout.write(f"{sum(got)}\\n")

asyncio.run(main())
"""


async def test_two_processes_hammering_one_limit_stay_under_it_together(pool, database_url):
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-c", HAMMER, database_url, str(PER_MINUTE))
    processes = [await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe) for _ in range(2)]
    try:
        for process in processes:
            assert await process.stdout.readline() == b"ready\n"
        started = time.monotonic()
        for process in processes:
            process.stdin.write(b"go\n")
        counts = [int(await process.stdout.readline()) for process in processes]
    finally:
        for process in processes:
            if process.returncode is None:
                process.stdin.close()
            await process.wait()
    # The burst, and the places that came back meanwhile if the machine was slow.
    came_back = int((time.monotonic() - started) / Pace.of(PER_MINUTE).interval)
    assert BURST <= sum(counts) <= BURST + came_back


async def test_a_purchase_that_cannot_be_counted_was_not_sent(opened: Opened, pool):
    limiter = opened(60)
    await pool.close()
    with pytest.raises(RateLimiterUnavailable):
        await limiter.admit(Priority.PURCHASE, write=True)
    with pytest.raises(limit_rows.DATABASE_DOWN):
        await limiter.admit(Priority.SYNC)
    with pytest.raises(limit_rows.DATABASE_DOWN):
        await limiter.acquire("a", SINCE, LONG)


async def test_a_held_token_is_enough_when_the_database_has_gone_away(opened: Opened, pool, clock):
    limiter = opened(60)
    assert await limiter.acquire("a", SINCE, LONG)
    await pool.close()
    clock.now += 10
    with token_held() as token:
        await limiter.admit(Priority.PURCHASE, write=True)
    assert token.used


async def test_leases_and_breakers_do_not_wait_for_the_disk(pool):
    values = {
        limit_rows._LEASE: ("demo", 60, 1, 0.0, 600, None, "a", ["a"], [SINCE]),
        limit_rows._REPORT: ("demo", 1, 60, 1.0, None),
        limit_rows._PROBE: ("demo", 120),
        limit_rows._FAIL: ("demo", "timed_out", 1, True, 5, 30.0, 600.0),
        limit_rows._SUCCEED: ("demo",),
    }
    for statement, arguments in values.items():
        async with pool.acquire() as connection, connection.transaction():
            await connection.fetch(statement, *arguments)
            assert await connection.fetchval("SHOW synchronous_commit") == "off", statement
    assert await pool.fetchval("SHOW synchronous_commit") == "on"


# --- what the supplier says ---------------------------------------------------------------------------


async def test_a_lower_limit_of_the_supplier_is_taken_over_and_a_higher_one_is_not(pool):
    limiter = SharedRateLimiter(pool, "demo", PER_MINUTE)
    await limiter.observed({"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "999"}, 200)
    assert await leased(limiter) == BURST
    await pool.execute("UPDATE supplier_limits SET tat = now() - interval '1 hour'")
    await limiter.observed({"X-RateLimit-Limit": "1"}, 200)
    assert await leased(SharedRateLimiter(pool, "demo", PER_MINUTE)) == 1


async def test_an_older_report_that_is_still_being_written_does_not_undo_a_newer_one(pool):
    late = LatePool(pool)
    limiter = SharedRateLimiter(late, "demo", PER_MINUTE)
    await limiter.observed({"X-RateLimit-Limit": "1000"}, 200)
    await late.late.wait()  # the background writes it, and is slow
    newer = asyncio.create_task(limiter.observed({"X-RateLimit-Limit": "1", "Retry-After": "50"}, 429))
    newest = asyncio.create_task(limiter.observed({"X-RateLimit-Limit": "2", "Retry-After": "3"}, 429))
    await asyncio.sleep(0)
    late.go.set()
    await asyncio.gather(newer, newest, limiter._reporting)
    found, _ = await rows(pool)
    assert found["reported_limit"] == 2
    assert 40 < (await SharedRateLimiter(pool, "demo", PER_MINUTE)._lease(Priority.PURCHASE, 1)).wait <= 50


async def test_a_lower_limit_ends_the_tokens_that_were_leased_at_the_higher_one(opened: Opened):
    limiter = opened(6000)
    for _ in range(6):
        assert await limiter.acquire("a", SINCE, LONG)
    await limiter.observed({"X-RateLimit-Limit": "60"}, 200)
    assert not limiter.try_acquire("a")


async def test_an_old_report_no_longer_counts(pool):
    limiter = SharedRateLimiter(pool, "demo", PER_MINUTE)
    await limiter.observed({"X-RateLimit-Limit": "1"}, 200)
    await pool.execute("UPDATE supplier_limits SET reported_at = now() - interval '1 hour'")
    assert await leased(limiter) == BURST


async def test_nothing_remaining_blocks_every_process_until_the_reset(opened: Opened, pool, clock):
    reset = int(datetime.now(UTC).timestamp()) + 40
    headers = {"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
    await opened(60).observed(headers, 200)
    assert 30 < (await opened(60)._lease(Priority.PURCHASE, 1)).wait <= 41
    found, _ = await rows(pool)
    assert (found["remaining"], found["reported_limit"]) == (0, 60)


async def test_retry_after_blocks_everyone_and_an_earlier_end_does_not_shorten_it(opened: Opened):
    await opened(None).observed({"Retry-After": "50"}, 429)
    await opened(None).observed({"Retry-After": "3"}, 429)
    other = opened(None)
    await other.refresh()
    assert 40 < other.purchase_blocked_for() <= 50
    assert not other.try_acquire("a")


async def test_an_answer_that_says_nothing_writes_nothing(opened, pool):
    counting = CountingPool(pool)
    await opened(60, on=counting).observed({"Content-Type": "application/json"}, 200)
    assert counting.statements == []


async def test_what_remains_is_shown_without_a_statement_for_each_answer(pool):
    counting = CountingPool(pool)
    limiter = SharedRateLimiter(counting, "demo", 60)
    for remaining in range(40, 20, -1):
        await limiter.observed({"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": str(remaining)}, 200)
    await wait_until(limiter._reporting.done)
    assert (await rows(pool))[0]["remaining"] == 21
    assert len(counting.statements) == 1
    await limiter.observed({"X-RateLimit-Remaining": "7"}, 200)
    await limiter.close()
    assert (await rows(pool))[0]["remaining"] == 7
