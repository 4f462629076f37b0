"""Our money at the suppliers: it decides before a supplier refuses, it comes back, and both books agree."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.catalog.browse import Catalog
from gateway.catalog.publish import publish
from gateway.kit.pages import FIRST_PAGE, PageRequest
from gateway.kit.problem import Problem
from gateway.ledger import deposits, money, supplier_statements
from gateway.ledger import supplier_statement_rows as rows
from gateway.ledger.deposit_rows import Deposit
from gateway.ledger.reconcile_rules import Day
from gateway.orders.admit import Admitted
from gateway.orders.process import process_order
from gateway.orders.topup import topup_options
from gateway.selling.judge import find_offer as one_offer
from gateway.suppliers import balances
from providers.kit.supplier_rate import Priority
from schemas.account import Transaction, TransactionKind
from schemas.errors import TimedOut
from schemas.money import Money
from tests.kit.admitted import code_of
from tests.kit.counter import STOREFRONT, Counter
from tests.kit.waiting import PATIENCE

BUYING = {"pikasim": "/orders", "s2s": "/orders", "beppay": "/api/partner/esim/purchase"}
SELLERS = (("pikasim", "10.00"), ("s2s", "10.10"), ("beppay", "10.20"))


async def one_plan(counter: Counter) -> str:
    """One plan that all three sell, PikaSim's the cheapest."""
    for name, cost in SELLERS:
        await counter.deps.pool.execute(
            "UPDATE offers SET plan_id = 'plan-of-all', cost = $2, good_cost = $2, coverage = '{AQ}'"
            " WHERE supplier = $1 AND coverage = '{BV}' AND (data->>'mb')::int = 1000 AND cost = 10",
            name,
            Decimal(cost),
        )
    return "plan-of-all"


def leave(counter: Counter, supplier: str, amount: str) -> None:
    """Let just so much be at a supplier."""
    simulator = counter.simulator(supplier)
    simulator.credit = Decimal(0)
    simulator.deposit(Decimal(amount) - simulator.balance)


def asked(counter: Counter, supplier: str) -> int:
    """How often the supplier's sandbox was asked to sell: POSTs that bought or were refused."""
    simulator = counter.simulator(supplier)
    return len(simulator.sales()) + len(simulator.records.uncharged)


async def refresh(counter: Counter, *names: str) -> None:
    await money.refresh(counter.deps, names or None)


async def test_too_little_at_the_cheapest_goes_to_the_next_without_a_call_and_a_deposit_brings_it_back(
    counter: Counter,
) -> None:
    plan = await one_plan(counter)
    leave(counter, "pikasim", "9.99")
    await refresh(counter)
    calls = dict(counter.served.world.calls("pikasim"))
    order = await counter.followed(await counter.ordered(plan))
    assert [(one.supplier, one.state) for one in await counter.attempts(order.id)] == [("s2s", "succeeded")]
    assert asked(counter, "pikasim") == 0
    assert counter.served.world.calls("pikasim") == calls
    counter.simulator("pikasim").deposit(Decimal(500))
    await refresh(counter, "pikasim")
    again = await counter.followed(await counter.ordered(plan))
    assert [one.supplier for one in await counter.attempts(again.id)] == ["pikasim"]


async def test_what_was_bought_since_the_last_look_is_gone_before_the_next(counter: Counter) -> None:
    plan = await one_plan(counter)
    leave(counter, "pikasim", "25")  # for two: it takes 10.36 where 10.00 is listed
    await refresh(counter)
    sellers = []
    for _ in range(3):
        order = await counter.followed(await counter.ordered(plan))
        sellers.append([one.supplier for one in await counter.attempts(order.id)])
    assert sellers == [["pikasim"], ["pikasim"], ["s2s"]]
    assert asked(counter, "pikasim") == 2


