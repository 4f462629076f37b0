"""A process that stands still, with rows of an order locked, does not make the order late for ever."""

from __future__ import annotations

import pytest

from gateway.kit import pool as pools
from gateway.kit.pool import DATABASE_DOWN, connect, open_pool
from gateway.orders import order_state_rows
from gateway.orders.waker import LEASE
from tests.chaos.polls import LATEST_SECONDS
from tests.kit.counter import Counter
from tests.kit.waiting import until


async def test_a_process_that_stands_still_in_a_transaction_lets_go_of_its_order(
    counter: Counter, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = await counter.ordered(await counter.plan(10, "s2s"))  # its answer is lost
    counter.clock.pass_(seconds=60)
    monkeypatch.setattr(pools, "IDLE_IN_TRANSACTION_SECONDS", 1)
    frozen = await connect(database_url)
    try:
        await frozen.execute("BEGIN")
        await order_state_rows.lock(frozen, order_id)

        async def claimed() -> bool:
            return await order_state_rows.claim_due(counter.deps.pool, counter.clock(), LEASE, 10) == [order_id]

        assert not await claimed()
        await until(claimed)  # the server lets go of it
        with pytest.raises(DATABASE_DOWN):
            await frozen.execute("COMMIT")
    finally:
        frozen.terminate()


async def test_that_is_before_the_order_is_late_and_long_work_has_more_time(database_url: str) -> None:
    assert pools.IDLE_IN_TRANSACTION_SECONDS + LEASE.total_seconds() < LATEST_SECONDS
    pool = await open_pool(database_url)
    async with pool.acquire() as connection:
        show = "SHOW idle_in_transaction_session_timeout"
        assert await connection.fetchval(show) == f"{pools.IDLE_IN_TRANSACTION_SECONDS}s"
        async with connection.transaction():
            await pools.allow_long_work(connection)
            assert await connection.fetchval(show) == "2min"
        assert await connection.fetchval(show) == f"{pools.IDLE_IN_TRANSACTION_SECONDS}s"
    await pool.close()
