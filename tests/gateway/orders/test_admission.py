"""Admission: one order for one key, the price that was shown or none, and problems that use no key up."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import msgspec

from gateway.kit.problem import Problem
from gateway.orders.admit import Admitted, Valid, admit, validate
from providers.s2s.sandbox.products import sku_id
from providers.simulator import Fault, FaultKind
from schemas.api import Plan
from schemas.order_requests import Customer, OrderForPlan, OrderForQuote
from schemas.quotes import NeedFeatures
from tests.kit.admitted import code_of, order_of
from tests.kit.counter import STOREFRONT, Counter
from tests.kit.held_quote import held_quote


async def _old(counter: Counter) -> None:
    """All offers were observed longer ago than prices are believed without asking."""
    await counter.deps.pool.execute("UPDATE suppliers SET last_good_at = now() - interval '10 minutes'")


async def test_the_same_key_gives_the_same_order_however_many_ask_at_once(counter: Counter) -> None:
    plan = await counter.plan(1, "s2s")
    answers = await asyncio.gather(*(counter.admit(plan, "one-key") for _ in range(20)))
    assert {one.order_id for one in answers if isinstance(one, Admitted)} == {answers[0].order_id}  # type: ignore[union-attr]
    assert sum(isinstance(one, Admitted) and not one.replayed for one in answers) == 1
    assert await counter.deps.pool.fetchval("SELECT count(*) FROM orders") == 1


async def test_another_body_under_a_key_is_a_mismatch_for_ever(counter: Counter) -> None:
    plan = await counter.plan(1, "s2s")
    first = await counter.admit(plan, "k")
    counter.clock.pass_(days=40)
    assert code_of(await counter.admit(plan, "k", reference="MINE")) == "idempotency_mismatch"
    assert isinstance(first, Admitted)
    assert await counter.admit(plan, "k") == Admitted(first.order_id, replayed=True)


async def test_a_key_belongs_to_a_storefront_and_a_problem_does_not_use_it_up(counter: Counter) -> None:
    plan = await counter.plan(1, "s2s")
    assert code_of(await counter.admit("no-such-plan", "k")) == "no_plan"
    first = await counter.admit(plan, "k")
    second = await admit(counter.deps, "sf_two", "test", OrderForPlan(plan_id=plan), "k")
    assert isinstance(first, Admitted)
    assert isinstance(second, Admitted)
    assert first.order_id != second.order_id


async def test_a_reference_is_used_once(counter: Counter) -> None:
    plan = await counter.plan(1, "s2s")
    assert isinstance(await counter.admit(plan, reference="MINE"), Admitted)
    again = await counter.admit(plan, reference="MINE")
    checked = await validate(counter.deps, STOREFRONT, "test", OrderForPlan(plan_id=plan, reference="MINE"))
    for answer in (again, checked):
        assert isinstance(answer, Problem)
        assert answer.code == "duplicate_reference"


async def test_the_order_holds_the_plan_as_it_was_shown_and_the_address_sealed(counter: Counter) -> None:
    body = OrderForPlan(plan_id=await counter.plan(1, "s2s"), customer=Customer(email="Traveller@example.com"))
    assert isinstance(await validate(counter.deps, STOREFRONT, "test", body), Valid)
    order_id = order_of(await admit(counter.deps, STOREFRONT, "test", body, "k"))
    order = await counter.order(order_id)
    plan = msgspec.convert(order.plan, Plan)
    assert (plan.id, plan.price.amount if plan.price else "") == (body.plan_id, "11.00")
    row = await counter.deps.pool.fetchrow("SELECT email, email_digest FROM orders")
    assert b"raveller" not in row["email"]
    assert counter.deps.seal.open_text(row["email"]) == "Traveller@example.com"
    assert row["email_digest"] == counter.deps.seal.digest("traveller@example.com")


async def test_live_keys_see_no_test_supplier(counter: Counter) -> None:
    body = OrderForPlan(plan_id=await counter.plan(1, "s2s"))
    answer = await admit(counter.deps, STOREFRONT, "live", body, "k")
    assert isinstance(answer, Problem)
    assert answer.code in {"no_plan", "gone"}


async def test_features_that_no_offer_has_are_no_plan(counter: Counter) -> None:
    plan = await counter.plan(1, "s2s")
    assert code_of(await counter.admit(plan, features=NeedFeatures(voice=True, sms=True))) == "no_plan"


async def _key_of(counter: Counter, plan: str, supplier: str) -> str:
    return str(
        await counter.deps.pool.fetchval(
            "SELECT supplier_plan_id FROM offers WHERE plan_id = $1 AND supplier = $2", plan, supplier
        )
    )


async def test_a_price_that_jumped_since_it_was_observed_is_refused_before_anything_is_bought(counter: Counter) -> None:
    plan = await counter.plan(1, "pikasim")
    key = await _key_of(counter, plan, "pikasim")
    counter.served.world.set_price("pikasim", key, Decimal("20.00"))
    await _old(counter)
    assert code_of(await counter.admit(plan, "k")) == "price_changed"
    assert not counter.simulator("pikasim").sales()
    assert await counter.deps.pool.fetchval("SELECT count(*) FROM idempotency_keys") == 0


async def test_a_lower_price_that_the_supplier_tells_now_is_used_and_noted(counter: Counter) -> None:
    plan = await counter.plan(1, "pikasim")
    key = await _key_of(counter, plan, "pikasim")
    counter.served.world.set_price("pikasim", key, Decimal("9.00"))
    await _old(counter)
    order_id = order_of(await counter.admit(plan))
    assert (await counter.order(order_id)).price == Decimal("9.90")
    changes = await counter.deps.pool.fetch("SELECT old, new FROM price_changes WHERE sync_run_id = 'order'")
    assert [tuple(row) for row in changes] == [(Decimal(10), Decimal(9))]


async def test_a_look_that_fails_leaves_the_price_as_it_stands(counter: Counter) -> None:
    plan = await counter.plan(1, "pikasim")
    await _old(counter)
    counter.served.world.add_fault("pikasim", Fault(FaultKind.SERVER_ERROR))
    assert isinstance(await counter.admit(plan), Admitted)


async def _sandbox_key(counter: Counter, plan: str) -> str:
    """The sandbox's own key of S2S's SKU for a plan."""
    sku = await _key_of(counter, plan, "s2s")
    return next(item.key for item in counter.served.world.items("s2s") if sku_id(item.key) == sku)


async def test_a_sku_of_s2s_that_rose_after_the_quote_is_refused_before_anything_is_bought(counter: Counter) -> None:
    plan = await counter.plan(1, "s2s")
    held = held_quote(counter, plan)
    counter.served.world.set_price("s2s", await _sandbox_key(counter, plan), Decimal("22.00"))
    await _old(counter)
    assert code_of(await counter.admit_quote(held)) == "price_changed"
    assert not counter.simulator("s2s").sales()
    assert await counter.deps.pool.fetchval("SELECT count(*) FROM orders") == 0


async def test_a_sku_of_s2s_that_is_sold_out_now_is_not_sold(counter: Counter) -> None:
    plan = await counter.plan(1, "s2s")
    counter.served.world.set_stock("s2s", await _sandbox_key(counter, plan), 0)
    await _old(counter)
    assert code_of(await counter.admit(plan)) == "no_stock"


async def test_a_sku_of_s2s_whose_product_no_sync_told_yet_is_sold_at_its_stored_price(counter: Counter) -> None:
    plan = await counter.plan(1, "s2s")
    await counter.deps.pool.execute("UPDATE offers SET supplier_product_id = NULL")
    await _old(counter)
    assert isinstance(await counter.admit(plan), Admitted)


async def test_a_quote_holds_its_price_until_it_expires(counter: Counter) -> None:
    plan = await counter.plan(1, "s2s")
    held = held_quote(counter, plan)
    await counter.deps.pool.execute("UPDATE offers SET cost = 10.50 WHERE plan_id = $1", plan)
    order_id = order_of(await counter.admit_quote(held))
    assert (await counter.order(order_id)).price == Decimal("11.00")
    await counter.deps.pool.execute("UPDATE offers SET cost = 11.50 WHERE plan_id = $1", plan)
    assert code_of(await counter.admit_quote(held)) == "price_changed"
    assert code_of(await admit(counter.deps, "sf_two", "test", OrderForQuote(quote_id=held), "k")) == "not_found"
    counter.clock.pass_(hours=1)
    assert code_of(await counter.admit_quote(held)) == "quote_expired"


async def test_admission_sees_a_mark_at_once(counter: Counter) -> None:
    plan = await counter.plan(1, "s2s")
    key = await _key_of(counter, plan, "s2s")
    await counter.deps.pool.execute(
        "INSERT INTO offer_marks (supplier, supplier_plan_id, why) VALUES ('s2s', $1, 'stopped')", key
    )
    assert code_of(await counter.admit(plan)) == "no_stock"
