"""The sales of a day, from orders in the database."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gateway.kit.sealing import Seal
from gateway.kit.settings import load
from gateway.orders import order_presenter, sales_rows
from gateway.orders.rules.sales import AttemptCounts, SalesSpan, spans
from gateway.orders.sales import shop_sales
from gateway.pricing.rates import rates_now
from gateway.suppliers.deps import Deps
from tests.kit.placed_orders import placed
from tests.kit.secret_keys import SECRET_KEY

NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
TODAY = NOW.replace(hour=9)
WEEK = timedelta(days=7)


@pytest.fixture
def deps(pool):
    return Deps(pool, {}, load(), Seal([SECRET_KEY]))


async def sales(deps, mode="live", most=5):
    return await shop_sales(deps, mode, NOW, most)


async def test_today_stands_beside_the_same_hours_a_week_ago_and_that_whole_day(deps):
    pool = deps.pool
    for price in ("10", "30"):
        await placed(pool, TODAY, price=price)
    await placed(pool, TODAY - WEEK, price="25")
    await placed(pool, TODAY - WEEK + timedelta(hours=8), price="5")  # later in that day
    await placed(pool, TODAY - timedelta(days=1), price="70")
    await placed(pool, TODAY - timedelta(days=14), price="90")  # before the first day of the chart
    found = await sales(deps)
    assert (found.today.orders, found.today.revenue, found.today.margin) == (2, Decimal(40), Decimal(28))
    assert (found.before.orders, found.before.revenue) == (1, Decimal(25))
    assert (found.week_ago.orders, found.week_ago.revenue) == (2, Decimal(30))
    assert [(day.day.day, day.orders, day.revenue) for day in found.days if day.orders] == [
        (15, 2, Decimal(30)),
        (21, 1, Decimal(70)),
        (22, 2, Decimal(40)),
    ]
    assert (len(found.days), found.days[-1].day) == (14, NOW.date())


async def test_the_days_before_today_are_remembered_for_a_while(deps):
    await placed(deps.pool, TODAY - timedelta(days=1), price="70")
    assert [day.orders for day in (await sales(deps)).days[-2:]] == [1, 0]
    await placed(deps.pool, TODAY - timedelta(days=1), price="70")
    await placed(deps.pool, TODAY)
    assert [day.orders for day in (await sales(deps)).days[-2:]] == [1, 1]
    assert [day.orders for day in (await sales(deps, "test")).days[-2:]] == [0, 0]
    tomorrow = await shop_sales(deps, "live", NOW + timedelta(days=1), 5)
    assert [day.orders for day in tomorrow.days[-3:]] == [2, 1, 0]


async def test_the_first_moment_of_a_day_is_in_it_and_the_first_after_the_span_is_not(deps):
    pool, midnight = deps.pool, NOW.replace(hour=0)
    await placed(pool, midnight)
    await placed(pool, midnight - timedelta(microseconds=1))
    await placed(pool, NOW)
    found = await sales(deps)
    assert found.today.orders == 1
    assert [day.orders for day in found.days[-2:]] == [1, 1]


async def test_live_and_test_are_apart_and_another_base_currency_is_left_out(deps):
    pool = deps.pool
    await placed(pool, TODAY, price="10")
    await placed(pool, TODAY, price="500", mode="test")
    await placed(pool, TODAY, price="900", base="EUR")
    assert (await sales(deps)).today.revenue == Decimal(10)
    assert (await sales(deps, "test")).today.revenue == Decimal(500)


@pytest.mark.parametrize(
    ("order", "revenue", "margin", "unknown"),
    [
        ({}, "10", "4", 0),
        ({"charged": "7"}, "10", "3", 0),
        ({"fee": "0.5"}, "10", "3.5", 0),
        ({"charged": None}, "10", "4", 0),  # nothing is booked: the listed cost stands for it
        ({"charged": None, "cost": None}, "10", "0", 1),
        ({"refund": "2.5"}, "7.5", "1.5", 0),
        ({"status": "cancelled", "delivered": True, "refund": "10", "refunded": "6"}, "0", "0", 0),
        ({"status": "cancelled", "delivered": True, "refund": "10", "refunded": "5"}, "0", "-1", 0),
        ({"status": "failed", "charged": None}, "0", "0", 0),
        ({"status": "failed"}, "0", "-6", 0),  # the supplier took money for nothing
        ({"status": "pending"}, "0", "0", 0),
        ({"status": "needs_review", "delivered": True}, "0", "0", 0),
        ({"charged": "6", "charged_in": "XXX"}, "10", "0", 1),  # a currency without a rate
        ({"price": "0", "cost": "0", "charged": None}, "0", "0", 0),
    ],
)
async def test_what_an_order_earned_by_how_it_stands(deps, order, revenue, margin, unknown):
    await placed(deps.pool, TODAY, **order)
    today = (await sales(deps)).today
    assert today.orders == 1
    assert (today.revenue, today.margin, today.unknown_costs) == (Decimal(revenue), Decimal(margin), unknown)


async def test_the_margin_of_a_day_is_that_of_its_orders_one_by_one(deps):
    pool = deps.pool
    ids = [
        await placed(pool, TODAY, price="10"),
        await placed(pool, TODAY, price="12", charged="5.5", fee="0.4"),
        await placed(pool, TODAY, price="9", charged="4", charged_in="EUR"),
        await placed(pool, TODAY, price="20", refund="5", refunded="1"),
        await placed(pool, TODAY, price="15", charged=None),
        await placed(pool, TODAY, status="cancelled", refund="10", refunded="6"),
        await placed(pool, TODAY, status="failed", charged="2"),
    ]
    assert "EUR" in (await rates_now(pool, deps.settings)).worth
    lines = await order_presenter.lines(deps, ids)
    one_by_one = sum((line.margin.amount for line in lines if line.margin is not None), Decimal(0))
    assert round((await sales(deps)).today.margin, 3) == round(one_by_one, 3)


async def test_suppliers_and_countries_each_have_their_orders(deps):
    pool = deps.pool
    await placed(pool, TODAY, supplier="pikasim", countries=["JP"], price="30")
    await placed(pool, TODAY, supplier="s2s", countries=["JP"], price="10")
    await placed(pool, TODAY, supplier="s2s", countries=["FR", "DE"], price="15")
    await placed(pool, TODAY, supplier=None, status="pending", countries=["TR"])
    await placed(pool, TODAY - WEEK, supplier="beppay", countries=["JP"], price="20")
    number = await placed(pool, TODAY, supplier="beppay", price="1")
    await pool.execute("""UPDATE orders SET plan = '{"country": "US"}' WHERE id = $1""", number)
    found = await sales(deps, most=9)
    suppliers = {each.line.name: (each.line.today.orders, each.line.before.orders) for each in found.suppliers}
    assert suppliers == {"pikasim": (1, 0), "s2s": (2, 0), "beppay": (1, 1), None: (1, 0)}
    countries = {line.name: (line.today.orders, line.today.revenue) for line in found.countries}
    assert countries == {
        "JP": (2, Decimal(40)), None: (1, Decimal(15)), "US": (1, Decimal(1)), "TR": (1, Decimal(0))
    }  # fmt: skip
    assert [each.line.name for each in (await sales(deps, most=2)).suppliers] == ["pikasim", "s2s"]


async def test_a_suppliers_success_is_that_of_its_attempts_also_of_orders_that_another_fulfilled(deps):
    pool = deps.pool
    await pool.execute(
        "INSERT INTO suppliers (name, provider, mode) VALUES ('a', 'a', 'live'), ('b', 'b', 'live'), ('t', 't', 'test')"
    )
    order = await placed(pool, TODAY, supplier="a")
    await pool.execute("UPDATE attempts SET n = 2 WHERE order_id = $1", order)
    failed = await placed(pool, TODAY, supplier="b", status="failed", charged=None)
    await pool.execute("UPDATE attempts SET order_id = $1 WHERE order_id = $2", order, failed)
    await placed(pool, TODAY, supplier="b", status="pending")
    await placed(pool, TODAY, supplier="t", mode="test")
    ended = await sales_rows.attempts_ended(pool, "live", spans(NOW).today)
    assert ended == {"a": AttemptCounts(1, 0), "b": AttemptCounts(0, 1)}
    found = {each.line.name: each.today.success_rate for each in (await sales(deps)).suppliers}
    assert found["a"] == 1
    assert found["b"] == 0


async def test_orders_in_review_are_counted_up_to_a_bound(deps):
    pool = deps.pool
    for _ in range(3):
        await placed(pool, TODAY, status="needs_review")
    await placed(pool, TODAY, status="needs_review", mode="test")
    assert await sales_rows.in_review(pool, "live") == 3
    assert await sales_rows.in_review(pool, "live", most=2) == 2


async def test_a_shop_without_orders_has_nothing_and_no_rate(deps):
    found = await sales(deps)
    assert (found.today.orders, found.today.success_rate, found.suppliers, found.countries) == (0, None, [], [])
    assert await sales_rows.by_day(deps.pool, "live", "USD", SalesSpan(NOW - WEEK, NOW)) == {}
