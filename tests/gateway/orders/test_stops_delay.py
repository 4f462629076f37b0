"""A stop or a pause delays an admitted order and never ends it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from gateway.orders import attempt_rows
from gateway.orders.admit import admit
from gateway.orders.process import process_order
from gateway.orders.topup import admit_topup
from gateway.suppliers import selling_rows
from schemas.order_requests import NumberChoice, OrderForNumber, TopupForPlan
from tests.kit.admitted import order_of
from tests.kit.common_plan import PLAN_ID, SELLERS, common_plan
from tests.kit.counter import STOREFRONT, Counter
from tests.kit.paydesk import paydesk

ALL_SELLERS = tuple(name for name, _ in SELLERS)
# Longer than an order may wait for a supplier's rate.
LONG = timedelta(minutes=20)


class Hold:
    """One way to keep suppliers from selling, and to let them sell again."""

    def __init__(self, counter: Counter, how: str, suppliers: tuple[str, ...]) -> None:
        self._pool, self._how, self._suppliers = counter.deps.pool, how, suppliers

    async def begin(self) -> None:
        if self._how == "pause":
            await self._set_state("paused")
        for supplier in self._stopped():
            await selling_rows.stop(self._pool, supplier, "person", "looking into it")

    async def end(self) -> None:
        if self._how == "pause":
            await self._set_state("active")
        for supplier in self._stopped():
            assert await selling_rows.go_on(self._pool, supplier)

    def _stopped(self) -> tuple[str, ...]:
        return {"stop": self._suppliers, "stop all": (selling_rows.ALL,), "pause": ()}[self._how]

    async def _set_state(self, state: str) -> None:
        await self._pool.execute("UPDATE suppliers SET state = $1 WHERE name = ANY($2)", state, list(self._suppliers))


async def _admitted(counter: Counter, plan: str) -> str:
    return order_of(await counter.admit(plan))


async def _assert_waits(counter: Counter, order_id: str) -> None:
    """The order waits however long the stop lasts, and a worker comes back to it within seconds."""
    for ahead in (LONG, timedelta(0)):  # at last as the suppliers' clocks, which stand still
        counter.clock.ahead = ahead
        await process_order(counter.deps, order_id)
        order = await counter.order(order_id)
        assert order.status == "pending"
        assert order.next_poll_at is not None
        assert order.next_poll_at - counter.clock() <= timedelta(seconds=10)
    assert [one.state for one in await counter.attempts(order_id) if one.state != "failed"] == []


@pytest.mark.parametrize("how", ["stop", "stop all", "pause"])
async def test_an_order_waits_while_every_offer_is_held_and_goes_on_afterwards(counter: Counter, how: str) -> None:
    order_id = await _admitted(counter, await common_plan(counter))
    hold = Hold(counter, how, ALL_SELLERS)
    await hold.begin()
    await _assert_waits(counter, order_id)
    assert not any(counter.simulator(name).sales() for name in ALL_SELLERS)
    await hold.end()
    assert (await counter.followed(order_id)).status == "fulfilled"
    assert [one.supplier for one in await counter.attempts(order_id)] == ["pikasim"]


@pytest.mark.parametrize("how", ["stop", "pause"])
async def test_with_one_supplier_held_the_next_offer_is_bought(counter: Counter, how: str) -> None:
    order_id = await _admitted(counter, await common_plan(counter))
    await Hold(counter, how, ("pikasim",)).begin()
    await process_order(counter.deps, order_id)
    assert (await counter.followed(order_id)).status == "fulfilled"
    assert [one.supplier for one in await counter.attempts(order_id)] == ["s2s"]


@pytest.mark.parametrize("how", ["stop", "pause"])
async def test_an_offer_above_what_the_order_may_cost_does_not_end_the_wait(counter: Counter, how: str) -> None:
    order_id = await _admitted(counter, await common_plan(counter))
    await counter.deps.pool.execute("UPDATE offers SET cost = 50 WHERE plan_id = $1 AND supplier <> 'pikasim'", PLAN_ID)
    hold = Hold(counter, how, ("pikasim",))
    await hold.begin()
    await _assert_waits(counter, order_id)
    await hold.end()
    assert (await counter.followed(order_id)).status == "fulfilled"
    assert [one.supplier for one in await counter.attempts(order_id)] == ["pikasim"]


async def test_an_order_that_was_refused_once_waits_for_the_offer_that_is_held(counter: Counter) -> None:
    order_id = await _admitted(counter, await common_plan(counter, "pikasim", "s2s"))
    hold = Hold(counter, "stop", ("s2s",))
    await hold.begin()
    counter.trigger("pikasim", "refuse_stock")
    await process_order(counter.deps, order_id)
    await _assert_waits(counter, order_id)
    await hold.end()
    assert (await counter.followed(order_id)).status == "fulfilled"
    assert [(one.supplier, one.state) for one in await counter.attempts(order_id)] == [
        ("pikasim", "failed"),
        ("s2s", "succeeded"),
    ]


@pytest.mark.parametrize("how", ["stop", "stop all", "pause"])
async def test_a_hold_that_comes_after_the_choice_is_seen_by_the_send(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    hold = Hold(counter, how, ALL_SELLERS)
    begin: Callable[..., Awaitable[Any]] = attempt_rows.begin

    async def late(connection: object, *args: object, **more: object) -> Any:
        await hold.begin()
        return await begin(connection, *args, **more)

    order_id = await _admitted(counter, await common_plan(counter))
    with monkeypatch.context() as patched:
        patched.setattr(attempt_rows, "begin", late)
        await process_order(counter.deps, order_id)
    assert not any(counter.simulator(name).sales() for name in ALL_SELLERS)
    await _assert_waits(counter, order_id)
    await hold.end()
    assert (await counter.followed(order_id)).status == "fulfilled"
    assert sum(len(counter.simulator(name).sales()) for name in ALL_SELLERS) == 1


@pytest.mark.parametrize("how", ["stop", "stop all", "pause"])
async def test_a_topup_waits_for_its_supplier(counter: Counter, how: str) -> None:
    esim = await counter.esim((await counter.followed(await counter.ordered(await counter.plan(1, "s2s")))).id)
    body = TopupForPlan(plan_id=esim.plan_id)
    order_id = order_of(await admit_topup(counter.deps, STOREFRONT, "test", esim.id, body, "top"))
    hold = Hold(counter, how, ("s2s",))
    await hold.begin()
    await _assert_waits(counter, order_id)
    await hold.end()
    assert (await counter.followed(order_id)).status == "fulfilled"
    assert [sale.kind for sale in counter.simulator("s2s").sales()] == ["esim", "topup"]


@pytest.mark.parametrize("how", ["stop", "stop all", "pause"])
async def test_a_number_waits_for_its_supplier(counter: Counter, how: str) -> None:
    body = OrderForNumber(number=NumberChoice("US", "7d"))
    order_id = order_of(await admit(counter.deps, STOREFRONT, "test", body, "number"))
    hold = Hold(counter, how, ("beppay", "pikasim", "s2s"))
    await hold.begin()
    await _assert_waits(counter, order_id)
    await hold.end()
    assert (await counter.followed(order_id)).status == "fulfilled"


@pytest.mark.parametrize("how", ["stop", "stop all", "pause"])
async def test_a_checkout_that_is_paid_during_a_hold_is_delivered_afterwards(counter: Counter, how: str) -> None:
    async with paydesk(counter) as desk:
        checkout_id = await desk.open(await common_plan(counter))
        hold = Hold(counter, how, ALL_SELLERS)
        await hold.begin()
        await desk.pay(checkout_id)
        order_id = (await desk.checkout(checkout_id)).order_id
        assert order_id is not None
        await _assert_waits(counter, order_id)
        await hold.end()
        delivered = await desk.delivered(checkout_id)
        assert (delivered.order_status, delivered.review) == ("fulfilled", None)


async def test_an_order_that_waits_behind_a_stop_is_not_bought_above_its_price(counter: Counter) -> None:
    order_id = await _admitted(counter, await common_plan(counter, "s2s"))
    hold = Hold(counter, "stop", ("s2s",))
    await hold.begin()
    await _assert_waits(counter, order_id)
    await counter.deps.pool.execute("UPDATE offers SET cost = 50 WHERE plan_id = $1", PLAN_ID)
    await hold.end()
    await process_order(counter.deps, order_id)
    row = await counter.deps.pool.fetchrow("SELECT status, failure_code FROM orders WHERE id = $1", order_id)
    assert tuple(row) == ("failed", "price_changed")
    assert not counter.simulator("s2s").sales()