async def test_an_attempt_whose_end_is_not_known_keeps_its_money_back(counter: Counter) -> None:
    plan = await one_plan(counter)
    leave(counter, "pikasim", "20")
    await refresh(counter)
    counter.trigger("pikasim", "hang")
    first = await counter.ordered(plan)
    assert [(one.supplier, one.state) for one in await counter.attempts(first)] == [("pikasim", "unknown")]
    second = await counter.followed(await counter.ordered(plan))
    assert [one.supplier for one in await counter.attempts(second.id)] == ["s2s"]


async def test_many_at_once_spend_the_last_money_without_one_refusal(counter: Counter) -> None:
    plan = await one_plan(counter)
    leave(counter, "pikasim", "32")  # three times 10.36
    await refresh(counter)
    admitted = [await counter.admit(plan) for _ in range(8)]
    ids = [one.order_id for one in admitted if isinstance(one, Admitted)]
    await asyncio.gather(*(process_order(counter.deps, order_id) for order_id in ids))
    orders = [await counter.followed(order_id) for order_id in ids]
    assert {order.status for order in orders} == {"fulfilled"}
    tries = [one for order in orders for one in await counter.attempts(order.id)]
    assert sorted(one.supplier for one in tries) == ["pikasim"] * 3 + ["s2s"] * 5
    assert asked(counter, "pikasim") == 3
    assert not counter.simulator("pikasim").records.uncharged


async def test_what_came_back_counts_from_the_next_look_on(counter: Counter) -> None:
    plan = await one_plan(counter)
    leave(counter, "pikasim", "11")
    await refresh(counter)
    order = await counter.followed(await counter.ordered(plan))
    esim = counter.simulator("pikasim").esims()[-1]
    async with aiohttp.ClientSession() as http:
        account = counter.deps.accounts["pikasim"]
        headers = {"X-API-Key": account.settings.api_key.get_secret_value()}  # type: ignore[attr-defined]
        async with http.post(f"{account.settings.base_url}/esims/{esim.iccid}/cancel", headers=headers) as answer:
            assert answer.ok
    assert await sellers_of(counter, plan) == ["s2s"]
    await refresh(counter, "pikasim")
    assert await sellers_of(counter, plan) == ["pikasim"]  # 10.64 is there, and it may take 10.50
    assert order.status == "fulfilled"


async def sellers_of(counter: Counter, plan: str) -> list[str]:
    order = await counter.followed(await counter.ordered(plan))
    return [one.supplier for one in await counter.attempts(order.id)]


async def test_with_too_little_everywhere_an_order_is_refused_before_any_call(counter: Counter) -> None:
    plan = await one_plan(counter)
    for name, _ in SELLERS:
        leave(counter, name, "1")
    await refresh(counter)
    assert code_of(await counter.admit(plan)) == "no_stock"
    assert not any(asked(counter, name) for name, _ in SELLERS)
    offer_id = await counter.deps.pool.fetchval("SELECT id FROM offers WHERE plan_id = $1 AND supplier = 's2s'", plan)
    shown = await one_offer(counter.deps.pool, counter.deps.settings, {}, offer_id)
    assert shown is not None
    assert shown.why_not == "no_balance"


async def test_a_topup_that_our_money_does_not_suffice_for_is_not_offered(counter: Counter) -> None:
    order = await counter.followed(await counter.ordered(await counter.plan(1, "pikasim")))
    esim = await counter.esim(order.id)
    before = await topup_options(counter.deps, STOREFRONT, "test", esim.id)
    assert before
    leave(counter, "pikasim", "0.50")
    await refresh(counter, "pikasim")
    assert await topup_options(counter.deps, STOREFRONT, "test", esim.id) == []


