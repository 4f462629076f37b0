"""A storefront may have only so many open orders, whichever way they are admitted."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.kit.pool import Pool
from gateway.orders.admit import Admitted, admit
from gateway.orders.process import drain
from schemas.order_requests import OrderForPlan
from tests.kit.admitted import code_of
from tests.kit.common_plan import common_plan
from tests.kit.counter import counter as open_counter


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "ordinary"])
async def test_beyond_the_limit_an_order_is_refused_until_another_one_ends(
    pool: Pool, database_url: str, tmp_path: Path, fast: bool
) -> None:
    settings = {"fast_admission": fast, "max_open": 2}
    async with open_counter(pool, database_url, tmp_path, orders=settings) as counter:
        counter.trigger("pikasim", "never_provisioned", calls=3)
        plan = await common_plan(counter, "pikasim")
        first, second = await counter.admit(plan, "one"), await counter.admit(plan, "two")
        assert isinstance(first, Admitted)
        assert isinstance(second, Admitted)
        assert (first.sending is not None) == fast
        assert code_of(await counter.admit(plan, "three")) == "too_many_open_orders"
        # A key is looked up first, and another storefront has a limit of its own.
        assert await counter.admit(plan, "one") == Admitted(first.order_id, replayed=True)
        body = OrderForPlan(plan_id=plan)
        assert isinstance(await admit(counter.deps, "sf_two", "test", body, "three"), Admitted)
        await drain(counter.deps, 5)
        ended = "UPDATE orders SET status = 'failed', failure_code = 'no_stock', next_poll_at = NULL WHERE id = $1"
        await pool.execute(ended, first.order_id)
        assert isinstance(await counter.admit(plan, "three"), Admitted)
