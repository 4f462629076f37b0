"""A request that waits for an order in another process is woken, and asks the database next to nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import pytest

from gateway.kit.listening import listen
from gateway.orders import order_state_rows, watch
from gateway.orders.process import process_order, wait_for_answer
from gateway.orders.waker import ANSWERED
from gateway.orders.watch import OrderWatch
from gateway.suppliers.deps import Deps
from tests.kit.admitted import order_of
from tests.kit.counter import Counter
from tests.kit.counting_pool import CountingPool
from tests.kit.waiting import PATIENCE, until

WAIT_SECONDS = 2.0
FEW_STATEMENTS = 4


@asynccontextmanager
async def _sending(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """An order whose supplier answers its purchase when the event is set."""
    provider = counter.deps.accounts["s2s"].provider
    purchase, asked, answer = provider.purchase, asyncio.Event(), asyncio.Event()

    async def slow(request: Any) -> Any:
        asked.set()
        await answer.wait()
        return await purchase(request)

    monkeypatch.setattr(provider, "purchase", slow)
    order_id = order_of(await counter.admit(await counter.plan(1, "s2s")))
    task = asyncio.create_task(process_order(counter.deps, order_id))
    await asked.wait()
    try:
        yield order_id, answer
    finally:
        answer.set()
        await task


def _another_process(counter: Counter) -> tuple[Deps, CountingPool]:
    counted = CountingPool(counter.deps.pool)
    return replace(counter.deps, pool=cast("Any", counted), running=set(), waiting=set(), watch=OrderWatch()), counted


async def test_a_replayed_request_does_not_loop_after_a_webhook(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, counted = _another_process(counter)
    async with _sending(counter, monkeypatch) as (order_id, _):
        # The supplier's webhook comes before its answer: the order is due while its attempt is still sent.
        await order_state_rows.wake(counter.deps.pool, order_id, counter.clock())
        await wait_for_answer(other, order_id, WAIT_SECONDS)
        assert (await counter.order(order_id)).status == "pending"
    assert len(counted.statements) <= FEW_STATEMENTS


async def test_it_is_woken_by_the_notification_of_the_process_that_has_the_answer(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "HEARD_SECONDS", 3600.0)  # by itself it would look far too late
    looks = _looks(monkeypatch)
    other, _ = _another_process(counter)
    url = counter.deps.settings.database_url
    assert url is not None
    ready = asyncio.Event()

    def on_state(listening: bool) -> None:
        other.watch.listening = listening
        if listening:
            ready.set()

    listening = asyncio.create_task(
        listen(url.get_secret_value(), {ANSWERED: other.watch.wake}, on_state, "another process")
    )
    await ready.wait()
    async with _sending(counter, monkeypatch) as (order_id, answer):
        waiting = asyncio.create_task(wait_for_answer(other, order_id, 600))
        await _until_looked(looks)
        answer.set()
        async with asyncio.timeout(PATIENCE):
            await waiting
    assert (await counter.order(order_id)).status == "fulfilled"
    assert looks == ["pending", "fulfilled"], "it looks when it is notified, and at no other time"
    listening.cancel()


async def test_a_notification_of_an_earlier_answer_ends_no_waiting(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "UNHEARD_SECONDS", 3600.0)
    looks = _looks(monkeypatch)
    other, _ = _another_process(counter)
    async with _sending(counter, monkeypatch) as (order_id, answer):
        waiting = asyncio.create_task(wait_for_answer(other, order_id, 600))
        await _until_looked(looks)
        other.watch.wake(order_id)
        await _until_looked(looks, 2)
        assert not waiting.done(), "the order is pending"
        answer.set()
        await until(lambda: not counter.deps.watch.unannounced)
        other.watch.answered(order_id)
        async with asyncio.timeout(PATIENCE):
            await waiting
    assert looks == ["pending", "pending"]


async def test_without_a_listening_connection_it_looks_every_second(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "HEARD_SECONDS", 3600.0)
    looks = _looks(monkeypatch)
    other, _ = _another_process(counter)
    assert other.watch.pause == 1.0
    async with _sending(counter, monkeypatch) as (order_id, answer):
        waiting = asyncio.create_task(wait_for_answer(other, order_id, 600))
        await _until_looked(looks)
        answer.set()
        async with asyncio.timeout(PATIENCE):
            await waiting
    assert looks[-1] == "fulfilled"


def _looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What those who wait read of their order, in turn."""
    read: list[str] = []
    status_of = order_state_rows.status_of

    async def noted(pool: Any, order_id: str) -> Any:
        found = await status_of(pool, order_id)
        assert found is not None
        read.append(found[0])
        return found

    monkeypatch.setattr(order_state_rows, "status_of", noted)
    return read


async def _until_looked(looks: list[str], times: int = 1) -> None:
    await until(lambda: len(looks) >= times)