async def test_the_catalogue_shows_what_our_money_keeps_from_sale(
    counter: Counter, redis_url: str, tmp_path: Path
) -> None:
    plan = await one_plan(counter)
    await publish(counter.deps.pool, None, counter.deps.settings)
    catalog = await Catalog.open(counter.deps.settings, counter.deps.pool, None)
    try:
        assert standing_seller(catalog, plan) == "pikasim"
        version = catalog.index("test").version
        leave(counter, "pikasim", "5")
        await refresh(counter)
        await asyncio.wait_for(_seen(catalog, plan, "s2s"), PATIENCE)
        assert catalog.index("test").version != version
        reasons = catalog.index("test").reasons(row_of(catalog, plan, "pikasim"))
        assert [one.value for one in reasons] == ["no_balance"]
        counter.simulator("pikasim").deposit(Decimal(10_000))
        await refresh(counter, "pikasim")
        await asyncio.wait_for(_seen(catalog, plan, "pikasim"), PATIENCE)
        standing = catalog.index("test").version
        order = await counter.followed(await counter.ordered(plan))
        assert order.status == "fulfilled"
        await catalog.refresh()
        assert catalog.index("test").version == standing  # there is enough left, so no answer changed
    finally:
        await catalog.close()


def row_of(catalog: Catalog, plan: str, supplier: str) -> int:
    snapshot = catalog.index("test").snapshot
    number = snapshot.find_plan(plan)
    assert number is not None
    rows_of: list[int] = snapshot.plan_rows[snapshot.plan_rows_at[number] : snapshot.plan_rows_at[number + 1]].tolist()
    return next(row for row in rows_of if snapshot.suppliers[int(snapshot.supplier[row])] == supplier)


def standing_seller(catalog: Catalog, plan: str) -> str | None:
    index = catalog.index("test")
    number = index.snapshot.find_plan(plan)
    assert number is not None
    row = int(index.stands()[number])
    return None if row < 0 else index.snapshot.suppliers[int(index.snapshot.supplier[row])]


async def _seen(catalog: Catalog, plan: str, supplier: str) -> None:
    while standing_seller(catalog, plan) != supplier:  # noqa: ASYNC110 - another task changes it
        await asyncio.sleep(0.02)


async def test_a_supplier_that_tells_its_balance_no_more_is_not_without_money_for_ever(counter: Counter) -> None:
    plan = await one_plan(counter)
    leave(counter, "pikasim", "1")
    await refresh(counter)
    assert await sellers_of(counter, plan) == ["s2s"]
    counter.simulator("pikasim").deposit(Decimal(500))  # which nobody sees
    await counter.deps.pool.execute("UPDATE supplier_balances SET at = at - interval '61 minutes'")
    assert await sellers_of(counter, plan) == ["pikasim"]
    leave(counter, "pikasim", "1")
    order = await counter.followed(
        await counter.ordered(plan)
    )  # the supplier says it itself, and the next one is asked
    assert order.status == "fulfilled"
    assert [(one.supplier, one.state) for one in await counter.attempts(order.id)] == [
        ("pikasim", "failed"), ("s2s", "succeeded"),
    ]  # fmt: skip


async def test_a_balance_that_a_wrong_clock_noted_for_tomorrow_gives_way_to_the_next(counter: Counter) -> None:
    plan = await one_plan(counter)
    leave(counter, "pikasim", "1")
    counter.clock.pass_(hours=24)
    await refresh(counter)
    counter.clock.pass_(hours=-24)
    counter.simulator("pikasim").deposit(Decimal(500))
    await refresh(counter)
    assert await sellers_of(counter, plan) == ["pikasim"]


async def test_more_money_than_was_known_of_ends_a_refusal_s_pause(counter: Counter) -> None:
    await refresh(counter)
    pool = counter.deps.pool
    assert (await counter.followed(await counter.ordered(await counter.real_plan(3, "s2s")))).status == "fulfilled"
    assert await pool.fetchval("SELECT no_balance_until FROM suppliers WHERE name = 's2s'") is not None
    await refresh(counter, "s2s")  # the same money: the refusal stands
    assert await pool.fetchval("SELECT no_balance_until FROM suppliers WHERE name = 's2s'") is not None
    counter.simulator("s2s").deposit(Decimal(100))
    await refresh(counter, "s2s")
    assert await pool.fetchval("SELECT no_balance_until FROM suppliers WHERE name = 's2s'") is None


