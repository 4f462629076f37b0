"""Virtual numbers through the order machine: bought once, delivered sealed, and never chosen out of two."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from gateway.inventory import number_rows
from gateway.items import number_list_rows
from gateway.items.item_rules import item_of
from gateway.items.number_sync import sync_numbers
from gateway.kit.problem import Problem
from gateway.ledger.reconcile import reconcile
from gateway.orders import number_polls, presenter
from gateway.orders.admit import Admitted, admit, validate
from gateway.orders.cancel import request_cancel
from gateway.orders.link_supplier_order import link_supplier_order
from gateway.orders.order_view_rows import StorefrontScope
from gateway.orders.process import process_order
from gateway.orders.resolve import resolve
from gateway.orders.reveal import reveal
from schemas.account import NumberTier
from schemas.errors import UnreadableAnswer
from schemas.money import Money
from schemas.order import NumberDelivery, OrderKind, PurchaseRequest, SupplierOrder
from schemas.order_requests import NumberChoice, OrderForNumber, PriceLimit, SupplierChoice
from tests.kit.admitted import code_of, order_of
from tests.kit.counter import STOREFRONT, Counter
from tests.kit.working import emit_events

US = NumberChoice("US", "7d")


async def placed(counter: Counter, key: str, number: NumberChoice = US, **more: Any) -> str:
    return order_of(await admit(counter.deps, STOREFRONT, "test", OrderForNumber(number=number, **more), key))


async def ordered(counter: Counter, key: str, number: NumberChoice = US, **more: Any) -> str:
    order_id = await placed(counter, key, number, **more)
    await process_order(counter.deps, order_id)
    return order_id


async def phone(counter: Counter, order_id: str) -> str | None:
    shown = await presenter.order(counter.deps, order_id, StorefrontScope(STOREFRONT, "test"))
    assert shown is not None
    assert shown.plan is None
    assert shown.number is not None
    return shown.number.phone_number


def sales(counter: Counter) -> list[Any]:
    return [sale for sale in counter.simulator("beppay").sales() if sale.kind is OrderKind.NUMBER]


async def test_a_number_is_bought_once_and_delivered(counter: Counter) -> None:
    order_id = await ordered(counter, "n-1")
    order = await counter.order(order_id)
    (sale,) = sales(counter)
    assert (order.kind, order.status, order.price) == ("number", "fulfilled", Decimal("11.00"))
    assert await phone(counter, order_id) == f"+1202{sale.number % 10**7:07d}"
    assert await counter.ledger(order_id) == [("beppay", "charge", "10")]
    again = await admit(counter.deps, STOREFRONT, "test", OrderForNumber(number=US), "n-1")
    assert again == Admitted(order_id, replayed=True)
    refused = await admit(counter.deps, STOREFRONT, "test", OrderForNumber(number=NumberChoice("GB", "7d")), "n-1")
    assert code_of(refused) == "idempotency_mismatch"
    assert len(sales(counter)) == 1


async def test_the_number_stands_sealed_and_in_no_event(counter: Counter) -> None:
    await counter.deps.pool.execute(
        "INSERT INTO webhook_endpoints (id, storefront_id, mode, url, secret)"
        " VALUES ('we_1', $1, 'test', 'https://x', '')",
        STOREFRONT,
    )
    order_id = await ordered(counter, "n-2")
    told = await phone(counter, order_id)
    assert told is not None
    digits = told.removeprefix("+")
    for table in ("orders", "attempts", "numbers", "order_events", "exchanges", "ledger"):
        rows = await counter.deps.pool.fetch(f"SELECT t::text AS row FROM {table} t")
        assert not [row["row"] for row in rows if digits in row["row"]], table
    await emit_events(counter.deps.pool)
    bodies = await counter.deps.pool.fetch("SELECT body FROM webhook_events WHERE order_id = $1", order_id)
    assert bodies
    assert not [row for row in bodies if digits in counter.deps.seal.open_text(row["body"])]
    seen = await presenter.ops_order(counter.deps, order_id)
    assert seen is not None
    assert seen.number is not None
    assert (seen.number.phone_number, seen.number.country) == (None, "US")


@pytest.mark.parametrize("trigger", ["charge_then_500", "charge_then_reset", "charge_then_truncated"])
async def test_a_lost_answer_is_found_and_nothing_is_bought_again(counter: Counter, trigger: str) -> None:
    counter.trigger("beppay", trigger, key="US/7d")
    order_id = await ordered(counter, "n-3")
    assert (await counter.order(order_id)).status == "pending"
    order = await counter.followed(order_id)
    (sale,) = sales(counter)
    (attempt,) = await counter.attempts(order_id)
    assert (order.status, attempt.supplier_order_id) == ("fulfilled", f"number-{sale.number}")
    assert await counter.ledger(order_id) == [("beppay", "charge", "10")]


async def test_while_one_is_unknown_no_other_of_its_country_and_tier_is_bought(counter: Counter) -> None:
    counter.trigger("beppay", "charge_then_500", key="US/7d")
    counter.trigger("beppay", "list_lag", key="US/7d", seconds=3600)
    first = await ordered(counter, "n-4")
    second = await ordered(counter, "n-5")
    assert (await counter.attempts(first))[0].state == "unknown"
    assert await counter.attempts(second) == []
    elsewhere = await ordered(counter, "n-6", NumberChoice("GB", "7d"))
    assert (await counter.order(elsewhere)).status == "fulfilled"
    # Once nobody could take one for the other any more, the second is bought; the first stays for a person.
    counter.clock.pass_(minutes=12)
    await process_order(counter.deps, second)
    assert (await counter.order(second)).status == "fulfilled"
    assert (await counter.followed(first)).status == "needs_review"
    assert len(sales(counter)) == 3


async def test_a_country_that_is_called_otherwise_meanwhile_keeps_no_two_unknown_apart(counter: Counter) -> None:
    counter.trigger("beppay", "charge_then_500", key="US/7d")
    counter.trigger("beppay", "list_lag", key="US/7d", seconds=3600)
    first = await ordered(counter, "nc-1")
    assert (await counter.attempts(first))[0].state == "unknown"
    await counter.deps.pool.execute("UPDATE number_countries SET name = 'USA' WHERE code = 'US'")
    assert await counter.attempts(await ordered(counter, "nc-2")) == []
    assert len(sales(counter)) == 1


async def test_while_one_is_paid_for_and_not_told_no_other_of_its_kind_is_bought(counter: Counter) -> None:
    counter.trigger("beppay", "never_provisioned", key="US/7d")
    first, second = await ordered(counter, "np-1"), await ordered(counter, "np-2")
    assert (await counter.attempts(first))[0].state == "accepted"
    assert await counter.attempts(second) == []
    counter.clock.pass_(minutes=12)
    await process_order(counter.deps, second)
    assert (await counter.order(second)).status == "fulfilled"
    assert (await counter.order(first)).status == "pending"


async def test_what_could_be_one_of_two_goes_to_a_person(counter: Counter) -> None:
    """Somebody bought the same by hand at the very time: nobody can say which is whose."""
    counter.trigger("beppay", "charge_then_500", key="US/7d")
    order_id = await ordered(counter, "n-7")
    account = counter.deps.accounts["beppay"]
    (attempt,) = await counter.attempts(order_id)
    await account.provider.purchase_number(attempt.request(None))
    order = await counter.followed(order_id)
    assert order.status == "needs_review"
    assert await phone(counter, order_id) is None
    assert len(sales(counter)) == 2


async def test_a_number_that_another_order_has_is_not_delivered_again(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await ordered(counter, "n-8")
    taken = await phone(counter, first)
    provider = counter.deps.accounts["beppay"].provider
    buy = provider.purchase_number

    async def lies(request: PurchaseRequest) -> SupplierOrder:
        answer = await buy(request)
        return msgspec.structs.replace(answer, number=NumberDelivery(str(taken)))

    monkeypatch.setattr(provider, "purchase_number", lies)
    second = await ordered(counter, "n-9")
    (attempt,) = await counter.attempts(second)
    assert ((await counter.order(second)).status, attempt.error_code) == ("needs_review", "not_ours")
    assert await phone(counter, second) is None
    assert await counter.ledger(second) == [("beppay", "charge", "10")]
    assert await phone(counter, first) == taken


async def test_orders_at_once_are_all_served_with_numbers_of_their_own(counter: Counter) -> None:
    ids = [await placed(counter, f"at-once-{n}") for n in range(4)]
    for _ in range(300):
        await asyncio.gather(*(process_order(counter.deps, one) for one in ids))
        if all([(await counter.order(one)).status == "fulfilled" for one in ids]):
            break
        await asyncio.sleep(0.2)
    found = {await phone(counter, one) for one in ids}
    assert len(found) == 4
    assert None not in found
    assert len(sales(counter)) == 4


async def test_a_purchase_of_an_esim_holds_no_number_back_and_two_numbers_wait_for_each_other(counter: Counter) -> None:
    counter = counter.with_("beppay", timeout_seconds=8)
    counter.trigger("beppay", "charge_then_hang")
    order_id = order_of(await counter.admit(await counter.plan(1, "beppay")))
    buying = await _sending(counter, order_id)
    assert (await counter.order(await ordered(counter, "beside-1"))).status == "fulfilled"
    assert not buying.done(), "the eSIM's call was over before the number was asked for"
    counter.trigger("beppay", "charge_then_hang", key="GB/7d")
    slow = await _sending(counter, await placed(counter, "beside-2", NumberChoice("GB", "7d")))
    assert await counter.attempts(await ordered(counter, "beside-3")) == []
    await asyncio.gather(buying, slow)


async def _sending(counter: Counter, order_id: str) -> asyncio.Task[Any]:
    """The order's purchase, under way."""
    task = asyncio.create_task(process_order(counter.deps, order_id))
    while not await counter.attempts(order_id):  # noqa: ASYNC110 - the row is the database's to show
        await asyncio.sleep(0.01)
    return task


