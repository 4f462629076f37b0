"""The next supplier is asked only when nothing was bought, and each refusal teaches something."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gateway.kit.problem import Problem
from gateway.orders import attempt_rows, buy
from gateway.orders.admit import Admitted, admit, validate
from gateway.orders.observations import NotFoundAtSupplier
from gateway.orders.process import process_order
from gateway.orders.settle import settle
from gateway.suppliers import selling_rows
from schemas.errors import NotAuthorised, TimedOut
from schemas.order import PurchaseRequest, SupplierOrder, SupplierOrderState
from schemas.order_requests import NumberChoice, OrderForNumber, OrderForPlan, PriceLimit, SupplierChoice
from tests.kit.admitted import code_of, order_of
from tests.kit.counter import STOREFRONT, Counter

# Who sells the plan that the first one refuses.
NEXT = {"beppay": "pikasim", "pikasim": "s2s", "s2s": "beppay"}


@pytest.mark.parametrize("supplier", NEXT)
async def test_out_of_stock_goes_to_the_next_supplier_and_marks_the_offer(counter: Counter, supplier: str) -> None:
    plan = await counter.real_plan(2, supplier)
    order = await counter.followed(await counter.ordered(plan))
    assert order.status == "fulfilled"
    first, second = await counter.attempts(order.id)
    assert (first.supplier, first.state, first.error_code) == (supplier, "failed", "out_of_stock")
    assert (second.supplier, second.state) == (NEXT[supplier], "succeeded")
    mark = await counter.deps.pool.fetchrow("SELECT * FROM offer_marks WHERE supplier = $1", supplier)
    assert (mark["why"], mark["supplier_plan_id"]) == ("out_of_stock", first.supplier_plan_id)
    assert mark["until"] > datetime.now(UTC)
    # The next order does not ask there again.
    again = await counter.followed(await counter.ordered(plan))
    assert [one.supplier for one in await counter.attempts(again.id)] == [NEXT[supplier]]


async def test_without_our_money_there_a_supplier_is_left_alone_for_a_while(counter: Counter) -> None:
    order = await counter.followed(await counter.ordered(await counter.real_plan(3, "s2s")))
    assert order.status == "fulfilled"
    assert code_of(await counter.admit(await counter.plan(1, "s2s"))) == "no_stock"
    await counter.deps.pool.execute("UPDATE suppliers SET no_balance_until = now() - interval '1 second'")
    assert isinstance(await counter.admit(await counter.plan(1, "s2s")), Admitted)


async def test_an_account_that_is_refused_for_one_plan_only_is_passed_over_and_not_stopped(counter: Counter) -> None:
    order = await counter.followed(await counter.ordered(await counter.plan(4, "pikasim")))
    assert order.status == "fulfilled"
    assert [one.error_code for one in await counter.attempts(order.id)] == ["not_authorised", None]
    assert await selling_rows.stops(counter.deps.pool) == {}


async def test_an_account_that_is_refused_everything_is_stopped(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused() -> None:
        raise NotAuthorised("Account suspended", supplier="pikasim")

    monkeypatch.setattr(counter.deps.accounts["pikasim"].provider, "balance", refused)
    order = await counter.followed(await counter.ordered(await counter.plan(4, "pikasim")))
    assert order.status == "fulfilled"
    assert await selling_rows.stops(counter.deps.pool) == {"pikasim": ["account"]}
    assert code_of(await counter.admit(await counter.plan(1, "pikasim"))) == "selling_stopped"


async def test_nothing_is_bought_elsewhere_while_an_attempt_is_unknown(counter: Counter) -> None:
    counter.trigger("s2s", "charge_then_500")
    order_id = await counter.ordered(await counter.plan(2, "pikasim"))
    tries = await counter.attempts(order_id)
    assert [(one.supplier, one.state) for one in tries] == [("pikasim", "failed"), ("s2s", "unknown")]
    await asyncio.gather(*(process_order(counter.deps, order_id, poll=True) for _ in range(8)))
    assert (await counter.order(order_id)).status == "fulfilled"
    assert len(counter.simulator("s2s").sales()) == 1
    assert not counter.simulator("beppay").sales()


async def test_many_processes_that_advance_one_order_buy_once(counter: Counter) -> None:
    order_id = order_of(await counter.admit(await counter.plan(1, "pikasim")))
    await asyncio.gather(*(process_order(counter.deps, order_id) for _ in range(12)))
    assert len(counter.simulator("pikasim").sales()) == 1
    assert len(await counter.attempts(order_id)) == 1


async def test_a_run_that_was_lost_before_it_sent_is_looked_up_and_never_sent_again(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed(*_: object) -> None:
        return None

    monkeypatch.setattr(buy, "send", killed)
    order_id = await counter.ordered(await counter.plan(1, "s2s"))
    monkeypatch.undo()
    assert [one.state for one in await counter.attempts(order_id)] == ["sending"]
    order = await counter.followed(order_id, looks=20)
    assert order.status == "needs_review"
    assert [one.error_code for one in await counter.attempts(order_id)] == ["lost"]
    assert not counter.simulator("s2s").sales()


async def test_where_absence_is_trusted_the_order_goes_on_after_the_quiescence(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting = counter.with_("s2s", trust_absence=True)
    trusting.trigger("s2s", "500")
    order = await trusting.followed(await trusting.ordered(await trusting.plan(2, "pikasim")), looks=20)
    tries = await trusting.attempts(order.id)
    assert [(one.supplier, one.error_code) for one in tries] == [("pikasim", "out_of_stock"), ("s2s", "absent")]
    assert order.status == "failed"


async def test_bepPay_sells_esims_to_several_orders_side_by_side(counter: Counter) -> None:  # noqa: N802 - its name
    slow = counter.with_("beppay", timeout_seconds=5.0)
    together = asyncio.Barrier(4)
    provider = slow.deps.accounts["beppay"].provider
    purchase = provider.purchase

    async def watched(request: PurchaseRequest) -> SupplierOrder:
        await asyncio.wait_for(together.wait(), 60)  # no call goes on before all four are under way
        return await purchase(request)

    provider.purchase = watched  # type: ignore[method-assign]
    plan = await slow.plan(1, "beppay")
    admitted = [await slow.admit(plan) for _ in range(4)]
    ids = [one.order_id for one in admitted if isinstance(one, Admitted)]
    await asyncio.gather(*(process_order(slow.deps, order_id) for order_id in ids))
    assert [(await slow.order(order_id)).status for order_id in ids] == ["fulfilled"] * 4


async def test_bepPay_sells_numbers_to_one_order_at_a_time(counter: Counter) -> None:  # noqa: N802 - its name
    running = most = 0
    provider = counter.deps.accounts["beppay"].provider
    purchase = provider.purchase_number

    async def watched(request: PurchaseRequest) -> SupplierOrder:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.05)
        try:
            return await purchase(request)
        finally:
            running -= 1

    provider.purchase_number = watched  # type: ignore[method-assign]
    ids = []
    for number, (country, tier) in enumerate((("US", "7d"), ("GB", "7d"), ("US", "1y"), ("GB", "1y"))):
        body = OrderForNumber(number=NumberChoice(country, tier))
        admitted = await admit(counter.deps, STOREFRONT, "test", body, f"apart-{number}")
        assert isinstance(admitted, Admitted), admitted
        ids.append(admitted.order_id)
    await asyncio.gather(*(process_order(counter.deps, order_id) for order_id in ids))
    for order_id in ids:
        assert (await counter.followed(order_id, looks=30)).status == "fulfilled"
    assert most == 1


async def test_charged_more_than_listed_is_recorded_and_stops_the_offer(counter: Counter) -> None:
    plan = await counter.real_plan(15, "s2s")
    order = await counter.followed(await counter.ordered(plan))
    assert order.status == "fulfilled"
    (attempt,) = await counter.attempts(order.id)
    assert attempt.listed is not None
    assert attempt.charged is not None
    assert attempt.charged > attempt.listed
    assert "charged_more" in await counter.timeline(order.id)
    mark = await counter.deps.pool.fetchrow("SELECT why, charged FROM offer_marks WHERE supplier = 's2s'")
    assert tuple(mark) == ("stopped", attempt.charged)
    assert code_of(await counter.admit(plan)) == "no_stock"


async def test_an_offer_above_what_the_order_may_cost_is_not_bought(counter: Counter) -> None:
    order_id = order_of(await counter.admit(await counter.plan(1, "s2s")))
    await counter.deps.pool.execute("UPDATE offers SET cost = cost * 2 WHERE supplier = 's2s'")
    await process_order(counter.deps, order_id)
    order = await counter.order(order_id)
    row = await counter.deps.pool.fetchrow("SELECT status, failure_code FROM orders WHERE id = $1", order.id)
    assert tuple(row) == ("failed", "price_changed")
    assert not counter.simulator("s2s").sales()


async def test_suppliers_that_were_ruled_out_are_not_asked(counter: Counter) -> None:
    plan = await counter.plan(2, "pikasim")
    only = await counter.followed(await counter.ordered(plan, suppliers=SupplierChoice(only=["pikasim"])))
    row = await counter.deps.pool.fetchrow("SELECT status, failure_code FROM orders WHERE id = $1", only.id)
    assert tuple(row) == ("failed", "no_stock")
    await counter.deps.pool.execute("DELETE FROM offer_marks")
    ignoring = await counter.followed(await counter.ordered(plan, suppliers=SupplierChoice(ignore=["pikasim"])))
    assert [one.supplier for one in await counter.attempts(ignoring.id)] == ["s2s"]


async def test_a_suppliers_daily_limit_passes_it_over(counter: Counter) -> None:
    limited = counter.with_("s2s", daily_spend_limit=Decimal(15))
    plan = await limited.plan(1, "s2s")
    assert (await limited.followed(await limited.ordered(plan))).status == "fulfilled"
    assert code_of(await limited.admit(plan)) == "spend_limit"


async def test_a_storefronts_daily_limit_holds_for_many_at_once(counter: Counter) -> None:
    await counter.deps.pool.execute("UPDATE storefronts SET daily_spend_limit = 25 WHERE id = $1", STOREFRONT)
    plan = await counter.plan(1, "s2s")
    answers = await asyncio.gather(*(counter.admit(plan) for _ in range(6)))
    assert sum(isinstance(one, Admitted) for one in answers) == 2  # 11.00 each
    assert {one.code for one in answers if isinstance(one, Problem)} == {"spend_limit"}
    assert code_of(await validate(counter.deps, STOREFRONT, "test", OrderForPlan(plan_id=plan))) == "spend_limit"


async def test_what_a_failed_order_was_to_cost_counts_no_more(counter: Counter) -> None:
    await counter.deps.pool.execute("UPDATE storefronts SET daily_spend_limit = 12 WHERE id = $1", STOREFRONT)
    order = await counter.followed(await counter.ordered(await counter.plan(17, "s2s")))
    assert order.status == "failed"
    assert isinstance(await counter.admit(await counter.plan(1, "s2s")), Admitted)


async def test_after_a_restore_nothing_is_sent_and_orders_wait(counter: Counter) -> None:
    order_id = order_of(await counter.admit(await counter.plan(1, "s2s")))
    await selling_rows.stop(counter.deps.pool, selling_rows.ALL, "restored")
    await process_order(counter.deps, order_id)
    assert not await counter.attempts(order_id)
    assert code_of(await counter.admit(await counter.plan(1, "s2s"))) == "selling_stopped"
    await selling_rows.go_on(counter.deps.pool, selling_rows.ALL)
    assert (await counter.followed(order_id)).status == "fulfilled"


async def test_a_stop_that_comes_between_choice_and_send_is_seen(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = attempt_rows.begin

    async def late(connection: object, *args: object, **more: object) -> str:
        await selling_rows.stop(counter.deps.pool, "s2s", "person")
        return await begin_as_it_is(connection, *args, **more)

    begin_as_it_is = begun
    monkeypatch.setattr(attempt_rows, "begin", late)
    order_id = await counter.ordered(await counter.plan(1, "s2s"))
    assert not await counter.attempts(order_id)
    assert not counter.simulator("s2s").sales()


async def test_the_price_limit_of_the_customer_holds(counter: Counter) -> None:
    plan = await counter.plan(1, "s2s")
    assert code_of(await counter.admit(plan, max_price=PriceLimit(amount="10.99", currency="USD"))) == "price_changed"
    assert isinstance(await counter.admit(plan, max_price=PriceLimit(amount="11.00", currency="USD")), Admitted)


async def test_a_late_answer_changes_nothing_that_is_settled(counter: Counter) -> None:
    order_id = await counter.ordered(await counter.plan(1, "beppay"))
    (attempt,) = await counter.attempts(order_id)
    before = await counter.order(order_id)
    told = SupplierOrder("9", None, SupplierOrderState.FAILED)
    for truth in (TimedOut("late"), NotFoundAtSupplier(counter.clock()), told):
        async with counter.deps.pool.acquire() as connection, connection.transaction():
            settled = await settle(counter.deps, connection, attempt.id, truth)
            assert settled is not None
            assert not settled.changed or truth is told
    after = await counter.order(order_id)
    assert (after.status, before.status) == ("fulfilled", "fulfilled")
    assert [one.state for one in await counter.attempts(order_id)] == ["succeeded"]


async def test_a_second_supplier_order_of_the_same_id_is_for_a_person(counter: Counter) -> None:
    first = await counter.ordered(await counter.plan(1, "s2s"))
    (bought,) = await counter.attempts(first)
    counter.trigger("s2s", "500")
    second = await counter.ordered(await counter.plan(1, "s2s"))
    (unknown,) = await counter.attempts(second)
    told = SupplierOrder(bought.supplier_order_id, unknown.id, SupplierOrderState.PENDING)
    async with counter.deps.pool.acquire() as connection, connection.transaction():
        await settle(counter.deps, connection, unknown.id, told)
    assert (await counter.order(second)).status == "needs_review"
