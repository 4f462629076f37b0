"""Storefronts take turns at a supplier's rate over all processes: limiters with one database and one clock."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest

from gateway.suppliers.limit_rows import SharedRateLimiter
from providers.kit.supplier_rate import Pace
from tests.kit.counting_pool import CountingPool
from tests.kit.driven_clock import CommonClock
from tests.kit.rate_limiter_contract import LONG, SINCE, use_up, wait_until

BACKLOG = 250
PLACES = "SELECT coalesce(array_agg(storefront_id ORDER BY 1), '{}') FROM supplier_turns WHERE waiting <> '{}'"


class Processes:
    """Limiters of one account, each standing for a process; ``served`` are purchases with the time of their token."""

    def __init__(self, pool, count: int, per_minute: int) -> None:
        self.clock = CommonClock(self._serving)
        self.counting = CountingPool(pool)
        self.limiters = [
            SharedRateLimiter(
                self.counting,
                "demo",
                per_minute,
                clock=self.clock,
                pause=self.clock.pause,
                database_clock=self.clock.database,
            )
            for _ in range(count)
        ]
        self.frozen: list[SharedRateLimiter] = []
        self.served: list[tuple[str, float]] = []
        self._tasks: list[asyncio.Task[None]] = []

    def purchase(self, process: int, name: str, *, age: float = 0.0) -> asyncio.Task[None]:
        """A purchase, named after its storefront's first letter, that has waited for ``age`` seconds."""
        task = asyncio.create_task(self._purchase(self.limiters[process], name, age))
        self._tasks.append(task)
        return task

    async def until_served(self, count: int) -> None:
        await wait_until(lambda: len(self.served) >= count)

    async def freeze(self, process: int) -> None:
        """Let a process ask for nothing any more, as one that was stopped or killed."""
        limiter = self.limiters[process]
        self.frozen.append(limiter)
        limiter._serving.cancel()
        await asyncio.wait((limiter._serving,))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for limiter in self.limiters:
            await limiter.close()

    async def _purchase(self, limiter: SharedRateLimiter, name: str, age: float) -> None:
        assert await limiter.acquire(name[0], SINCE - timedelta(seconds=age), LONG)
        self.served.append((name, self.clock.now))

    def _serving(self) -> int:
        return sum(
            limiter._serving is not None and not limiter._serving.done() and limiter not in self.frozen
            for limiter in self.limiters
        )


@pytest.fixture
async def processes(pool):
    made: list[Processes] = []

    def processes(count: int, per_minute: int) -> Processes:
        made.append(Processes(pool, count, per_minute))
        return made[-1]

    yield processes
    for running in made:
        await running.close()