async def test_a_refusal_fails_the_order_and_marks_what_was_sold_out(counter: Counter) -> None:
    counter.trigger("beppay", "refuse_stock", key="US/7d")
    order = await counter.order(await ordered(counter, "n-10"))
    assert (order.status, await counter.ledger(order.id)) == ("failed", [])
    assert code_of(await validate(counter.deps, STOREFRONT, "test", OrderForNumber(number=US))) == "no_stock"


async def test_what_cannot_be_bought_is_said_before_an_order_stands(counter: Counter) -> None:
    async def problem(number: NumberChoice = US, **more: Any) -> str:
        found = await validate(counter.deps, STOREFRONT, "test", OrderForNumber(number=number, **more))
        return found.code if isinstance(found, Problem) else "valid"

    assert await problem() == "valid"
    assert await problem(NumberChoice("US", "2w")) == "no_plan"
    assert await problem(NumberChoice("ZZ", "7d")) == "no_plan"
    assert await problem(max_price=PriceLimit("10.99", "USD")) == "price_changed"
    assert await problem(max_price=PriceLimit("11.00", "USD")) == "valid"
    assert await problem(suppliers=SupplierChoice(ignore=["beppay"])) == "no_plan"
    await counter.deps.pool.execute("UPDATE suppliers SET state = 'paused' WHERE name = 'beppay'")
    assert await problem() == "selling_stopped"