async def test_where_money_is_waited_for_the_schedule_looks_every_minute(counter: Counter) -> None:
    deps = counter.deps
    assert await balances.poll_if_due(deps.pool, deps.accounts, deps.clock()) == ["beppay", "pikasim", "s2s"]
    assert await supplier_statements.read_if_due(deps) == ["beppay", "pikasim", "s2s"]
    made = await deposits.begin(deps, "pikasim", "stripe", Money(Decimal(50), "USD"), "a test")
    assert isinstance(made, Deposit)
    counter.clock.pass_(seconds=60)
    assert await balances.poll_if_due(deps.pool, deps.accounts, deps.clock()) == ["pikasim"]
    assert await supplier_statements.read_if_due(deps) == ["pikasim"]
    counter.clock.pass_(hours=2)
    assert len(await balances.poll_if_due(deps.pool, deps.accounts, deps.clock())) == 3
    counter.clock.pass_(seconds=60)
    assert await balances.poll_if_due(deps.pool, deps.accounts, deps.clock()) == []


@pytest.mark.parametrize("way", ["stripe", "btcpay"])
async def test_a_deposit_is_paid_at_its_page_and_arrives_with_the_books(counter: Counter, way: str) -> None:
    deps = counter.deps
    before = counter.simulator("pikasim").balance
    made = await deposits.begin(deps, "pikasim", way, Money(Decimal("120.50"), "USD"), "a test")
    assert isinstance(made, Deposit)
    assert (made.state, made.begun_by) == ("begun", "a test")
    assert made.url is not None
    assert counter.simulator("pikasim").balance == before
    async with aiohttp.ClientSession() as http:
        async with http.get(made.url) as page:
            assert "Deposit 120.5" in await page.text()
        for _ in range(2):  # paid twice is paid once
            async with http.post(made.url) as page:
                assert page.status == 200
    assert counter.simulator("pikasim").balance == before + Decimal("120.50")
    await supplier_statements.read(deps, "pikasim")
    (shown,) = (await money.deposits_begun(deps, FIRST_PAGE)).data
    assert shown.state == "arrived"
    (one,) = await money.of(deps, ["pikasim"])  # its balance was looked at in the same step
    assert one.balance.spendable is not None
    assert Decimal(one.balance.spendable.amount) == before + Decimal("120.50")
    actions = await deps.pool.fetch("SELECT actor, action, detail FROM audit_log")
    assert [(row["actor"], row["action"], row["detail"]["way"]) for row in actions] == [
        ("a test", "supplier.deposit_begun", way)
    ]


async def test_a_supplier_that_takes_no_deposit_online_says_what_to_do(counter: Counter) -> None:
    for name, way in (("s2s", "transfer"), ("beppay", "stripe")):
        refused = await deposits.begin(counter.deps, name, way, Money(Decimal(50), "USD"), "a test")
        assert isinstance(refused, Problem)
        assert refused.code == "not_supported"
        assert "by hand" in refused.detail or "book the money" in refused.detail
    for amount, currency in (("0", "USD"), ("50", "EUR"), ("1.005", "USD")):
        refused = await deposits.begin(counter.deps, "pikasim", "stripe", Money(Decimal(amount), currency), "a test")
        assert isinstance(refused, Problem)
    refused = await deposits.begin(counter.deps, "pikasim", "cash", Money(Decimal(50), "USD"), "a test")
    assert code_of(refused) == "conflict"


