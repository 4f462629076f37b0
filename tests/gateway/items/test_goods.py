"""Digital goods: synced whole or not at all, and bought through the order machine, once and at the cheapest account."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from gateway.inventory import voucher_code_rows
from gateway.items import goods_rows as goods_store
from gateway.items.goods_sync import sync_goods
from gateway.items.item_rules import VoucherCodes
from gateway.kit.pages import PageRequest
from gateway.kit.problem import Problem
from gateway.orders import delivered, presenter
from gateway.orders.admit import Valid, admit, validate
from gateway.orders.cancel import request_cancel
from gateway.orders.order_view_rows import StorefrontScope
from gateway.orders.process import process_order
from gateway.orders.resolve import resolve
from gateway.selling import ops_goods
from gateway.sync.run import run_sync
from providers.contract import GoodsPage
from providers.s2s.client import S2S
from providers.s2s.sandbox import serializers
from providers.s2s.sandbox.other_goods import other_goods
from schemas.errors import NotFound, NotReached, UnreadableAnswer
from schemas.good import CustomPrice, Good, GoodCategory
from schemas.money import Money
from schemas.order import VoucherCode
from schemas.order_requests import OrderForGood, PriceLimit
from tests.kit.admitted import code_of, order_of
from tests.kit.counter import STOREFRONT, Counter
from tests.kit.working import idle

SHELF = {row["sku_name"]: row["sku_id"] for one in other_goods() for row in one.priced}
CARD = "$10 Apple gift card USA"


class Stand:
    """Goods that a test puts up in place of the supplier's own."""

    def __init__(self, goods: list[Good]) -> None:
        self.goods = goods
        self.fault: Exception | None = None
        self.asked = 0

    async def walk(self) -> AsyncIterator[GoodsPage]:
        yield GoodsPage(tuple(self.goods[:5]))
        if self.fault is not None:
            raise self.fault
        yield GoodsPage(tuple(self.goods[5:]))

    async def one(self, _product_id: str, sku: str) -> Good:
        self.asked += 1
        if self.fault is not None:
            raise self.fault
        for good in self.goods:
            if good.sku == sku:
                return good
        raise NotFound("no such SKU", supplier="s2s")

    async def categories(self, _locale: str | None = None) -> list[GoodCategory]:
        return [GoodCategory("1", "Cards")]

    def price(self, sku: str, cost: str) -> None:
        money = Money(Decimal(cost), "USD")
        self.goods = [msgspec.structs.replace(g, cost=money) if g.sku == sku else g for g in self.goods]


def good(number: int) -> Good:
    return Good(
        sku=f"sku-{number}",
        product_id="p",
        type="voucher",
        name=f"Card {number:02}",
        product_name="Cards",
        denomination="fixed",
        cost=Money(Decimal("10.00"), "USD"),
        category_id="1",
        locale="en",
    )


