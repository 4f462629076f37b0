"""Top-ups, bound to the eSIM's supplier, and giving an unused eSIM back."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from gateway.inventory.esims import poll, with_usage
from gateway.kit.problem import Problem
from gateway.orders.admit import Admitted
from gateway.orders.cancel import request_cancel
from gateway.orders.process import process_order
from gateway.orders.resolve import resolve
from gateway.orders.topup import admit_topup, topup_options
from schemas.errors import NotFound
from schemas.order_requests import TopupForOption, TopupForPlan
from tests.kit.admitted import code_of, order_of
from tests.kit.counter import STOREFRONT, Counter


async def _topped_up(counter: Counter, order_id: str, key: str = "top") -> str:
    """An order for the option that is the bought plan itself: each plan of the sandbox goes wrong in its own way."""
    esim = await counter.esim(order_id)
    options = await topup_options(counter.deps, STOREFRONT, "test", esim.id)
    assert not isinstance(options, Problem)
    own = next(one for one in options if one.offer.plan_id == esim.plan_id)
    body = TopupForOption(topup_plan_id=own.id)
    admitted = await admit_topup(counter.deps, STOREFRONT, "test", esim.id, body, key)
    assert isinstance(admitted, Admitted), admitted
    await process_order(counter.deps, admitted.order_id)
    return admitted.order_id


@pytest.mark.parametrize("supplier", ["pikasim", "s2s"])
async def test_data_is_added_to_the_esim_at_its_own_supplier(counter: Counter, supplier: str) -> None:
    order_id = await counter.delivered(supplier)
    esim = await counter.esim(order_id)
    options = await topup_options(counter.deps, STOREFRONT, "test", esim.iccid)
    assert not isinstance(options, Problem)
    prices = [one.price.amount for one in options]
    assert prices == sorted(prices)
    assert len(options) > 1
    ordered = await _topped_up(counter, order_id)
    order = await counter.followed(ordered)
    assert (order.status, order.kind, order.target_esim_id) == ("fulfilled", "topup", esim.id)
    (attempt,) = await counter.attempts(ordered)
    assert (attempt.supplier, attempt.kind, attempt.state) == (supplier, "topup", "succeeded")
    sale = counter.simulator(supplier).sales()[-1]
    assert (sale.iccid, sale.kind) == (esim.iccid, "topup")
    assert await counter.ledger(ordered) == [(supplier, "charge", f"{sale.charged.normalize():f}")]


async def test_a_topup_by_plan_is_the_same_plan_at_its_supplier(counter: Counter) -> None:
    order_id = await counter.delivered("s2s")
    esim = await counter.esim(order_id)
    body = TopupForPlan(plan_id=esim.plan_id)
    admitted = await admit_topup(counter.deps, STOREFRONT, "test", esim.iccid, body, "by-plan")
    assert isinstance(admitted, Admitted)
    again = await admit_topup(counter.deps, STOREFRONT, "test", esim.id, body, "by-plan")
    assert again == Admitted(admitted.order_id, replayed=True)


async def test_the_key_of_a_topup_answers_its_order_after_the_supplier_left_the_configuration(counter: Counter) -> None:
    esim = await counter.esim(await counter.delivered("s2s"))
    body, other = TopupForPlan(plan_id=esim.plan_id), TopupForPlan(plan_id=esim.plan_id, reference="MINE")
    order_id = order_of(await admit_topup(counter.deps, STOREFRONT, "test", esim.id, body, "top"))
    left = {name: account for name, account in counter.deps.accounts.items() if name != "s2s"}
    deps = replace(counter.deps, accounts=left)
    for name in (esim.id, esim.iccid):
        again = await admit_topup(deps, STOREFRONT, "test", name, body, "top")
        assert again == Admitted(order_id, replayed=True)
    problems = {key: await admit_topup(deps, STOREFRONT, "test", esim.id, other, key) for key in ("top", "new")}
    assert {key: one.code for key, one in problems.items() if isinstance(one, Problem)} == {
        "top": "idempotency_mismatch",
        "new": "unavailable",
    }


async def test_a_refused_topup_is_not_tried_anywhere_else(counter: Counter) -> None:
    order_id = await counter.delivered("pikasim")
    counter.trigger("pikasim", "refuse_balance", act="topup")
    order = await counter.followed(await _topped_up(counter, order_id))
    row = await counter.deps.pool.fetchrow("SELECT status, failure_code FROM orders WHERE id = $1", order.id)
    assert tuple(row) == ("failed", "supplier_unavailable")
    assert len(await counter.attempts(order.id)) == 1


async def test_a_topup_without_an_answer_is_looked_up(counter: Counter) -> None:
    order_id = await counter.delivered("s2s")
    counter.trigger("s2s", "charge_then_reset", act="topup")
    order = await counter.followed(await _topped_up(counter, order_id))
    assert order.status == "fulfilled"
    assert len(counter.simulator("s2s").sales()) == 2


async def test_beppay_adds_no_data_and_says_why(counter: Counter) -> None:
    order_id = await counter.delivered("beppay")
    esim = await counter.esim(order_id)
    for answer in (
        await topup_options(counter.deps, STOREFRONT, "test", esim.id),
        await admit_topup(counter.deps, STOREFRONT, "test", esim.id, TopupForPlan(plan_id=esim.plan_id), "k"),
    ):
        assert isinstance(answer, Problem)
        assert answer.code == "not_supported"
        assert "topup" in answer.detail


async def test_anothers_esim_cannot_be_topped_up(counter: Counter) -> None:
    esim = await counter.esim(await counter.delivered("s2s"))
    refused = await admit_topup(counter.deps, "sf_two", "test", esim.id, TopupForPlan(plan_id=esim.plan_id), "k")
    assert code_of(refused) == "not_found"


async def _cancelled(counter: Counter, order_id: str) -> None:
    for _ in range(3):
        assert await request_cancel(counter.deps, STOREFRONT, "test", order_id) is None
    await asyncio.gather(*(process_order(counter.deps, order_id) for _ in range(5)))


async def test_a_cancel_is_sent_once_and_the_ledger_has_the_suppliers_own_refund(counter: Counter) -> None:
    order_id = await counter.delivered("pikasim")
    await _cancelled(counter, order_id)
    order = await counter.order(order_id)
    assert order.status == "cancelled"
    refund = await counter.deps.pool.fetchval("SELECT refund FROM orders WHERE id = $1", order_id)
    assert refund == order.price
    # The supplier charged more than it listed, and gives the listed amount back.
    assert await counter.ledger(order_id) == [("pikasim", "charge", "10.36"), ("pikasim", "refund", "10")]
    assert [one.kind for one in await counter.attempts(order_id)] == ["purchase", "cancel"]


async def test_a_cancel_that_is_refused_leaves_the_order_fulfilled(counter: Counter) -> None:
    order_id = await counter.delivered("pikasim", 25)
    await _cancelled(counter, order_id)
    assert (await counter.order(order_id)).status == "fulfilled"
    assert "cancel_refused" in await counter.timeline(order_id)
    # It may be asked for again.
    await _cancelled(counter, order_id)
    assert len(await counter.attempts(order_id)) == 3


async def test_a_cancel_without_an_answer_is_found_by_its_refund(counter: Counter) -> None:
    order_id = await counter.delivered("pikasim", 26)
    await _cancelled(counter, order_id)
    assert (await counter.order(order_id)).status == "cancel_pending"
    assert (await counter.followed(order_id)).status == "cancelled"
    assert (await counter.ledger(order_id))[-1] == ("pikasim", "refund", "10")


async def test_a_cancel_that_nobody_can_tell_is_for_a_person_and_never_sent_again(counter: Counter) -> None:
    order_id = await counter.delivered("pikasim", 27)
    await _cancelled(counter, order_id)
    assert (await counter.followed(order_id, looks=20)).status == "needs_review"
    assert len(await counter.attempts(order_id)) == 2
    assert await resolve(counter.deps, order_id, "fulfilled", "it is still there") is None
    assert (await counter.order(order_id)).status == "fulfilled"


async def test_what_an_operator_decides_of_a_cancel_is_in_timeline_and_ledger(counter: Counter) -> None:
    order_id = await counter.delivered("pikasim", 27)
    await _cancelled(counter, order_id)
    assert (await counter.followed(order_id, looks=20)).status == "needs_review"
    assert await resolve(counter.deps, order_id, "refunded", "their support gave it back") is None
    assert (await counter.order(order_id)).status == "cancelled"
    assert (await counter.timeline(order_id))[-2:] == ["resolved", "cancelled"]
    assert [kind for _, kind, _ in await counter.ledger(order_id)] == ["charge", "refund"]


async def test_a_cancel_of_an_unknown_order_waits_until_it_is_known(counter: Counter) -> None:
    order_id = await counter.ordered(await counter.plan(10, "pikasim"))
    assert [one.state for one in await counter.attempts(order_id)] == ["unknown"]
    assert await request_cancel(counter.deps, STOREFRONT, "test", order_id) is None
    assert (await counter.followed(order_id)).status == "cancelled"
    assert (await counter.ledger(order_id))[-1] == ("pikasim", "refund", "10")


async def test_an_order_that_was_not_sent_is_cancelled_without_asking_anyone(counter: Counter) -> None:
    order_id = order_of(await counter.admit(await counter.plan(1, "pikasim")))
    assert await request_cancel(counter.deps, STOREFRONT, "test", order_id) is None
    await process_order(counter.deps, order_id)
    assert (await counter.order(order_id)).status == "cancelled"
    assert not counter.simulator("pikasim").sales()


async def test_where_the_supplier_takes_nothing_back_that_is_said(counter: Counter) -> None:
    order_id = await counter.delivered("s2s")
    assert code_of(await request_cancel(counter.deps, STOREFRONT, "test", order_id)) == "not_supported"
    assert (await counter.order(order_id)).status == "fulfilled"


async def test_a_person_fulfils_what_the_supplier_only_half_told(counter: Counter) -> None:
    order = await counter.followed(await counter.ordered(await counter.plan(9, "beppay")))
    assert order.status == "needs_review"
    code = "LPA:1$smdp.example.com$ABC-123"
    assert code_of(await resolve(counter.deps, order.id, "fulfilled", "told by mail", "LPA:1$half")) == "invalid"
    assert await resolve(counter.deps, order.id, "fulfilled", "told by mail", code) is None
    assert (await counter.order(order.id)).status == "fulfilled"
    esim = await counter.esim(order.id)
    assert esim.activation_code == code
    assert esim.iccid == counter.simulator("beppay").sales()[-1].iccid
    assert isinstance(await resolve(counter.deps, order.id, "failed", "again"), Problem)


async def test_what_a_person_calls_refunded_is_in_the_ledger(counter: Counter) -> None:
    order = await counter.followed(await counter.ordered(await counter.plan(20, "s2s")))
    assert order.status == "needs_review"
    assert await resolve(counter.deps, order.id, "refunded", "their support gave it back") is None
    assert (await counter.order(order.id)).status == "cancelled"
    assert [kind for _, kind, _ in await counter.ledger(order.id)] == ["charge", "refund"]


async def test_an_esim_of_test_money_is_not_touched_at_an_account_that_turned_live(counter: Counter) -> None:
    order_id = await counter.delivered("s2s")
    esim = await counter.esim(order_id)
    live = counter.with_("s2s", mode="live")
    counter.clock.pass_(hours=1)
    writes, sales = counter.calls("s2s"), len(counter.simulator("s2s").sales())
    assert code_of(await topup_options(live.deps, STOREFRONT, "test", esim.id)) == "unavailable"
    body = TopupForPlan(plan_id=esim.plan_id)
    assert code_of(await admit_topup(live.deps, STOREFRONT, "test", esim.id, body, "top-live")) == "unavailable"
    assert code_of(await with_usage(live.deps, STOREFRONT, "test", esim.id, fresh=True)) == "unavailable"
    with pytest.raises(NotFound):
        await poll(live.deps, esim)
    assert (counter.calls("s2s"), len(counter.simulator("s2s").sales())) == (writes, sales)


async def test_an_order_of_test_money_is_not_cancelled_at_an_account_that_turned_live(counter: Counter) -> None:
    order_id = await counter.delivered("pikasim")
    live = counter.with_("pikasim", mode="live")
    assert code_of(await request_cancel(live.deps, STOREFRONT, "test", order_id)) == "not_supported"
    assert (await counter.order(order_id)).status == "fulfilled"