async def test_a_deposit_that_the_supplier_did_not_answer_is_kept_with_the_reason(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def late(*_: object) -> None:
        raise TimedOut("no whole answer within 1 s", supplier="pikasim")

    monkeypatch.setattr(counter.deps.accounts["pikasim"].provider, "deposit", late)
    refused = await deposits.begin(counter.deps, "pikasim", "stripe", Money(Decimal(50), "USD"), "a test")
    assert isinstance(refused, Problem)
    (shown,) = (await money.deposits_begun(counter.deps, FIRST_PAGE)).data
    assert (shown.state, shown.url) == ("failed", None)
    assert "no whole answer" in (shown.error or "")


async def test_the_parts_of_a_balance_come_in_one_shape(counter: Counter) -> None:
    counter.simulator("s2s").credit = Decimal(100)
    counter.simulator("pikasim").credit = Decimal(20)
    await refresh(counter)
    found = {one.balance.supplier: one for one in await money.of(counter.deps, ["beppay", "pikasim", "s2s"])}
    s2s, pikasim, beppay = (found[name].balance for name in ("s2s", "pikasim", "beppay"))
    assert s2s.credit is not None
    assert s2s.spendable is not None
    assert s2s.reserved is not None
    assert (s2s.credit.amount, s2s.reserved.amount, s2s.spendable.amount) == ("100.00", "0.00", "10100.00")
    assert pikasim.credit is not None
    assert pikasim.spendable is not None
    assert (pikasim.credit.amount, pikasim.spendable.amount) == ("20.00", "10020.00")
    assert [(one.name, one.amount, one.currency) for one in beppay.wallets] == [("1 USDT_TRC20", "10000.00", "USDT")]
    assert beppay.room is not None
    assert beppay.room.amount == "10000.00"
    assert [one.books_of for one in found.values()] == ["orders", "transactions", "transactions"]
    assert [[way.name for way in one.deposit_ways] for one in found.values()] == [
        ["manual"], ["stripe", "btcpay"], ["transfer"],
    ]  # fmt: skip


async def kept(counter: Counter, name: str) -> list[tuple[str, Decimal]]:
    found = await rows.listed(counter.deps.pool, PageRequest(1000), supplier=name)
    return [(one.kind, one.amount) for one in reversed(found.data)]


async def test_every_line_of_the_books_is_kept_once_however_often_they_are_read(counter: Counter) -> None:
    for name in ("beppay", "pikasim", "s2s"):
        await counter.ordered(await counter.plan(1, name))
    simulator = counter.simulator("s2s")
    for _ in range(3):
        simulator.deposit(Decimal(7))  # alike to the last word but for the time
    for _ in range(3):
        await refresh(counter)
    assert await kept(counter, "beppay") == [("charge", Decimal(-10))]  # its orders: it lists no movements
    assert await kept(counter, "pikasim") == [("deposit", Decimal(10_000)), ("charge", Decimal("-10.36"))]
    assert sorted(await kept(counter, "s2s")) == sorted(
        [("deposit", Decimal(10_000)), ("charge", Decimal(-10)), *[("deposit", Decimal(7))] * 3]
    )


async def test_books_whose_reading_was_broken_off_are_gone_over_again_and_come_whole(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = counter.simulator("s2s")
    for number in range(250):
        simulator.deposit(Decimal(number + 1))
    provider = counter.deps.accounts["s2s"].provider
    whole = provider.transactions

    async def broken_off(since: datetime) -> Any:
        seen = 0
        async for line in whole(since):
            yield line
            seen += 1
            if seen == 130:
                raise TimedOut("gone", supplier="s2s")

    monkeypatch.setattr(provider, "transactions", broken_off)
    await supplier_statements.read(counter.deps, "s2s")
    assert len(await kept(counter, "s2s")) == 100  # what came in whole lots stays
    (one,) = await money.of(counter.deps, ["s2s"])
    assert one.books is not None
    assert one.books.whole_to is None
    assert "gone" in (one.books.error or "")
    monkeypatch.undo()
    await supplier_statements.read(counter.deps, "s2s")
    assert len(await kept(counter, "s2s")) == 251
    (one,) = await money.of(counter.deps, ["s2s"])
    assert one.books is not None
    assert one.books.error is None
    assert one.books.whole_to is not None


async def view(counter: Counter, name: str, **more: Any) -> list[tuple[str, str, str | None]]:
    today = datetime.now(UTC).date()
    found = await money.ledger(counter.deps, name, today, today, PageRequest(100), **more)
    assert found is not None
    return [(one.kind, one.verdict, one.why) for one in found.data]


async def test_hostile_words_and_faults_in_one_supplier_s_books_leave_the_rest_readable(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hostile(_: datetime) -> Any:
        for word in ("\x00", "\x1b[2J<script>x</script>", "x" * 5000, "\u202e"):
            yield Transaction(TransactionKind.CHARGE, Money(Decimal(-1), "USD"), datetime.now(UTC), f"1{word}", word)

    async def faulty(_: datetime) -> Any:
        raise RuntimeError(_)
        yield

    monkeypatch.setattr(counter.deps.accounts["pikasim"].provider, "transactions", hostile)
    monkeypatch.setattr(counter.deps.accounts["beppay"].provider, "order_history", faulty)
    assert await supplier_statements.read_if_due(counter.deps) == ["beppay", "pikasim", "s2s"]
    found = await rows.walks(counter.deps.pool, ["beppay", "pikasim", "s2s"])
    assert [found[name].error for name in sorted(found)] == ["a fault of ours: RuntimeError", None, None]
    words = await counter.deps.pool.fetch(
        "SELECT key || supplier_order_id AS said FROM supplier_transactions WHERE supplier = 'pikasim'"
    )
    assert all(one["said"].isprintable() and len(one["said"]) <= 600 for one in words)
    assert len(await kept(counter, "pikasim")) == 4


async def test_a_deposit_that_nobody_paid_does_not_take_the_line_of_the_next(counter: Counter) -> None:
    made = []
    for _ in range(2):
        one = await deposits.begin(counter.deps, "pikasim", "stripe", Money(Decimal(50), "USD"), "a test")
        assert isinstance(one, Deposit)
        made.append(one)
    await counter.deps.pool.execute(
        "UPDATE deposits SET begun_at = begun_at - interval '2 days' WHERE id = $1", made[0].id
    )
    async with aiohttp.ClientSession() as http, http.post(str(made[1].url)) as page:
        assert page.status == 200
    await supplier_statements.read(counter.deps, "pikasim")
    shown = {one.id: one.state for one in (await money.deposits_begun(counter.deps, FIRST_PAGE)).data}
    assert (shown[made[0].id], shown[made[1].id]) == ("begun", "arrived")


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-1", "1e9", "0.001", "1e-30"])
async def test_what_is_no_amount_begins_no_deposit(counter: Counter, amount: str) -> None:
    refused = await deposits.begin(counter.deps, "pikasim", "stripe", Money(Decimal(amount), "USD"), "a test")
    assert isinstance(refused, Problem)


async def test_the_schedule_reads_books_behind_orders_and_a_person_does_not_wait(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Priority] = []
    limiter = counter.deps.accounts["s2s"].limiter
    admit = limiter.admit

    async def noted(priority: Priority, *, write: bool = False) -> None:
        asked.append(priority)
        await admit(priority, write=write)

    monkeypatch.setattr(limiter, "admit", noted)
    await supplier_statements.read_if_due(counter.deps)
    assert set(asked) == {Priority.SYNC}
    asked.clear()
    await refresh(counter, "s2s")
    assert set(asked) == {Priority.SETTLE}


async def test_books_that_come_slowly_come_whole_and_those_that_stop_coming_are_left(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = counter.simulator("s2s")
    for number in range(500):
        simulator.deposit(Decimal(number + 1))
    provider = counter.deps.accounts["s2s"].provider
    whole, stopping = provider.transactions, asyncio.Event()

    async def slow(since: datetime) -> Any:
        lines = 0
        async for line in whole(since):
            yield line
            lines += 1
            if lines % 100 == 0:
                await asyncio.sleep(1.5)
                if stopping.is_set():
                    await asyncio.Event().wait()

    monkeypatch.setattr(provider, "transactions", slow)
    monkeypatch.setattr(supplier_statements, "STUCK_SECONDS", 6.0)
    assert await supplier_statements.read(counter.deps, "s2s") == 501
    assert (await rows.walks(counter.deps.pool, ["s2s"]))["s2s"].error is None
    stopping.set()
    await supplier_statements.read(counter.deps, "s2s")
    assert (await rows.walks(counter.deps.pool, ["s2s"]))["s2s"].error == "no end in time"


async def test_both_books_agree_line_by_line_and_deposits_stand_apart(counter: Counter) -> None:
    for name in ("beppay", "pikasim", "s2s"):
        await counter.followed(await counter.ordered(await counter.plan(1, name)))
    await counter.followed(await counter.ordered(await counter.plan(17, "s2s")))  # failed, and given back
    counter.simulator("pikasim").deposit(Decimal(-3))
    await refresh(counter)
    assert sorted(await view(counter, "pikasim")) == [
        ("adjustment", "apart", None), ("charge", "same", None), ("deposit", "apart", None),
    ]  # fmt: skip
    assert await view(counter, "beppay") == [("charge", "same", None)]
    assert sorted(await view(counter, "s2s")) == [
        ("charge", "same", None), ("charge", "same", None), ("deposit", "apart", None), ("refund", "same", None),
    ]  # fmt: skip
    today = datetime.now(UTC).date()
    found = await money.ledger(counter.deps, "pikasim", today, today, PageRequest(100))
    assert found is not None
    totals = {one.kind: one for one in found.totals}
    assert totals["adjustment"].theirs is not None
    assert totals["adjustment"].theirs.amount == "-3.00"
    assert totals["charge"].differences == 0


async def test_each_difference_between_the_books_is_named(counter: Counter) -> None:
    pool = counter.deps.pool
    for _ in range(3):
        await counter.followed(await counter.ordered(await counter.plan(1, "s2s")))
    counter.trigger("s2s", "charge_then_hang", act="order")
    unknown = await counter.ordered(await counter.plan(1, "s2s"))
    assert [one.state for one in await counter.attempts(unknown)] == ["unknown"]
    ids = [row["id"] for row in await pool.fetch("SELECT id FROM ledger ORDER BY id")]
    await pool.execute("UPDATE ledger SET amount = amount + 1 WHERE id = $1", ids[0])
    await pool.execute("DELETE FROM ledger WHERE id = $1", ids[1])
    await supplier_statements.read(counter.deps, "s2s")
    await pool.execute(
        "DELETE FROM supplier_transactions WHERE supplier_order_id = (SELECT supplier_order_id FROM attempts a"
        " JOIN ledger l ON l.attempt_id = a.id WHERE l.id = $1)",
        ids[2],
    )
    assert sorted(await view(counter, "s2s", differing=True)) == [
        ("charge", "amount_differs", "amount_differs"),
        ("charge", "only_ours", "charge_not_found"),
        ("charge", "only_theirs", "charge_not_booked"),
        # The answer was lost, so only our reference, which its order list told, says whose it is.
        ("charge", "open", "not_settled"),
    ]


async def test_a_page_of_both_books_goes_on_where_the_last_one_ended(counter: Counter) -> None:
    simulator = counter.simulator("s2s")
    for number in range(5):
        simulator.deposit(Decimal(number + 1))
    await supplier_statements.read(counter.deps, "s2s")
    day = Day(datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=1))
    whole = [one.movement for one in (await supplier_statements.ledger(counter.deps, "s2s", day)).others]
    today = datetime.now(UTC).date()
    seen, cursor = [], None
    for _ in range(4):
        found = await money.ledger(counter.deps, "s2s", today, today, PageRequest(2, cursor))
        assert found is not None
        seen += [one.movement for one in found.data]
        cursor = found.next_cursor
        if cursor is None:
            break
    assert seen == whole
    assert await money.ledger(counter.deps, "nobody", today, today, PageRequest(2)) is None
