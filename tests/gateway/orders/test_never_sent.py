"""A waiting order of which nothing was sent ends at once when it is cancelled, and asks no supplier."""

from __future__ import annotations

import pytest

from gateway.kit.problem import Problem
from gateway.orders.admit import Admitted
from gateway.orders.cancel import request_cancel
from gateway.orders.process import process_order
from gateway.orders.topup import admit_topup
from gateway.suppliers import selling_rows
from schemas.order_requests import TopupForPlan
from tests.kit.admitted import order_of
from tests.kit.counter import STOREFRONT, Counter


@pytest.mark.parametrize("supplier", ["pikasim", "s2s"], ids=["takes_back", "takes_nothing_back"])
@pytest.mark.parametrize("stopped", [False, True], ids=["selling", "stopped"])
async def test_it_is_cancelled_by_the_request_itself(counter: Counter, supplier: str, stopped: bool) -> None:
    admitted = await counter.admit(await counter.plan(1, supplier))
    assert isinstance(admitted, Admitted)
    if stopped:
        await selling_rows.stop(counter.deps.pool, selling_rows.ALL, "person")
    assert await request_cancel(counter.deps, STOREFRONT, "test", admitted.order_id) is None
    order = await counter.order(admitted.order_id)
    assert (order.status, order.next_poll_at) == ("cancelled", None)
    refund = await counter.deps.pool.fetchval("SELECT refund FROM orders WHERE id = $1", order.id)
    assert refund == order.price
    assert await counter.timeline(order.id) == ["admitted", "cancel_requested", "cancelled"]
    await selling_rows.go_on(counter.deps.pool, selling_rows.ALL)
    await process_order(counter.deps, order.id)
    assert await counter.attempts(order.id) == []
    assert not counter.simulator(supplier).sales()


async def test_it_is_cancelled_after_a_definite_refusal_too(counter: Counter) -> None:
    order_id = order_of(await counter.admit(await counter.plan(1, "s2s")))
    counter.trigger("s2s", "refuse_balance")
    await process_order(counter.deps, order_id)
    # As while it waits: a stop keeps the next offer from being bought.
    await counter.deps.pool.execute(
        "UPDATE orders SET status = 'pending', failure_code = NULL, failure_detail = NULL, next_poll_at = now()"
    )
    assert [one.state for one in await counter.attempts(order_id)] == ["failed"]
    assert await request_cancel(counter.deps, STOREFRONT, "test", order_id) is None
    assert (await counter.order(order_id)).status == "cancelled"


async def test_so_is_a_topup(counter: Counter) -> None:
    esim = await counter.esim(await counter.ordered(await counter.plan(1, "s2s")))
    body = TopupForPlan(plan_id=esim.plan_id)
    order_id = order_of(await admit_topup(counter.deps, STOREFRONT, "test", esim.id, body, "top"))
    assert await request_cancel(counter.deps, STOREFRONT, "test", order_id) is None
    assert (await counter.order(order_id)).status == "cancelled"


async def test_one_that_was_sent_is_asked_of_its_supplier(counter: Counter) -> None:
    order_id = await counter.ordered(await counter.plan(10, "pikasim"))
    assert [one.state for one in await counter.attempts(order_id)] == ["unknown"]
    assert await request_cancel(counter.deps, STOREFRONT, "test", order_id) is None
    assert (await counter.order(order_id)).status == "cancel_pending"


async def test_another_storefronts_is_not_there(counter: Counter) -> None:
    order_id = order_of(await counter.admit(await counter.plan(1, "pikasim")))
    answer = await request_cancel(counter.deps, "sf_two", "test", order_id)
    assert isinstance(answer, Problem)
    assert (await counter.order(order_id)).status == "pending"
