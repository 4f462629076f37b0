"""Waiting for our own rate is no failure: an attempt is made when its turn has come."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.orders import buy
from gateway.orders.admit import Admitted, admit
from gateway.orders.process import process_order, start
from gateway.suppliers import selling_rows
from providers.kit.rate_limiter import MemoryRateLimiter
from schemas.order_requests import OrderForPlan
from tests.kit.common_plan import common_plan
from tests.kit.counter import Counter
from tests.kit.driven_clock import DrivenClock
from tests.kit.metered_supplier import TokenDispenser, meter
from tests.kit.waiting import PATIENCE

MINUTE = timedelta(minutes=1)


@pytest.fixture
def _short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits decides anew after a moment, so that a test need not wait for a clock that it moved."""
    monkeypatch.setattr(buy, "TURN_SECONDS", 0.05)


async def _ended(*tasks: asyncio.Task[None]) -> None:
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*tasks)


async def _admitted(counter: Counter, plan: str, orders: int = 1, storefront: str | None = None) -> list[str]:
    ids = []
    for number in range(orders):
        if storefront is None:
            admitted = await counter.admit(plan)
        else:
            body = OrderForPlan(plan_id=plan)
            admitted = await admit(counter.deps, storefront, "test", body, f"{storefront}-{number}")
        assert isinstance(admitted, Admitted), admitted
        ids.append(admitted.order_id)
    return ids


async def _dispenser(counter: Counter, supplier: str) -> TokenDispenser:
    limiter = TokenDispenser(supplier)
    await meter(counter.deps, supplier, limiter)
    return limiter


@contextmanager
def _processing(counter: Counter, order_ids: list[str]) -> Iterator[list[asyncio.Task[None]]]:
    tasks = [start(counter.deps, order_id) for order_id in order_ids]
    yield tasks
    for task in tasks:
        task.cancel()


async def _suppliers(counter: Counter, order_id: str) -> list[str]:
    return [one.supplier for one in await counter.attempts(order_id)]


async def test_a_hundred_orders_at_sixty_a_minute_all_end_fulfilled(counter: Counter) -> None:
    order_ids = await _admitted(counter, await common_plan(counter, "beppay"), 100)
    counter.simulator("beppay").deposit(Decimal(10_000))
    clock = DrivenClock()
    began = clock()
    await meter(counter.deps, "beppay", MemoryRateLimiter("beppay", 60, clock=clock, pause=clock.pause))
    await asyncio.gather(*(process_order(counter.deps, order_id) for order_id in order_ids))
    assert await counter.statuses(order_ids) == ["fulfilled"] * 100
    assert await counter.deps.pool.fetchval("SELECT count(*) FROM attempts") == 100
    assert len(counter.simulator("beppay").sales()) == 100
    assert clock() - began > 100, "the rate was not waited for"


@pytest.mark.usefixtures("_short_turns")
async def test_an_order_waits_a_minute_for_the_cheapest_and_then_takes_the_next_offer(counter: Counter) -> None:
    (order_id,) = await _admitted(counter, await common_plan(counter))
    limiter = await _dispenser(counter, "pikasim")
    await meter(counter.deps, "s2s", MemoryRateLimiter("s2s", 600))  # idle: no token is leased in advance
    with _processing(counter, [order_id]) as (task,):
        await limiter.until_waiting(1)
        counter.clock.ahead = MINUTE - timedelta(seconds=20)
        await limiter.until_waited_again()
        assert await _suppliers(counter, order_id) == []
        counter.clock.ahead = MINUTE
        await _ended(task)
    assert (await counter.followed(order_id)).status == "fulfilled"
    assert await _suppliers(counter, order_id) == ["s2s"]


@pytest.mark.usefixtures("_short_turns")
async def test_an_offer_above_what_the_order_may_cost_is_not_the_next(counter: Counter) -> None:
    plan = await common_plan(counter)
    (order_id,) = await _admitted(counter, plan)
    await counter.deps.pool.execute("UPDATE offers SET cost = 50 WHERE plan_id = $1 AND supplier = 's2s'", plan)
    limiter = await _dispenser(counter, "pikasim")
    with _processing(counter, [order_id]) as (task,):
        await limiter.until_waiting(1)
        counter.clock.ahead = MINUTE
        await _ended(task)
    assert (await counter.followed(order_id)).status == "fulfilled"
    assert await _suppliers(counter, order_id) == ["beppay"]


