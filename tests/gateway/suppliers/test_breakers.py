"""A supplier's breaker, as all processes share it in one database."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime

import pytest

from providers.kit.breaker import BREAKER_FAILURES
from providers.kit.supplier_rate import Priority, token_held
from schemas.errors import CircuitOpen, NotReached, ServerFault, TimedOut
from tests.kit.counting_pool import CountingPool
from tests.kit.rate_limiter_contract import Advance, Opened, fail, wait_until

PER_MINUTE = 12
OUTAGE = ServerFault("the supplier reported a fault", supplier="demo", status=503)


async def row_of(pool):
    return await pool.fetchrow("SELECT * FROM supplier_breakers")


async def test_the_row_says_that_it_is_open_and_why(opened: Opened, pool):
    await fail(opened(None), OUTAGE, times=BREAKER_FAILURES)
    breaker = await row_of(pool)
    assert (breaker["state"], breaker["failures"], breaker["read_failures"]) == ("open", 5, 5)
    assert breaker["last_error"] == "server_fault: demo: the supplier reported a fault (HTTP 503)"
    assert breaker["opened_at"] is not None


async def test_failures_of_several_processes_count_together(opened: Opened, pool):
    for number in range(BREAKER_FAILURES):
        await fail(opened(None), OUTAGE)
        assert ((await row_of(pool))["state"] == "open") == (number == BREAKER_FAILURES - 1)


async def test_a_process_that_starts_sees_the_open_breaker_before_its_first_call(opened: Opened):
    await fail(opened(None), OUTAGE, times=BREAKER_FAILURES)
    for per_minute in (None, PER_MINUTE):
        with pytest.raises(CircuitOpen):
            await opened(per_minute).admit(Priority.SYNC)


async def test_other_processes_follow_when_it_opens_and_when_it_closes(opened: Opened, advance: Advance):
    first, other = opened(None), opened(None)
    await other.admit(Priority.PURCHASE)
    await fail(first, OUTAGE, times=BREAKER_FAILURES)
    assert other.purchase_blocked_for() == 0.0
    await advance(1.1)
    await wait_until(lambda: other.purchase_blocked_for() > 0)
    with pytest.raises(CircuitOpen):
        await other.admit(Priority.PURCHASE)
    await first.succeeded()
    await advance(1.1)
    await wait_until(lambda: other.purchase_blocked_for() == 0.0)


async def test_a_process_that_was_idle_looks_before_it_buys(opened: Opened, advance: Advance):
    first, idle = opened(None), opened(None)
    await idle.admit(Priority.PURCHASE)
    await fail(first, OUTAGE, times=BREAKER_FAILURES)
    await advance(5)
    with token_held(), pytest.raises(CircuitOpen):
        await idle.admit(Priority.PURCHASE)


async def test_after_its_time_one_read_tries_and_closes_it(opened: Opened, pool, advance: Advance):
    first, other = opened(None), opened(None)
    await fail(first, OUTAGE, times=BREAKER_FAILURES)
    await advance(31)
    await first.admit(Priority.SYNC)
    assert (await row_of(pool))["state"] == "half_open"
    with pytest.raises(CircuitOpen):
        await other.admit(Priority.SYNC)
    await first.succeeded()
    await other.refresh()
    await other.admit(Priority.PURCHASE)
    breaker = await row_of(pool)
    assert (breaker["state"], breaker["failures"], breaker["read_failures"]) == ("closed", 0, 0)
    assert breaker["retry_at"] is None


async def test_of_many_reads_at_once_one_becomes_the_probe(opened: Opened, advance: Advance):
    limiters = [opened(None) for _ in range(10)]
    await fail(limiters[0], OUTAGE, times=BREAKER_FAILURES)
    await advance(31)
    ends = await asyncio.gather(*(limiter.admit(Priority.SYNC) for limiter in limiters), return_exceptions=True)
    assert Counter(type(end) for end in ends) == {type(None): 1, CircuitOpen: 9}


async def test_a_probe_that_fails_opens_it_for_longer(opened: Opened, pool, advance: Advance):
    limiter = opened(None)
    await fail(limiter, OUTAGE, times=BREAKER_FAILURES)
    await advance(31)
    await limiter.admit(Priority.SYNC)
    await fail(limiter, NotReached("no connection"))
    breaker = await row_of(pool)
    assert breaker["state"] == "open"
    assert 50 < (breaker["retry_at"] - datetime.now(UTC)).total_seconds() <= 60
    assert 50 < limiter.purchase_blocked_for() <= 60


async def test_two_processes_whose_polls_fail_lengthen_it_once(opened: Opened, pool, advance: Advance):
    limiters = [opened(None), opened(None)]
    await fail(limiters[0], OUTAGE, times=BREAKER_FAILURES)
    await advance(31)
    for limiter in limiters:
        await limiter.admit(Priority.SETTLE)
    for limiter in limiters:
        await fail(limiter, OUTAGE)
    breaker = await row_of(pool)
    assert breaker["read_failures"] == BREAKER_FAILURES + 1
    assert 50 < (breaker["retry_at"] - datetime.now(UTC)).total_seconds() <= 60


async def test_ambiguous_purchases_of_many_processes_never_close_it_off_for_more_than_30_s(
    opened: Opened, pool, advance: Advance
):
    limiters = [opened(None) for _ in range(4)]
    for _ in range(5):
        for limiter in limiters * 5:
            await fail(limiter, TimedOut("x"), write=True)
        breaker = await row_of(pool)
        assert breaker["state"] == "open"
        assert (breaker["retry_at"] - datetime.now(UTC)).total_seconds() <= 30
        await advance(31)
        await fail(limiters[0], TimedOut("x"), write=True)  # a purchase that was sent before it opened
        await limiters[1].admit(Priority.SETTLE)
        await limiters[1].succeeded()
        for limiter in limiters:
            await limiter.refresh()
            assert limiter.purchase_blocked_for() == 0.0


async def test_the_probe_of_a_process_that_was_killed_does_not_block_for_ever(opened: Opened, advance: Advance):
    limiter = opened(None)
    await fail(limiter, OUTAGE, times=BREAKER_FAILURES)
    await limiter.probe()
    await limiter.admit(Priority.SYNC)
    await advance(3600)
    await opened(None).admit(Priority.SYNC)


async def test_a_clean_breaker_costs_nothing_on_success(opened, pool):
    counting = CountingPool(pool)
    limiter = opened(None, on=counting)
    await limiter.admit(Priority.PURCHASE)
    began = len(counting.statements)
    await limiter.succeeded()
    assert len(counting.statements) == began


async def test_what_was_read_before_a_change_of_its_own_does_not_undo_it(opened: Opened):
    limiter = opened(None)
    await limiter.admit(Priority.PURCHASE)
    reading = asyncio.create_task(limiter.refresh())
    await asyncio.sleep(0)
    await fail(limiter, OUTAGE, times=BREAKER_FAILURES)
    await reading
    assert limiter.purchase_blocked_for() > 0
