"""A key's mandate: what bounds each order that is placed with the key, whatever way it is placed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway.access import mandate_rows
from gateway.access.key_rows import create_key
from gateway.access.mandate_rows import Mandate
from gateway.kit.problem import Problem
from gateway.orders.admit import Admitted, admit, validate
from gateway.orders.rules.mandates import refusal
from gateway.orders.topup import admit_topup
from gateway.suppliers import spend_rows
from gateway.suppliers.spend_rows import MandateSpend
from schemas.money import Money
from schemas.order_requests import OrderForPlan, TopupForPlan
from tests.kit.admitted import code_of, order_of
from tests.kit.common_plan import common_plan, everyday_plan
from tests.kit.counter import STOREFRONT, Counter

PRICE = Decimal("11.11")  # of the common plan at S2S
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
MANDATE = Mandate(
    key_id="key_1", per_order=Decimal(20), per_day=Decimal(50), per_month=Decimal(100), currency="USD",
    ends_at=NOW + timedelta(hours=1), updated_at=NOW,
)  # fmt: skip


@pytest.mark.parametrize(
    ("each", "orders", "day", "month", "hours", "code"),
    [
        ("20", 1, "0", "0", 0, None),
        ("20.01", 1, "0", "0", 0, "mandate_exceeded"),
        ("10", 5, "0", "0", 0, None),
        ("10", 6, "0", "0", 0, "mandate_exceeded"),
        ("10", 1, "40", "40", 0, None),
        ("10", 1, "40.01", "40.01", 0, "mandate_exceeded"),
        ("10", 1, "0", "90", 0, None),
        ("10", 1, "0", "90.01", 0, "mandate_exceeded"),
        ("1", 1, "0", "0", 1, "mandate_ended"),
    ],
)
def test_a_mandate_bounds_each_order_the_day_the_month_and_the_time(
    each: str, orders: int, day: str, month: str, hours: int, code: str | None
) -> None:
    spent = MandateSpend(Decimal(day), Decimal(month))
    found = refusal(MANDATE, Money(Decimal(each), "USD"), orders, spent, NOW + timedelta(hours=hours))
    assert (None if found is None else found.code) == code


def test_a_mandate_in_another_currency_than_the_gateways_allows_nothing() -> None:
    found = refusal(MANDATE, Money(Decimal(1), "EUR"), 1, MandateSpend(Decimal(0), Decimal(0)), NOW)
    assert code_of(found) == "mandate_exceeded"


async def bounded(counter: Counter, **bounds: Any) -> str:
    """A key of the storefront with a mandate."""
    made = await create_key(counter.deps.pool, storefront="One", mode="test", scopes=["storefront"])
    amounts = {"per_order": PRICE, "per_day": PRICE * 2, "per_month": PRICE * 3, **bounds}
    amounts.setdefault("ends_at", counter.clock() + timedelta(hours=2))
    async with counter.deps.pool.acquire() as connection:
        await mandate_rows.put(connection, made.id, currency="USD", **amounts)
    return made.id


async def order(counter: Counter, key_id: str, key: str, plan: str) -> Admitted | Problem:
    return await admit(counter.deps, STOREFRONT, "test", OrderForPlan(plan_id=plan), key, key_id=key_id)


async def test_orders_at_one_moment_do_not_come_to_more_than_the_mandate_together(counter: Counter) -> None:
    plan, key_id = await common_plan(counter, "s2s"), await bounded(counter)
    answers = await asyncio.gather(*(order(counter, key_id, f"cart {n}", plan) for n in range(6)))
    assert sorted(isinstance(answer, Admitted) for answer in answers) == [*[False] * 4, True, True]
    assert {answer.code for answer in answers if isinstance(answer, Problem)} == {"mandate_exceeded"}
    assert await counter.deps.pool.fetchval("SELECT count(*) FROM orders") == 2
    other = await order(counter, await bounded(counter), "another key", plan)
    assert isinstance(other, Admitted), "what one key spends is not another's"


async def test_an_order_that_failed_counts_no_more_and_one_that_is_replayed_not_again(counter: Counter) -> None:
    plan, key_id = await common_plan(counter, "s2s"), await bounded(counter)
    first, second = [order_of(await order(counter, key_id, f"cart {n}", plan)) for n in range(2)]
    assert order_of(await order(counter, key_id, "cart 0", plan)) == first
    assert code_of(await order(counter, key_id, "cart 2", plan)) == "mandate_exceeded"
    body = OrderForPlan(plan_id=plan)
    assert code_of(await validate(counter.deps, STOREFRONT, "test", body, key_id=key_id)) == "mandate_exceeded"
    await counter.deps.pool.execute(
        "UPDATE orders SET status = 'failed', failure_code = 'no_stock', next_poll_at = NULL WHERE id = $1", second
    )
    assert isinstance(await order(counter, key_id, "cart 2", plan), Admitted)


async def test_what_is_counted_is_what_stands_whatever_orders_go_through(counter: Counter) -> None:
    pool, plan, key_id = counter.deps.pool, await common_plan(counter, "s2s"), await bounded(counter, per_day=PRICE * 9)

    async def spent() -> MandateSpend:
        return await spend_rows.spent_under_mandate(pool, key_id, counter.clock())

    async def to(status: str, order_id: str) -> None:
        failure = "no_stock" if status == "failed" else None
        await pool.execute(
            "UPDATE orders SET status = $1, failure_code = $2, next_poll_at = NULL WHERE id = $3",
            status, failure, order_id,
        )  # fmt: skip

    first, second = [order_of(await order(counter, key_id, f"cart {n}", plan)) for n in range(2)]
    assert await spent() == (PRICE * 2, PRICE * 2)
    await to("failed", first)
    assert await spent() == (PRICE, PRICE)
    await to("failed", first)
    await to("fulfilled", second)
    assert await spent() == (PRICE, PRICE)
    await to("needs_review", first)
    assert await spent() == (PRICE * 2, PRICE * 2)
    counter.clock.pass_(hours=24)
    await to("failed", second)
    assert await spent() == (0, PRICE if counter.clock().day > 1 else 0), "it was placed yesterday"


async def test_after_its_end_a_mandate_allows_nothing_but_what_was_placed_stays(counter: Counter) -> None:
    plan, key_id = await common_plan(counter, "s2s"), await bounded(counter)
    placed = order_of(await order(counter, key_id, "cart", plan))
    counter.clock.pass_(hours=3)
    assert order_of(await order(counter, key_id, "cart", plan)) == placed
    assert code_of(await order(counter, key_id, "cart 2", plan)) == "mandate_ended"


async def test_a_topup_counts_like_any_order(counter: Counter) -> None:
    sold = await counter.ordered(await everyday_plan(counter, "pikasim"))
    assert (await counter.followed(sold)).status == "fulfilled"
    esim, key_id = await counter.esim(sold), await bounded(counter, per_order=Decimal("0.01"))
    body = TopupForPlan(plan_id=esim.plan_id)
    answer = await admit_topup(counter.deps, STOREFRONT, "test", esim.id, body, "more", key_id=key_id)
    assert code_of(answer) == "mandate_exceeded"
