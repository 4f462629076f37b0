"""Several orders placed together: all of them or none, once for their idempotency key."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from gateway.access import mandate_rows
from gateway.access.key_rows import create_key
from gateway.kit.pool import DATABASE_DOWN
from gateway.kit.problem import Problem
from gateway.orders import admission_rows, order_view_rows
from gateway.orders.admission_rows import Admission
from gateway.orders.admit import Admitted
from gateway.orders.admit_batch import admit_batch
from gateway.orders.order_view_rows import OrderRow, StorefrontScope
from schemas.order_requests import BatchForPlan
from tests.kit.admitted import code_of, order_of
from tests.kit.common_plan import common_plan
from tests.kit.counter import STOREFRONT, Counter

COST, PRICE = Decimal("10.10"), Decimal("11.11")  # of the common plan at S2S


async def ask(counter: Counter, plan: str, quantity: int, key: str = "cart", **more: Any) -> Admitted | Problem:
    key_id = more.pop("key_id", None)
    body = BatchForPlan(plan_id=plan, quantity=quantity, **more)
    return await admit_batch(counter.deps, STOREFRONT, "test", body, key, key_id=key_id)


async def orders_of(counter: Counter, admitted: Any) -> list[OrderRow]:
    return await order_view_rows.of_batch(counter.deps.pool, order_of(admitted), StorefrontScope(STOREFRONT, "test"))


async def written(counter: Counter) -> int:
    """How much there is of what an admission writes."""
    return await counter.deps.pool.fetchval(
        "SELECT (SELECT count(*) FROM orders) + (SELECT count(*) FROM idempotency_keys)"
        " + (SELECT count(*) FROM order_batches) + (SELECT count(*) FROM spend)"
    )


async def _day(counter: Counter) -> Counter:
    await counter.deps.pool.execute("UPDATE storefronts SET daily_spend_limit = $1", PRICE * 3)
    return counter


async def _open_orders(counter: Counter) -> Counter:
    settings = counter.deps.settings
    orders = settings.orders.model_copy(update={"max_open": 3})
    return replace(counter, deps=replace(counter.deps, settings=settings.model_copy(update={"orders": orders})))


async def _stock(counter: Counter) -> Counter:
    await counter.deps.pool.execute("UPDATE offers SET stock = 3 WHERE supplier = 's2s'")
    return counter


async def _funds(counter: Counter) -> Counter:
    await counter.deps.pool.execute(
        "INSERT INTO supplier_balances (supplier, at, balance, spendable, currency)"
        " VALUES ('s2s', now(), $1, $1, 'USD')",
        COST * 3,
    )
    return counter


async def _suppliers_day(counter: Counter) -> Counter:
    return counter.with_("s2s", daily_spend_limit=COST * 3)


@pytest.mark.parametrize(
    ("limited", "code"),
    [
        (_day, "spend_limit"),
        (_open_orders, "too_many_open_orders"),
        (_stock, "no_stock"),
        (_funds, "no_stock"),
        (_suppliers_day, "spend_limit"),
    ],
)
async def test_what_suffices_for_three_orders_places_three_and_none_of_five(
    counter: Counter, limited: Callable[[Counter], Awaitable[Counter]], code: str
) -> None:
    plan = await common_plan(counter, "s2s")
    counter = await limited(counter)
    assert code_of(await ask(counter, plan, 5)) == code
    assert await written(counter) == 0, "something of a batch that was refused stands"
    orders = await orders_of(counter, await ask(counter, plan, 3))
    assert len(orders) == 3
    assert {order.price.amount for order in orders} == {PRICE}


async def test_a_mandate_bounds_the_sum_of_a_batch(counter: Counter) -> None:
    pool, plan = counter.deps.pool, await common_plan(counter, "s2s")
    made = await create_key(pool, storefront="One", mode="test", scopes=["storefront"])
    async with pool.acquire() as connection:
        await mandate_rows.put(
            connection, made.id, per_order=PRICE, per_day=PRICE * 3, per_month=PRICE * 9, currency="USD",
            ends_at=counter.clock() + timedelta(days=1),
        )  # fmt: skip
    assert code_of(await ask(counter, plan, 5, key_id=made.id)) == "mandate_exceeded"
    assert await written(counter) == 0
    assert len(await orders_of(counter, await ask(counter, plan, 3, key_id=made.id))) == 3


async def test_one_key_places_one_batch_however_often_and_at_once_it_is_sent(counter: Counter) -> None:
    plan = await common_plan(counter, "s2s")
    answers = await asyncio.gather(*(ask(counter, plan, 4, reference="CART") for _ in range(5)))
    (batch_id,) = {order_of(answer) for answer in answers}
    assert sorted(answer.replayed for answer in answers if isinstance(answer, Admitted)) == [False, *[True] * 4]
    orders = await orders_of(counter, answers[0])
    assert [order.reference for order in orders] == ["CART-1", "CART-2", "CART-3", "CART-4"]
    assert code_of(await ask(counter, plan, 3, reference="CART")) == "idempotency_mismatch"
    assert code_of(await ask(counter, plan, 1, key="other", reference="CART")) == "duplicate_reference"
    await counter.worked(*(order.id for order in orders))
    assert {order.status for order in await orders_of(counter, answers[0])} == {"fulfilled"}
    assert len(counter.simulator("s2s").sales()) == 4
    assert order_of(await ask(counter, plan, 4, reference="CART")) == batch_id


async def test_who_dies_before_the_commit_placed_nothing_and_after_it_everything_once(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, admit = await common_plan(counter, "s2s"), admission_rows.admit

    async def cut(connection: Any, *args: Any, **more: Any) -> Admission:
        await admit(connection, *args, **more)
        connection.terminate()
        raise asyncpg.ConnectionDoesNotExistError  # as if its answer were on the way

    with monkeypatch.context() as patched:
        patched.setattr(admission_rows, "admit", cut)
        with pytest.raises(DATABASE_DOWN):
            await ask(counter, plan, 3)
    assert await written(counter) == 0
    placed = await ask(counter, plan, 3)  # who placed it goes no further; a worker does
    again = await ask(counter, plan, 3)
    assert order_of(again) == order_of(placed)
    orders = await orders_of(counter, placed)
    await counter.worked(*(order.id for order in orders))
    assert {order.status for order in await orders_of(counter, placed)} == {"fulfilled"}
    assert len(counter.simulator("s2s").sales()) == len(orders) == 3
