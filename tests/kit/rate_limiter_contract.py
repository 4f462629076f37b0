"""What every supplier rate limiter does: ``TestX(RateLimiterContract)`` with a fixture ``opened`` runs it on one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from providers.kit.breaker import BREAKER_FAILURES
from providers.kit.rate_limiter import QueuedRateLimiter
from providers.kit.supplier_rate import Pace, Priority, token_held
from schemas.errors import CircuitOpen, InvalidRequest, NotReached, RateLimited, ServerFault, SupplierError, TimedOut
from tests.kit.driven_clock import DrivenClock

Opened = Callable[[int | None], QueuedRateLimiter]
Advance = Callable[[float], Awaitable[None]]

SINCE = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
LONG = 3600.0  # real seconds that no test waits


async def fail(limiter: QueuedRateLimiter, error: SupplierError, *, times: int = 1, write: bool = False) -> None:
    for _ in range(times):
        await limiter.failed(error, write=write)


async def wait_until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what is looked at has no event
            await asyncio.sleep(0.001)


async def use_up(limiter: QueuedRateLimiter) -> None:
    """Take every token that is there now, and forget that more were ever asked for."""
    while (await limiter._lease(Priority.PURCHASE, 32)).granted:
        pass


class RateLimiterContract:
    """Times are those of ``clock``, on which a limiter that waits moves on at once."""

    @pytest.fixture
    def clock(self) -> DrivenClock:
        return DrivenClock()

    @pytest.fixture
    def advance(self, clock: DrivenClock) -> Advance:
        """Let time pass, for the rows as well where there are any."""

        async def advance(seconds: float) -> None:
            clock.now += seconds

        return advance

    # --- tokens ---------------------------------------------------------------------------------------

    async def test_a_token_is_had_from_memory_only_when_one_was_leased(self, opened: Opened) -> None:
        limiter = opened(600)
        assert not limiter.try_acquire("a")
        assert await limiter.acquire("a", SINCE, LONG)
        limiter.release()
        assert limiter.try_acquire("a")

    async def test_acquire_gives_up_when_its_time_is_over(self, opened: Opened) -> None:
        limiter = opened(12)
        await limiter.observed({"Retry-After": "50"}, 429)
        limiter._pause = lambda event, _: event.wait()
        assert not await limiter.acquire("a", SINCE, 0.02)
        assert limiter._queue.first_priority() is None

    async def test_without_a_limit_tokens_are_always_had_at_once(self, opened: Opened) -> None:
        limiter = opened(None)
        assert all(limiter.try_acquire("a") for _ in range(200))

    async def test_a_released_token_expires_with_its_lease(self, opened: Opened, clock: DrivenClock) -> None:
        limiter = opened(600)
        assert await limiter.acquire("a", SINCE, LONG)
        clock.now += 1.01
        limiter.release()
        assert not limiter.try_acquire("a")

    async def test_more_tokens_than_were_acquired_cannot_be_released(self, opened: Opened) -> None:
        limiter = opened(600)
        assert await limiter.acquire("a", SINCE, LONG)
        with token_held():
            await limiter.admit(Priority.PURCHASE, write=True)
        limiter.release()
        assert not limiter.try_acquire("a")

    async def test_a_held_token_is_used_by_the_next_purchase_and_by_no_second_one(
        self, opened: Opened, clock: DrivenClock
    ) -> None:
        limiter = opened(12)
        assert await limiter.acquire("a", SINCE, LONG)
        await use_up(limiter)
        began = clock.now
        with token_held() as token:
            await limiter.admit(Priority.PURCHASE, write=True)
            assert token.used
            assert clock.now == began
            with pytest.raises(RateLimited):  # the next one must wait 6 s for its token, longer than a purchase does
                await limiter.admit(Priority.PURCHASE, write=True)

    async def test_a_read_leaves_the_held_token_alone(self, opened: Opened) -> None:
        limiter = opened(600)
        assert await limiter.acquire("a", SINCE, LONG)
        with token_held() as token:
            await limiter.admit(Priority.SETTLE)
        assert not token.used

    async def test_a_cancelled_waiter_loses_no_token(self, opened: Opened) -> None:
        limiter = opened(600)
        assert await limiter.acquire("a", SINCE, LONG)
        await use_up(limiter)
        limiter._pause = lambda event, _: event.wait()
        waiting = asyncio.create_task(limiter.acquire("b", SINCE, LONG))
        await wait_until(lambda: limiter._queue.count(Priority.PURCHASE) == 1)
        limiter.release()
        while limiter._queue.count(Priority.PURCHASE):  # noqa: ASYNC110 - the very round in which its turn comes
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert limiter.try_acquire("c")

    async def test_waiters_that_are_cancelled_make_room_for_the_others(self, opened: Opened) -> None:
        limiter = opened(60)
        served: list[int] = []

        async def purchase(number: int) -> None:
            if await limiter.acquire("a", SINCE + timedelta(seconds=number), LONG):
                served.append(number)

        tasks = [asyncio.create_task(purchase(number)) for number in range(40)]
        for task in tasks[::2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert served == list(range(1, 40, 2))

    # --- fairness -------------------------------------------------------------------------------------

    async def test_a_backlog_of_one_storefront_delays_another_by_one_turn(self, opened: Opened) -> None:
        limiter = opened(60)
        served: list[str] = []
        before = 20
        late: list[asyncio.Task[None]] = []

        async def purchase(storefront: str) -> None:
            assert await limiter.acquire(storefront, SINCE, LONG)
            served.append(storefront)
            if len(served) == before:
                late.extend(asyncio.create_task(purchase("b")) for _ in range(3))

        await asyncio.gather(*(purchase("a") for _ in range(250)))
        await asyncio.gather(*late)
        places = [place - before for place, storefront in enumerate(served) if storefront == "b"]
        # One token may be on its way to "a" when "b" comes; then they alternate.
        assert places[0] <= 2
        assert [later - earlier for earlier, later in pairwise(places)] == [2, 2]

    async def test_the_oldest_purchase_of_a_storefront_goes_first(self, opened: Opened) -> None:
        limiter = opened(12)
        await use_up(limiter)
        served: list[int] = []

        async def purchase(number: int) -> None:
            assert await limiter.acquire("a", SINCE + timedelta(seconds=number), LONG)
            served.append(number)

        await asyncio.gather(*(purchase(number) for number in (3, 1, 4, 2, 0)))
        assert served == [0, 1, 2, 3, 4]

    async def test_purchases_and_polls_go_before_syncing_and_usage(self, opened: Opened) -> None:
        limiter = opened(144)
        await use_up(limiter)
        served: list[Priority] = []

        async def call(priority: Priority) -> None:
            await limiter.admit(priority)
            served.append(priority)

        await asyncio.gather(*(call(priority) for priority in sorted([*Priority] * 3, reverse=True)))
        assert served == sorted([*Priority] * 3)

    # --- what the supplier says -----------------------------------------------------------------------

    async def test_a_block_stops_tokens_that_were_leased_before(self, opened: Opened) -> None:
        limiter = opened(600)
        assert await limiter.acquire("a", SINCE, LONG)
        await limiter.observed({"Retry-After": "50"}, 429)
        assert limiter.purchase_blocked_for() == pytest.approx(50, abs=1)
        limiter.release()
        assert not limiter.try_acquire("a")
        with token_held(), pytest.raises(RateLimited):
            await limiter.admit(Priority.PURCHASE, write=True)

    async def test_each_priority_is_refused_a_wait_that_is_too_long(self, opened: Opened) -> None:
        limiter = opened(60)
        await limiter.observed({"Retry-After": "600"}, 429)
        for priority in Priority:
            with pytest.raises(RateLimited) as caught:
                await limiter.admit(priority)
            assert caught.value.retry_after == pytest.approx(600, abs=5)

    async def test_a_call_that_must_wait_a_moment_is_let_in(self, opened: Opened, clock: DrivenClock) -> None:
        limiter = opened(60)
        await use_up(limiter)
        began = clock.now
        await limiter.admit(Priority.PURCHASE)
        assert clock.now - began == pytest.approx(Pace.of(60).interval, abs=0.01)

    # --- the breaker ----------------------------------------------------------------------------------

    @pytest.mark.parametrize("error", [NotReached("x"), TimedOut("x"), ServerFault("x")])
    async def test_outages_open_the_breaker_and_an_answer_closes_it(self, opened: Opened, error: SupplierError) -> None:
        limiter = opened(None)
        await fail(limiter, error, times=BREAKER_FAILURES - 1)
        await limiter.admit(Priority.PURCHASE)
        assert limiter.purchase_blocked_for() == 0.0
        await fail(limiter, error)
        with pytest.raises(CircuitOpen) as caught:
            await limiter.admit(Priority.SYNC)
        assert caught.value.retry_after == pytest.approx(30, abs=1)
        assert limiter.purchase_blocked_for() == pytest.approx(30, abs=1)
        await limiter.succeeded()
        assert limiter.purchase_blocked_for() == 0.0
        await limiter.admit(Priority.SYNC)

    async def test_refusals_do_not_open_the_breaker(self, opened: Opened) -> None:
        limiter = opened(None)
        await fail(limiter, InvalidRequest("no"), times=20)
        await limiter.admit(Priority.PURCHASE)

    async def test_a_purchase_is_never_the_probe(self, opened: Opened, advance: Advance) -> None:
        limiter = opened(None)
        await fail(limiter, TimedOut("x"), times=5)
        await advance(1000)
        for _ in range(3):
            with token_held() as token, pytest.raises(CircuitOpen):
                await limiter.admit(Priority.PURCHASE, write=True)
            assert not token.used
        assert limiter.purchase_blocked_for() > 0

    async def test_a_poll_of_an_order_passes_an_open_breaker_and_closes_it(self, opened: Opened) -> None:
        limiter = opened(None)
        await fail(limiter, TimedOut("x"), times=5, write=True)
        await limiter.admit(Priority.SETTLE)
        await limiter.admit(Priority.SETTLE)
        await limiter.succeeded()
        await limiter.admit(Priority.PURCHASE, write=True)

    async def test_a_write_beside_purchases_does_not_pass_an_open_breaker(self, opened: Opened) -> None:
        limiter = opened(None)
        await fail(limiter, TimedOut("x"), times=5)
        with pytest.raises(CircuitOpen):
            await limiter.admit(Priority.SETTLE, write=True)

    async def test_ambiguous_purchases_close_a_supplier_off_for_30_s_at_most(
        self, opened: Opened, advance: Advance
    ) -> None:
        limiter = opened(None)
        for _ in range(20):
            await fail(limiter, TimedOut("x"), times=30, write=True)
            assert limiter.purchase_blocked_for() <= 30
            await advance(30.5)
            assert limiter.probe_due()
            await limiter.admit(Priority.SETTLE)
            await limiter.succeeded()
            assert limiter.purchase_blocked_for() == 0.0

    async def test_a_probe_is_due_once_its_time_has_come_and_then_every_two_seconds(
        self, opened: Opened, advance: Advance
    ) -> None:
        limiter = opened(None)
        assert not limiter.probe_due()
        await fail(limiter, TimedOut("x"), times=5, write=True)
        await advance(29)
        assert not limiter.probe_due()
        await advance(1.5)
        assert [limiter.probe_due(), limiter.probe_due()] == [True, False]
        await advance(2.1)
        assert limiter.probe_due()

    async def test_one_sync_looks_although_the_breaker_is_open(self, opened: Opened) -> None:
        limiter = opened(None)
        await fail(limiter, TimedOut("x"), times=5)
        await limiter.probe()
        await limiter.admit(Priority.SYNC)
        with pytest.raises(CircuitOpen):
            await limiter.admit(Priority.SYNC)

    async def test_whoever_waits_when_it_closes_is_refused(self, opened: Opened) -> None:
        limiter = opened(12)
        await limiter.observed({"Retry-After": "4"}, 429)
        limiter._pause = lambda event, _: event.wait()
        waiting = asyncio.create_task(limiter.admit(Priority.PURCHASE))
        await wait_until(lambda: limiter._queue.count(Priority.PURCHASE) == 1)
        await limiter.close()
        with pytest.raises(SupplierError, match="shutting down"):
            await waiting
