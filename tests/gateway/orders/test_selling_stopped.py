"""A new order, top-up or checkout is refused while stops and pauses alone keep it from being sold."""

from __future__ import annotations

import pytest

from gateway.orders.admit import Admitted, validate
from gateway.orders.topup import admit_topup
from gateway.suppliers import selling_rows
from schemas.order_requests import NumberChoice, OrderForNumber, TopupForPlan
from tests.kit.admitted import code_of
from tests.kit.counter import STOREFRONT, Counter
from tests.kit.paydesk import paydesk


async def _stop(counter: Counter, *suppliers: str) -> None:
    for supplier in suppliers:
        await selling_rows.stop(counter.deps.pool, supplier, "person", "looking into it")


async def test_a_stop_of_all_refuses_every_order(counter: Counter) -> None:
    plan = await counter.plan(1, "s2s")
    await _stop(counter, selling_rows.ALL)
    assert code_of(await counter.admit(plan)) == "selling_stopped"
    number = OrderForNumber(number=NumberChoice("US", "7d"))
    assert code_of(await validate(counter.deps, STOREFRONT, "test", number)) == "selling_stopped"
    await selling_rows.go_on(counter.deps.pool, selling_rows.ALL)
    assert isinstance(await counter.admit(plan), Admitted)


@pytest.mark.parametrize("how", ["stop", "pause"])
async def test_so_does_a_stop_or_pause_of_all_that_sell_the_plan(counter: Counter, how: str) -> None:
    plan = await counter.plan(1, "s2s")
    if how == "stop":
        await _stop(counter, "beppay", "pikasim", "s2s")
    else:
        await counter.deps.pool.execute("UPDATE suppliers SET state = 'paused'")
    assert code_of(await counter.admit(plan)) == "selling_stopped"


async def test_an_offer_that_is_left_is_sold(counter: Counter) -> None:
    plan = await counter.plan(2, "s2s")  # sold by two
    await _stop(counter, "s2s")
    assert isinstance(await counter.admit(plan), Admitted)


async def test_what_could_not_be_sold_without_the_stop_either_has_no_stock(counter: Counter) -> None:
    plan = await counter.plan(1, "s2s")
    await counter.deps.pool.execute("UPDATE offers SET stock = 0 WHERE plan_id = $1", plan)
    await _stop(counter, "beppay", "pikasim", "s2s")
    assert code_of(await counter.admit(plan)) == "no_stock"


async def test_an_offer_that_is_stopped_and_one_without_stock_are_stopped_together(counter: Counter) -> None:
    plan = await counter.plan(2, "s2s")
    await counter.deps.pool.execute("UPDATE offers SET stock = 0 WHERE plan_id = $1 AND supplier <> 's2s'", plan)
    await _stop(counter, "s2s")
    assert code_of(await counter.admit(plan)) == "selling_stopped"


async def test_a_topup_is_refused_while_its_supplier_is_stopped(counter: Counter) -> None:
    esim = await counter.esim(await counter.ordered(await counter.plan(1, "s2s")))
    await _stop(counter, "s2s")
    body = TopupForPlan(plan_id=esim.plan_id)
    assert code_of(await admit_topup(counter.deps, STOREFRONT, "test", esim.id, body, "top")) == "selling_stopped"
    await selling_rows.go_on(counter.deps.pool, "s2s")
    assert isinstance(await admit_topup(counter.deps, STOREFRONT, "test", esim.id, body, "top"), Admitted)


@pytest.mark.parametrize("stopped", [("",), ("beppay", "pikasim", "s2s")], ids=["all", "each"])
async def test_a_checkout_is_refused_too_and_its_key_stays_free(counter: Counter, stopped: tuple[str, ...]) -> None:
    async with paydesk(counter) as desk:
        await _stop(counter, *stopped)
        assert code_of(await desk.opened(key="cart-1")) == "selling_stopped"
        for supplier in stopped:
            await selling_rows.go_on(counter.deps.pool, supplier)
        assert isinstance(await desk.opened(key="cart-1"), Admitted)