@pytest.fixture
async def stand(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> tuple[Stand, Callable[..., Awaitable[list[str]]]]:
    """Thirty cards in an empty shop, synced once; and the way to sync again."""
    made = Stand([good(number) for number in range(30)])
    monkeypatch.setattr(S2S, "goods", made.walk)
    monkeypatch.setattr(S2S, "good", made.one)
    monkeypatch.setattr(S2S, "good_categories", made.categories)
    pool = counter.deps.pool
    for table in ("goods", "goods_aside", "goods_categories", "goods_walks", "goods_changes"):
        await pool.execute(f"DELETE FROM {table}")

    async def sync(*, accepted: bool = False) -> list[str]:
        deps = counter.deps
        return await sync_goods(pool, deps.accounts["s2s"], "run", deps.settings, accepted=accepted)

    assert await sync() == []
    return made, sync


async def rows(counter: Counter, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await counter.deps.pool.fetch(sql)]


async def state(counter: Counter) -> Any:
    return (await ops_goods.walks(counter.deps))[0].state


async def test_what_moved_came_and_went_is_recorded_once(counter: Counter, stand: Any) -> None:
    shop, sync = stand
    assert await rows(counter, "SELECT count(*) FROM goods_changes") == [(0,)]
    shop.price("sku-1", "11.00")
    shop.goods = [*shop.goods[:-1], good(99)]
    for _ in range(2):
        assert await sync() == []
    changes = "SELECT kind, sku, old, new FROM goods_changes ORDER BY kind, sku"
    assert await rows(counter, changes) == [
        ("gone", "sku-29", Decimal("10.00"), None),
        ("new", "sku-99", None, Decimal("10.00")),
        ("price", "sku-1", Decimal("10.00"), Decimal("11.00")),
    ]
    assert await goods_store.of_account(counter.deps.pool, "s2s", "sku-29") == []


@pytest.mark.parametrize("accepted", [False, True])
async def test_a_walk_that_lost_too_much_waits_for_a_person(counter: Counter, stand: Any, accepted: bool) -> None:
    shop, sync = stand
    shop.goods = shop.goods[:15]
    (told,) = await sync() or [""]
    assert "15 of 30 offers vanished" in told
    assert await state(counter) == "quarantined"
    assert await rows(counter, "SELECT count(*) FROM goods WHERE gone_at IS NULL") == [(30,)]
    if accepted:
        assert await sync(accepted=True) == []
        assert await rows(counter, "SELECT count(*) FROM goods WHERE gone_at IS NULL") == [(15,)]


async def test_half_a_walk_changes_nothing_and_spoils_no_plans(counter: Counter, stand: Any) -> None:
    shop, _ = stand
    shop.fault = UnreadableAnswer("the list broke off", supplier="s2s")
    shop.price("sku-1", "11.00")
    run = await run_sync(counter.deps.pool, counter.deps.accounts, counter.deps.settings, only=["s2s"])
    (part,) = run.suppliers
    assert (part.state, [warning for warning in part.warnings if warning.startswith("goods")]) == (
        "ok",
        ["goods: s2s: the list broke off"],
    )
    assert await state(counter) == "failed"
    assert await rows(counter, "SELECT DISTINCT cost FROM goods") == [(Decimal("10.00"),)]


async def test_a_suspect_price_is_not_sold_until_a_person_lets_it_through(counter: Counter, stand: Any) -> None:
    shop, sync = stand
    shop.price("sku-1", "3.00")
    await sync()
    (row,) = await goods_store.of_account(counter.deps.pool, "s2s", "sku-1")
    body = OrderForGood(good_id=row.good_id)
    assert code_of(await validate(counter.deps, STOREFRONT, "test", body)) == "no_stock"
    released = await ops_goods.release(counter.deps, row.good_id, "a person")
    assert not isinstance(released, Problem)
    sold = await validate(counter.deps, STOREFRONT, "test", body)
    assert isinstance(sold, Valid)
    assert sold.price.amount == "3.30"
    await sync()
    assert isinstance(await validate(counter.deps, STOREFRONT, "test", body), Valid)


async def test_an_old_price_is_looked_at_again_before_an_order(counter: Counter, stand: Any) -> None:
    shop, _ = stand
    (row,) = await goods_store.of_account(counter.deps.pool, "s2s", "sku-1")
    body = OrderForGood(good_id=row.good_id)
    assert isinstance(await validate(counter.deps, STOREFRONT, "test", body), Valid)
    assert shop.asked == 0
    counter.clock.pass_(minutes=6)
    shop.price("sku-1", "10.50")  # dearer, and covered by the price that was shown
    kept = await validate(counter.deps, STOREFRONT, "test", body)
    assert isinstance(kept, Valid)
    assert (kept.price.amount, shop.asked) == ("11.00", 1)
    counter.clock.pass_(minutes=6)
    shop.price("sku-1", "15.00")
    assert code_of(await validate(counter.deps, STOREFRONT, "test", body)) == "price_changed"
    known = await validate(counter.deps, STOREFRONT, "test", body)
    assert isinstance(known, Valid)
    assert known.price.amount == "16.50"
    counter.clock.pass_(minutes=6)
    shop.price("sku-1", "12.00")
    lower = await validate(counter.deps, STOREFRONT, "test", body)
    assert isinstance(lower, Valid)
    assert lower.price.amount == "13.20"
    counter.clock.pass_(minutes=6)
    shop.price("sku-1", "8.00")  # a third less may be a fault of theirs: the next walk judges it
    unbelieved = await validate(counter.deps, STOREFRONT, "test", body)
    assert isinstance(unbelieved, Valid)
    assert unbelieved.price.amount == "13.20"
    counter.clock.pass_(minutes=6)
    shop.fault = NotReached("nobody there", supplier="s2s")
    assert isinstance(await validate(counter.deps, STOREFRONT, "test", body), Valid)


async def placed(counter: Counter, name: str, key: str, **more: Any) -> str:
    sku = SHELF[name]
    (row,) = await goods_store.of_account(counter.deps.pool, "s2s", sku)
    order_id = order_of(await admit(counter.deps, STOREFRONT, "test", OrderForGood(good_id=row.good_id, **more), key))
    await process_order(counter.deps, order_id)
    return order_id


async def codes(counter: Counter, order_id: str) -> list[str | None]:
    shown = await presenter.order(counter.deps, order_id, StorefrontScope(STOREFRONT, "test"))
    assert shown is not None
    assert shown.voucher is not None
    return [code.pin for code in shown.voucher.codes]


@pytest.mark.parametrize("trigger", ["charge_then_500", "charge_then_reset", "charge_then_html", "duplicate_reference"])
async def test_a_lost_answer_is_found_by_our_reference_and_nothing_is_bought_again(
    counter: Counter, trigger: str
) -> None:
    counter.trigger("s2s", trigger, key=SHELF[CARD])
    order_id = await placed(counter, CARD, "g-1", quantity=2)
    assert (await counter.order(order_id)).status == "pending"
    order = await counter.followed(order_id)
    assert (order.status, len(set(await codes(counter, order_id)))) == ("fulfilled", 2)
    assert len(counter.simulator("s2s").sales()) == 1
    assert await counter.ledger(order_id) == [("s2s", "charge", "22")]


async def test_nothing_of_a_voucher_is_cancelled(counter: Counter) -> None:
    order_id = await placed(counter, CARD, "g-2")
    assert code_of(await request_cancel(counter.deps, STOREFRONT, "test", order_id)) == "not_supported"


async def test_an_amount_of_one_s_choice_is_charged_no_more_than_was_listed(counter: Counter) -> None:
    amount = PriceLimit(amount="12.34", currency="EUR")
    order_id = await placed(counter, "Travel voucher, any amount", "g-3", amount=amount)
    (attempt,) = await counter.attempts(order_id)
    assert (await counter.order(order_id)).status == "fulfilled"
    assert attempt.listed is not None
    assert attempt.charged is not None
    assert attempt.charged <= attempt.listed == Decimal("13.87")  # 12.34 × 1.08 × 1.04 = 13.860288
    assert await rows(counter, "SELECT why FROM offer_marks") == []


async def test_of_two_accounts_the_cheaper_is_asked_first_and_the_other_after_a_refusal(counter: Counter) -> None:
    deps, pool = counter.deps, counter.deps.pool
    other = replace(deps.accounts["s2s"], name="s2s-two")
    await pool.execute("INSERT INTO suppliers (name, provider, mode, last_good_at, last_sync_state)"
                       " VALUES ('s2s-two', 's2s', 'test', now(), 'ok')")  # fmt: skip
    await sync_goods(pool, other, "run", deps.settings, accepted=False)
    await pool.execute("UPDATE goods SET cost = cost - 0.5, measure = measure - 0.5 WHERE supplier = 's2s-two'"
                       " AND cost > 1")  # fmt: skip
    both = replace(counter, deps=replace(deps, accounts={**deps.accounts, "s2s-two": other}))
    counter.trigger("s2s", "refuse_stock", key=SHELF[CARD])
    order_id = await placed(both, CARD, "g-4")
    tries = await counter.attempts(order_id)
    assert [(one.supplier, one.state) for one in tries] == [("s2s-two", "failed"), ("s2s", "succeeded")]
    assert (await counter.order(order_id)).status == "fulfilled"


async def test_a_good_that_is_gone_between_two_walks_is_out_of_stock(counter: Counter, stand: Any) -> None:
    shop, _ = stand
    (row,) = await goods_store.of_account(counter.deps.pool, "s2s", "sku-1")
    shop.goods = []
    counter.clock.pass_(minutes=6)
    assert code_of(await validate(counter.deps, STOREFRONT, "test", OrderForGood(good_id=row.good_id))) == "no_stock"
    assert await rows(counter, "SELECT supplier_plan_id, why FROM offer_marks") == [("sku-1", "out_of_stock")]


@pytest.mark.parametrize(
    "sql",
    [
        """custom = jsonb_set(custom, '{currency}', '"TRY"')""",
        """custom = jsonb_set(custom, '{least}', '"100"')""",
        "custom = NULL, cost = 1, currency = 'USD', denomination = 'fixed'",
    ],
)
async def test_a_denomination_that_is_another_by_the_time_of_sending_is_not_bought(counter: Counter, sql: str) -> None:
    (row,) = await goods_store.of_account(counter.deps.pool, "s2s", SHELF["Travel voucher, any amount"])
    body = OrderForGood(good_id=row.good_id, amount=PriceLimit(amount="50", currency="EUR"))
    order_id = order_of(await admit(counter.deps, STOREFRONT, "test", body, "g-5"))
    await counter.deps.pool.execute(f"UPDATE goods SET {sql} WHERE sku = $1", row.sku)
    await process_order(counter.deps, order_id)
    assert (await counter.order(order_id)).status == "failed"
    assert counter.simulator("s2s").sales() == []


async def test_a_look_that_finds_another_denomination_sells_nothing(counter: Counter, stand: Any) -> None:
    shop, sync = stand
    custom = CustomPrice("AED", Decimal("0.272"), "USD")
    card = msgspec.structs.replace(good(1), cost=None, denomination="custom", custom=custom)
    shop.goods = [card, *shop.goods[2:]]
    await sync(accepted=True)
    (row,) = await goods_store.of_account(counter.deps.pool, "s2s", "sku-1")
    body = OrderForGood(good_id=row.good_id, amount=PriceLimit(amount="50", currency="AED"))
    assert isinstance(await validate(counter.deps, STOREFRONT, "test", body), Valid)
    shop.goods = [msgspec.structs.replace(card, custom=msgspec.structs.replace(custom, currency="TRY"))]
    counter.clock.pass_(minutes=6)
    assert code_of(await validate(counter.deps, STOREFRONT, "test", body)) == "no_stock"


async def test_what_the_customer_typed_is_in_nothing_that_is_kept_of_the_supplier_s_words(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = serializers.order

    def complaining(*args: Any) -> dict[str, Any]:
        row = written(*args)
        row["items"][0]["error_message"] = "Neither 905551234567 nor 90-555 12, as you wrote, has a phone"
        return row

    monkeypatch.setattr(serializers, "order", complaining)
    counter.trigger("s2s", "partially_completed", key=SHELF["₹199"])
    fields = {"phone": "+905551234567", "operator": "Airtel"}
    order_id = await placed(counter, "₹199", "g-6", fields=fields)
    await counter.followed(order_id)
    (attempt,) = await counter.attempts(order_id)
    assert "as you wrote" in str(attempt.error)
    await idle(counter.deps)
    assert await rows(counter, "SELECT count(*) > 0 FROM exchanges") == [(True,)]
    for table in ("orders", "attempts", "order_events", "exchanges", "webhook_events"):
        text = str(await rows(counter, f"SELECT t::text FROM {table} t"))
        assert "5551234567" not in text, table
        assert "Airtel" not in text, table


async def test_a_good_of_two_accounts_stands_in_the_list_once_and_pages_leave_none_out(
    counter: Counter, stand: Any
) -> None:
    pool = counter.deps.pool
    await pool.execute("INSERT INTO suppliers (name, provider, mode, last_good_at, last_sync_state)"
                       " VALUES ('s2s-two', 's2s', 'test', now(), 'ok')")  # fmt: skip
    columns = ", ".join(
        row["column_name"]
        for row in await pool.fetch("SELECT column_name FROM information_schema.columns WHERE table_name = 'goods'")
        if row["column_name"] not in {"supplier", "sort_name"}
    )
    await pool.execute(f"INSERT INTO goods (supplier, sort_name, {columns})"
                       f" SELECT 's2s-two', 'a' || sort_name, {columns} FROM goods WHERE sku < 'sku-2'")  # fmt: skip
    wanted = goods_store.Wanted(category="1", q="card")
    whole = (await goods_store.listed(pool, "test", wanted, PageRequest(100))).data
    by_name = await pool.fetch("SELECT good_id FROM goods GROUP BY good_id ORDER BY min(sort_name), good_id")
    assert whole == [row["good_id"] for row in by_name]
    assert len(whole) == 30
    page = await goods_store.listed(pool, "test", wanted, PageRequest(7))
    paged = page.data
    while page.has_more:
        page = await goods_store.listed(pool, "test", wanted, PageRequest(7, page.next_cursor))
        paged += page.data
    assert paged == whole


async def test_a_code_goes_to_one_order_by_its_pin_or_where_there_is_none_by_its_serial(counter: Counter) -> None:
    holder, other = await placed(counter, CARD, "g-7"), await placed(counter, CARD, "g-8")
    pool, seal = counter.deps.pool, counter.deps.seal
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("DELETE FROM voucher_codes")
        sold = [VoucherCode("1234", "AB-1"), VoucherCode(serial="XY-9")]
        await voucher_code_rows.add(connection, seal, holder, "s2s", sold, counter.deps.clock())
        for code, taken in (
            (VoucherCode("1234"), True),
            (VoucherCode("1234", "AB-1"), True),
            (VoucherCode("1234", "AB-2"), False),
            (VoucherCode(serial="XY-9"), True),
            (VoucherCode("77", "XY-9"), False),
            (VoucherCode(serial="AB-1"), False),
        ):
            found = await voucher_code_rows.holder_of(connection, seal, "s2s", [code], other)
            assert found == (holder if taken else None), code


async def test_two_orders_that_are_settled_at_once_with_one_code_get_it_once(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.s2s.vouchers.codes", lambda *_, **__: (VoucherCode("ONE-AND-ONLY"),))
    asked = delivered.holder_of

    async def slowly(*args: Any) -> str | None:
        found = await asked(*args)
        await asyncio.sleep(0.2)
        return found

    monkeypatch.setattr(delivered, "holder_of", slowly)
    both = await asyncio.gather(placed(counter, CARD, "g-9"), placed(counter, CARD, "g-10"))
    assert sorted([(await counter.order(one)).status for one in both]) == ["fulfilled", "needs_review"]


async def test_a_person_s_note_keeps_no_code(counter: Counter) -> None:
    counter.trigger("s2s", "partially_completed", key=SHELF[CARD])
    order_id = await placed(counter, CARD, "g-11")
    assert (await counter.followed(order_id)).status == "needs_review"
    item = VoucherCodes((VoucherCode("QWER-TYUI", "98-76"),))
    note = "their support wrote: QWER-TYUI, serial 98-76"
    assert await resolve(counter.deps, order_id, "fulfilled", note, item=item) is None
    assert await codes(counter, order_id) == ["QWER-TYUI"]
    for table in ("order_events", "audit_log", "webhook_events", "attempts"):
        text = str(await rows(counter, f"SELECT t::text FROM {table} t"))
        assert "QWER" not in text, table
        assert "98-76" not in text, table