@pytest.mark.usefixtures("_short_turns")
async def test_with_no_other_offer_it_waits_a_quarter_of_an_hour_and_fails_with_nothing_sent(counter: Counter) -> None:
    (order_id,) = await _admitted(counter, await common_plan(counter, "pikasim"))
    limiter = await _dispenser(counter, "pikasim")
    with _processing(counter, [order_id]) as (task,):
        await limiter.until_waiting(1)
        for minutes in (2, 14):
            counter.clock.ahead = minutes * MINUTE
            await limiter.until_waited_again()
            assert await counter.statuses([order_id]) == ["pending"]
        counter.clock.ahead = 15 * MINUTE
        await _ended(task)
    row = await counter.deps.pool.fetchrow("SELECT status, failure_code FROM orders WHERE id = $1", order_id)
    assert tuple(row) == ("failed", "supplier_unavailable")
    assert await _suppliers(counter, order_id) == []
    assert not counter.simulator("pikasim").sales()


@pytest.mark.usefixtures("_short_turns")
async def test_an_order_that_waited_behind_a_stop_still_has_its_time_at_the_rate(counter: Counter) -> None:
    order_ids = await _admitted(counter, await common_plan(counter, "pikasim"), 3)
    limiter = await _dispenser(counter, "pikasim")
    with _processing(counter, order_ids):
        await limiter.until_waiting(3)
    await selling_rows.stop(counter.deps.pool, "pikasim", "person")
    counter.clock.ahead = 20 * MINUTE
    for order_id in order_ids:
        await process_order(counter.deps, order_id)
    await selling_rows.go_on(counter.deps.pool, "pikasim")
    with _processing(counter, order_ids) as tasks:
        await limiter.until_waiting(3)
        counter.clock.ahead = 34 * MINUTE
        await limiter.until_waited_again(6)
        assert await counter.statuses(order_ids) == ["pending"] * 3
        counter.clock.ahead = timedelta(0)
        limiter.grant(3)
        await _ended(*tasks)
    assert [(await counter.followed(order_id)).status for order_id in order_ids] == ["fulfilled"] * 3


@pytest.mark.parametrize("stopped", ["pikasim", selling_rows.ALL])
async def test_a_stop_holds_orders_that_wait_for_the_rate(counter: Counter, stopped: str) -> None:
    order_ids = await _admitted(counter, await common_plan(counter, "pikasim"), 5)
    limiter = await _dispenser(counter, "pikasim")
    with _processing(counter, order_ids) as tasks:
        await limiter.until_waiting(5)
        await selling_rows.stop(counter.deps.pool, stopped, "person")
        limiter.grant(5)
        await _ended(*tasks)
    assert await counter.statuses(order_ids) == ["pending"] * 5
    assert not counter.simulator("pikasim").sales()
    await selling_rows.go_on(counter.deps.pool, stopped)
    limiter.grant(5)
    for order_id in order_ids:
        await process_order(counter.deps, order_id)
        assert (await counter.followed(order_id)).status == "fulfilled"
    assert len(counter.simulator("pikasim").sales()) == 5


async def test_the_backlog_of_one_storefront_does_not_starve_the_order_of_another(counter: Counter) -> None:
    plan = await common_plan(counter, "beppay")
    backlog = await _admitted(counter, plan, 30)
    limiter = await _dispenser(counter, "beppay")
    with _processing(counter, backlog):
        await limiter.until_waiting(30)
        (other,) = await _admitted(counter, plan, storefront="sf_two")
        with _processing(counter, [other]) as (task,):
            await limiter.until_waiting(31)
            limiter.grant(2)
            async with asyncio.timeout(PATIENCE):
                await _ended(task)
    assert await counter.statuses([other]) == ["fulfilled"]
    assert len(counter.simulator("beppay").sales()) <= 2


async def test_of_one_storefront_the_oldest_order_goes_first(counter: Counter) -> None:
    order_ids = await _admitted(counter, await common_plan(counter, "beppay"), 5)
    limiter = await _dispenser(counter, "beppay")
    with _processing(counter, order_ids[::-1]) as tasks:
        await limiter.until_waiting(5)
        for order_id, task in zip(order_ids, tasks[::-1], strict=True):
            limiter.grant(1)
            async with asyncio.timeout(PATIENCE):
                await _ended(task)
            assert await counter.statuses([order_id]) == ["fulfilled"]