async def test_no_supplier_takes_a_number_back(counter: Counter) -> None:
    order_id = await ordered(counter, "n-11")
    assert code_of(await request_cancel(counter.deps, STOREFRONT, "test", order_id)) == "not_supported"


async def test_charged_more_than_listed_stands_and_stops_that_number(counter: Counter) -> None:
    counter.trigger("beppay", "charged_more", key="US/7d")
    order = await counter.order(await ordered(counter, "n-12"))
    assert order.status == "fulfilled"
    assert await counter.ledger(order.id) == [("beppay", "charge", "12.5")]
    refused = await validate(counter.deps, STOREFRONT, "test", OrderForNumber(number=US))
    assert isinstance(refused, Problem)
    async with counter.deps.pool.acquire() as connection, connection.transaction():
        assert await number_list_rows.release_tier(connection, "beppay", "7d", Decimal(10))
    assert not isinstance(await validate(counter.deps, STOREFRONT, "test", OrderForNumber(number=US)), Problem)


async def test_expiry_and_autorenew_come_with_the_next_look_and_the_books_name_the_order(counter: Counter) -> None:
    order_id = await ordered(counter, "n-13")
    (sale,) = sales(counter)
    sale.details = {**sale.details, "autorenew": True, "expires_at": "2027-06-01T00:00:00.000Z"}
    assert await number_polls.poll_if_due(counter.deps) == ["beppay"]
    (attempt,) = await counter.attempts(order_id)
    assert attempt.supplier_order_id == f"number-{sale.number}"
    held = (await number_rows.of_orders(counter.deps.pool, counter.deps.seal, [order_id]))[order_id]
    assert (held.autorenew, held.expires_at) == (True, datetime(2027, 6, 1, tzinfo=UTC))
    assert await counter.ledger(order_id) == [("beppay", "charge", "10")]
    assert await number_polls.poll_if_due(counter.deps) == []


