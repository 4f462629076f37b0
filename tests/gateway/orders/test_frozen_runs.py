"""Processes that freeze, faults of our own, and a database that goes away at the worst moment."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import pytest
import stamina

from gateway.orders import attempt_rows, buy, settling_rows
from gateway.orders import process as processing
from gateway.orders.admit import Admitted
from gateway.orders.process import process_order
from gateway.suppliers import selling_rows
from tests.kit.counter import Counter
from tests.kit.waiting import until


async def _admitted(counter: Counter, supplier: str) -> Admitted:
    admitted = await counter.admit(await counter.plan(1, supplier))
    assert isinstance(admitted, Admitted), admitted
    return admitted


async def test_a_look_that_froze_proves_no_absence_however_late_it_is_written_down(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting = counter.with_("s2s", trust_absence=True)
    trusting.trigger("s2s", "charge_then_500")
    order_id = await trusting.ordered(await trusting.plan(1, "s2s"))
    assert [one.state for one in await trusting.attempts(order_id)] == ["unknown"]

    async def frozen(*_: object) -> None:
        trusting.clock.pass_(minutes=20)  # asked before the quiescence was over, thawed long after

    with monkeypatch.context() as patch:
        patch.setattr(trusting.deps.accounts["s2s"].provider, "find_order", frozen)
        await process_order(trusting.deps, order_id, poll=True)
    assert [one.state for one in await trusting.attempts(order_id)] == ["unknown"]
    assert (await trusting.followed(order_id)).status == "fulfilled"
    assert len(trusting.simulator("s2s").sales()) == 1


async def test_a_fault_of_ours_in_every_look_ends_with_a_person(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter.trigger("s2s", "charge_then_500")
    order_id = await counter.ordered(await counter.plan(1, "s2s"))

    async def broken(*_: object) -> None:
        raise ArithmeticError("a plugin's own fault")

    monkeypatch.setattr(counter.deps.accounts["s2s"].provider, "find_order", broken)
    assert (await counter.followed(order_id, looks=20)).status == "needs_review"


async def test_an_order_that_cannot_be_gone_on_with_stands_in_no_others_way(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    admitted = await _admitted(counter, "s2s")

    async def broken(*_: object) -> None:
        raise ArithmeticError("a fault")

    monkeypatch.setattr(buy, "_choose", broken)
    await processing.start(counter.deps, admitted.order_id)
    order = await counter.order(admitted.order_id)
    assert order.next_poll_at is not None
    assert order.next_poll_at > counter.clock() + timedelta(seconds=20)


@pytest.mark.parametrize("error", [asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError])
async def test_an_answer_is_written_down_again_when_the_row_was_held_by_a_frozen_process(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    write, calls = settling_rows.write, []

    async def held(*args: object, **more: object) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise error("held")
        await write(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(settling_rows, "write", held)
    with stamina.set_testing(False):
        order_id = await counter.ordered(await counter.plan(1, "beppay"))
    assert (await counter.order(order_id)).status == "fulfilled"
    assert len(calls) > 1


@pytest.mark.parametrize("supplier", ["s2s", "beppay"])
async def test_a_database_that_goes_away_at_the_commit_leaves_nothing_unknown(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, supplier: str
) -> None:
    begin, calls = attempt_rows.begin, []

    async def cut(connection: asyncpg.Connection, *args: object, **more: object) -> str:
        outcome = await begin(connection, *args, **more)  # type: ignore[arg-type]
        calls.append(1)
        if len(calls) == 1:
            if connection.is_in_transaction():
                await connection.execute("COMMIT")
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
        return outcome

    monkeypatch.setattr(attempt_rows, "begin", cut)
    order_id = (await _admitted(counter, supplier)).order_id
    await processing.start(counter.deps, order_id)
    assert [one.state for one in await counter.attempts(order_id)] == ["failed"]
    assert (await counter.followed(order_id, looks=5)).status == "fulfilled"
    assert [one.state for one in await counter.attempts(order_id)] == ["failed", "succeeded"]
    assert len(counter.simulator(supplier).sales()) == 1


async def test_the_time_to_send_runs_from_the_moment_of_the_choice(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose = buy._choose

    async def slow(*args: object) -> object:
        chosen = await choose(*args)  # type: ignore[arg-type]
        counter.clock.pass_(minutes=10)
        return chosen

    monkeypatch.setattr(buy, "_choose", slow)
    before = counter.clock()
    order_id = await counter.ordered(await counter.plan(1, "s2s"))
    attempt = (await counter.attempts(order_id))[0]
    assert attempt.signed_at < before + timedelta(minutes=5)


async def test_nothing_is_sent_while_the_database_could_lose_what_it_committed(
    counter: Counter, new_sessions: None
) -> None:
    order_id = (await _admitted(counter, "s2s")).order_id
    name = await counter.deps.pool.fetchval("SELECT current_database()")
    await counter.deps.pool.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    await counter.deps.pool.expire_connections()
    await process_order(counter.deps, order_id)
    assert not await counter.attempts(order_id)
    assert (await counter.order(order_id)).status == "pending"
    await counter.deps.pool.execute(f'ALTER DATABASE "{name}" RESET synchronous_commit')
    await counter.deps.pool.expire_connections()
    assert (await counter.followed(order_id)).status == "fulfilled"


async def test_after_a_restore_nothing_is_called_off_before_the_books_are_compared(counter: Counter) -> None:
    admitted = await _admitted(counter, "pikasim")
    await counter.deps.pool.execute("UPDATE orders SET cancel_requested_at = now(), status = 'cancel_pending'")
    await selling_rows.stop(counter.deps.pool, selling_rows.ALL, "restored")
    await process_order(counter.deps, admitted.order_id)
    assert (await counter.order(admitted.order_id)).status == "cancel_pending"
    await selling_rows.go_on(counter.deps.pool, selling_rows.ALL)
    assert (await counter.followed(admitted.order_id)).status == "cancelled"


async def test_a_send_goes_on_to_its_end_although_who_advanced_the_order_was_broken_off(counter: Counter) -> None:
    admitted = await _admitted(counter, "beppay")
    task = asyncio.create_task(process_order(counter.deps, admitted.order_id))
    await until(lambda: any(one.get_name().startswith("send ") for one in counter.deps.running))
    task.cancel()
    await processing.drain(counter.deps, 10)
    assert (await counter.order(admitted.order_id)).status == "fulfilled"