@pytest.mark.parametrize("per_minute", [60, 600])
@pytest.mark.parametrize("count", [2, 3])
async def test_a_backlog_in_every_process_delays_another_storefront_by_two_turns(processes, count, per_minute):
    these = processes(count, per_minute)
    await use_up(these.limiters[0])
    for number in range(BACKLOG):
        for process in range(count):
            these.purchase(process, "a", age=BACKLOG - number)
    for place in range(20, 80, 10):
        await these.until_served(place)
        began, before = these.clock.now, len(these.served)
        await these.purchase(place // 10 % count, "b")
        [(_, at)] = [(name, at) for name, at in these.served[before:] if name == "b"]
        assert at - began <= 2.01 * Pace.of(per_minute).interval
        assert [name for name, _ in these.served[before:]].index("b") <= 1


async def test_storefronts_alternate_though_one_waits_in_every_process(processes):
    these = processes(3, 60)
    await use_up(these.limiters[0])
    for _ in range(BACKLOG):
        for process in range(3):
            these.purchase(process, "a")
    await these.until_served(5)
    await asyncio.gather(*(these.purchase(1, "b") for _ in range(10)))
    places = [place for place, (name, _) in enumerate(these.served) if name == "b"]
    assert [later - earlier for earlier, later in pairwise(places)] == [2] * 9


async def test_the_oldest_purchase_of_a_storefront_goes_first_over_all_processes(processes):
    these = processes(3, 60)
    await use_up(these.limiters[0])
    chosen = [number * 3 % 20 for number in range(20)]
    await asyncio.gather(
        *(these.purchase(place % 3, f"a{age}", age=age) for place, age in enumerate(chosen)),
    )
    assert [int(name[1:]) for name, _ in these.served] == list(range(19, -1, -1))


async def test_no_token_is_lost_to_turns(processes):
    these = processes(3, 600)
    await use_up(these.limiters[0])
    began = these.clock.now
    await asyncio.gather(*(these.purchase(number % 3, "abcd"[number % 4]) for number in range(120)))
    last = max(at for _, at in these.served)
    assert last - began == pytest.approx(120 * Pace.of(600).interval, rel=0.01)


@pytest.mark.parametrize("per_minute", [12, 60])
async def test_a_frozen_process_loses_its_place_within_about_a_second(processes, per_minute):
    these = processes(2, per_minute)
    await use_up(these.limiters[0])
    for _ in range(BACKLOG):
        these.purchase(0, "a", age=60)
    await these.until_served(2)
    await these.freeze(0)
    began, before = these.clock.now, len(these.served)
    await these.purchase(1, "a")
    assert these.served[before:] == [("a", these.served[-1][1])]
    # Older purchases hold the next token until it has been due for a second, and half a second later it is looked at.
    assert these.served[-1][1] - began <= Pace.of(per_minute).interval + 1.5


async def test_a_place_is_given_up_with_the_next_lease_when_nobody_waits_in_it(processes, pool):
    these = processes(1, 60)
    [limiter] = these.limiters
    await use_up(limiter)
    limiter._pause = lambda event, _: event.wait()
    these.purchase(0, "a")
    leaves = these.purchase(0, "b")
    await wait_until(lambda: limiter._not_before)
    assert await pool.fetchval(PLACES) == ["a", "b"]
    leaves.cancel()
    limiter._pause = these.clock.pause
    for _ in range(3):
        these.purchase(0, "a")
    await these.until_served(1)
    assert "b" not in await pool.fetchval(PLACES)


async def test_a_place_is_given_up_once_tokens_are_plenty(processes, pool):
    these = processes(1, 600)
    [limiter] = these.limiters
    await use_up(limiter)
    limiter._pause = lambda event, _: event.wait()
    waits = these.purchase(0, "a")
    await wait_until(lambda: limiter._not_before)
    assert await pool.fetchval(PLACES) == ["a"]
    these.clock.now += 5
    limiter._changed.set()
    await waits
    assert await pool.fetchval(PLACES) == []


async def test_while_it_is_short_a_token_costs_less_than_three_statements(processes):
    these = processes(3, 600)
    await use_up(these.limiters[0])
    began = len(these.counting.statements)
    for _ in range(BACKLOG):
        for process in range(3):
            these.purchase(process, "a")
    await these.until_served(100)
    assert len(these.counting.statements) - began <= 300


async def test_places_that_nobody_renewed_are_forgotten_after_a_minute(processes, pool):
    these = processes(2, 60)
    await use_up(these.limiters[0])
    await these.purchase(0, "a")
    assert await pool.fetchval("SELECT array_agg(storefront_id) FROM supplier_turns") == ["a"]
    these.clock.now += 70
    await use_up(these.limiters[0])
    await these.purchase(1, "b")
    assert await pool.fetchval("SELECT array_agg(storefront_id) FROM supplier_turns") == ["b"]


async def test_while_tokens_are_plenty_no_turn_is_written(processes, pool):
    these = processes(2, 6000)
    await asyncio.gather(*(these.purchase(number % 2, "ab"[number % 2]) for number in range(100)))
    assert await pool.fetchval("SELECT count(*) FROM supplier_turns") == 0