async def test_the_books_agree_and_a_number_bought_by_hand_is_named(counter: Counter) -> None:
    order_id = await ordered(counter, "n-14")
    today = datetime.now(UTC).date()
    assert (await reconcile(counter.deps, today, today, ["beppay"])).clean
    (attempt,) = await counter.attempts(order_id)
    await counter.deps.accounts["beppay"].provider.purchase_number(attempt.request(None))
    (compared,) = (await reconcile(counter.deps, today, today, ["beppay"])).suppliers
    assert [one.what for one in compared.differences] == ["charge_without_attempt"]


async def test_lists_that_cannot_be_read_leave_what_stands(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    account = counter.deps.accounts["beppay"]

    async def down() -> list[NumberTier]:
        raise UnreadableAnswer("it lies", supplier="beppay")

    monkeypatch.setattr(account.provider, "number_tiers", down)
    assert await sync_numbers(counter.deps.pool, account, counter.deps.settings) == ["numbers: beppay: it lies"]
    assert not isinstance(await validate(counter.deps, STOREFRONT, "test", OrderForNumber(number=US)), Problem)
    (state,) = await number_list_rows.states(counter.deps.pool)
    assert (state.error, state.tiers) == ("beppay: it lies", 2)
    counter.clock.pass_(seconds=counter.deps.settings.sync.expire_after_seconds + 60)
    assert isinstance(await validate(counter.deps, STOREFRONT, "test", OrderForNumber(number=US)), Problem)


@pytest.mark.parametrize("cost", [Decimal(1), Decimal(99)])
async def test_a_price_that_cannot_be_right_waits_for_a_person(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, cost: Decimal
) -> None:
    account = counter.deps.accounts["beppay"]

    async def changed() -> list[NumberTier]:
        return [NumberTier("7d", "7 Days", 7, Money(cost, "USD")), NumberTier("30d", "30 Days", 30, Money(cost, "USD"))]

    monkeypatch.setattr(account.provider, "number_tiers", changed)
    (warning,) = await sync_numbers(counter.deps.pool, account, counter.deps.settings)
    assert "7d" in warning
    assert isinstance(await validate(counter.deps, STOREFRONT, "test", OrderForNumber(number=US)), Problem)
    new = OrderForNumber(number=NumberChoice("US", "30d"))
    assert not isinstance(await validate(counter.deps, STOREFRONT, "test", new), Problem)
    await sync_numbers(counter.deps.pool, account, counter.deps.settings, accepted=True)
    assert not isinstance(await validate(counter.deps, STOREFRONT, "test", OrderForNumber(number=US)), Problem)


async def test_what_was_sold_is_frozen_in_the_order(counter: Counter) -> None:
    order = await counter.order(await ordered(counter, "n-15"))
    item = item_of(order.plan)
    assert (order.plan_id, item.name) == ("number-us-7d", "United States number, 7 Days")
    assert order.created_at < datetime.now(UTC) + timedelta(minutes=1)


async def test_a_person_settles_a_number_with_the_number_that_was_found(counter: Counter) -> None:
    first = await ordered(counter, "p-1")
    counter.trigger("beppay", "charge_then_500", key="US/7d")
    counter.trigger("beppay", "list_lag", key="US/7d", seconds=3600)
    order_id = await ordered(counter, "p-2")
    assert (await counter.followed(order_id)).status == "needs_review"

    async def settled(number: NumberDelivery | None) -> Problem | None:
        return await resolve(counter.deps, order_id, "fulfilled", "their support told it", item=number)

    taken = await phone(counter, first)
    assert taken is not None
    for wrong in (None, NumberDelivery("soon"), NumberDelivery(taken.replace("+", "00").removeprefix("00"))):
        problem = await settled(wrong)
        assert isinstance(problem, Problem)
        assert problem.errors[0][0] == "/phone_number"
    assert await settled(NumberDelivery("+1 (202) 555-0199", datetime(2027, 1, 1, tzinfo=UTC))) is None
    assert await phone(counter, order_id) == "+1 (202) 555-0199"
    shown = await reveal(counter.deps, order_id, "somebody")
    assert not isinstance(shown, Problem)
    assert [(one.what, one.value) for one in shown] == [("Phone number", "+1 (202) 555-0199")]


async def test_an_order_that_a_restore_cut_off_adopts_the_number_that_was_bought_for_it(counter: Counter) -> None:
    lost = await ordered(counter, "r-1")
    (attempt,), (sale,) = await counter.attempts(lost), sales(counter)
    told = await phone(counter, lost)
    async with counter.deps.pool.acquire() as connection, connection.transaction():
        for table in ("numbers", "ledger", "attempts"):
            await connection.execute(f"DELETE FROM {table} WHERE order_id = $1", lost)
        await connection.execute(
            "UPDATE orders SET status = 'pending', fulfilled_at = NULL, next_poll_at = now() WHERE id = $1", lost
        )
    assert isinstance(await link_supplier_order(counter.deps, lost, "beppay"), Problem)
    assert await link_supplier_order(counter.deps, lost, "beppay", None, f"number-{sale.number}") is None
    other = await placed(counter, "r-2")
    assert isinstance(await link_supplier_order(counter.deps, other, "beppay", None, f"number-{sale.number}"), Problem)
    await process_order(counter.deps, lost, poll=True)
    assert (await counter.order(lost)).status == "fulfilled"
    assert (await phone(counter, lost), attempt.item) == (told, (await counter.attempts(lost))[0].item)
    assert len(sales(counter)) == 1


async def test_a_rule_of_price_for_the_country_counts_and_one_about_data_does_not(counter: Counter) -> None:
    await counter.deps.pool.execute(
        """INSERT INTO pricing_rules (id, position, name, percent, currency, unlimited)
               VALUES ('pr_1', 1, 'unlimited', 90, 'USD', true);
           INSERT INTO pricing_rules (id, position, name, percent, currency, countries)
               VALUES ('pr_2', 2, 'United States', 50, 'USD', '{US}')"""
    )
    assert (await counter.order(await placed(counter, "rule-1"))).price == Decimal("15.00")
    assert (await counter.order(await placed(counter, "rule-2", NumberChoice("GB", "7d")))).price == Decimal("11.00")
