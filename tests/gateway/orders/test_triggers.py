"""What goes wrong on purpose with one storefront's order says nothing of the supplier to anybody else."""

from __future__ import annotations

import pytest

from gateway.orders.admit import Admitted, admit
from gateway.suppliers import selling_rows
from providers.kit.breaker import BREAKER_FAILURES
from providers.simulator.trigger_plans import TRIGGER_PLANS
from schemas.order_requests import OrderForPlan
from tests.kit.common_plan import everyday_plan
from tests.kit.counter import Counter

SUPPLIERS = ("beppay", "pikasim", "s2s")
AMOUNTS = {one.word: gigabytes for gigabytes, one in enumerate(TRIGGER_PLANS, start=1)}


async def all_is_well(counter: Counter) -> None:
    """Nothing keeps any supplier or offer from sale, in any process."""
    pool = counter.deps.pool
    assert await pool.fetch("SELECT name FROM suppliers WHERE no_balance_until IS NOT NULL") == []
    assert await pool.fetch("SELECT supplier, why FROM offer_marks") == []
    assert await pool.fetch("SELECT supplier FROM supplier_breakers WHERE state <> 'closed' OR failures > 0") == []
    assert await selling_rows.stops(pool) == {}
    assert [counter.deps.accounts[name].limiter.purchase_blocked_for() for name in SUPPLIERS] == [0.0] * 3


@pytest.mark.parametrize("supplier", SUPPLIERS)
@pytest.mark.parametrize("word", ["refuse_stock", "refuse_balance", "refuse_blocked", "charged_more"])
async def test_a_trigger_closes_nothing_for_other_test_keys(counter: Counter, word: str, supplier: str) -> None:
    plan = await counter.plan(AMOUNTS[word], supplier)
    order = await counter.followed(await counter.ordered(plan))
    assert order.status == "fulfilled"
    await all_is_well(counter)
    # Another storefront meets the same, and whatever else it buys there.
    again = await admit(counter.deps, "sf_two", "test", OrderForPlan(plan_id=plan), "key-of-two")
    assert isinstance(again, Admitted)
    followed = await counter.followed(again.order_id)
    assert [one.error_code for one in await counter.attempts(followed.id)] == [
        one.error_code for one in await counter.attempts(order.id)
    ]
    other = await admit(
        counter.deps, "sf_two", "test", OrderForPlan(plan_id=await everyday_plan(counter, supplier)), "key-of-two-2"
    )
    assert isinstance(other, Admitted)
    assert (await counter.followed(other.order_id)).status == "fulfilled"


@pytest.mark.parametrize("word", ["500", "reset", "charge_then_html"])
async def test_no_number_of_triggers_opens_a_breaker(counter: Counter, word: str) -> None:
    plan = await counter.plan(AMOUNTS[word], "s2s")
    for _ in range(BREAKER_FAILURES + 1):
        order_id = await counter.ordered(plan)
        assert [one.state for one in await counter.attempts(order_id)] == ["unknown"]
        await all_is_well(counter)


async def test_a_cancel_that_is_to_hang_opens_no_breaker(counter: Counter) -> None:
    from gateway.orders.cancel import request_cancel

    slow = counter.with_("pikasim", timeout_seconds=5)
    order = await slow.followed(await slow.ordered(await slow.plan(AMOUNTS["cancel-hang"], "pikasim")))
    await request_cancel(slow.deps, "sf_one", "test", order.id)
    await slow.followed(order.id, looks=1)
    await all_is_well(slow)


async def test_what_is_no_trigger_still_teaches(counter: Counter) -> None:
    counter.trigger("s2s", "refuse_balance")
    await counter.ordered(await everyday_plan(counter, "s2s"))
    assert await counter.deps.pool.fetchval("SELECT no_balance_until > now() FROM suppliers WHERE name = 's2s'")
