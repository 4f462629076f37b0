"""Answers that cannot be: absurd sums, other currencies, another order's goods. Money stays right, people are told."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest

from gateway.orders.cancel import request_cancel
from gateway.orders.process import process_order
from gateway.orders.resolve import resolve
from gateway.orders.settle import settle
from schemas.account import Transaction, TransactionKind
from schemas.errors import TimedOut
from schemas.esim import EsimStatus, ProfileState, ServiceState
from schemas.money import Money
from schemas.order import Delivery, PurchaseRequest, SupplierOrder, SupplierOrderState
from tests.kit.counter import STOREFRONT, Counter

Twist = Callable[[SupplierOrder], SupplierOrder]


def twisted(counter: Counter, supplier: str, twist: Twist) -> None:
    """Have a supplier's answers to purchases changed on their way to us."""
    provider = counter.deps.accounts[supplier].provider
    purchase = provider.purchase

    async def told(request: PurchaseRequest) -> SupplierOrder:
        return twist(await purchase(request))

    provider.purchase = told  # type: ignore[method-assign]


@pytest.mark.parametrize("amount", ["-5", "1e400", "1e200000", "1e-60"])
async def test_a_charge_that_no_one_could_take_is_not_known_and_the_esim_is_delivered(
    counter: Counter, amount: str
) -> None:
    twisted(counter, "beppay", lambda told: msgspec.structs.replace(told, charged=Money(Decimal(amount), "USD")))
    order = await counter.followed(await counter.ordered(await counter.plan(1, "beppay")))
    assert order.status == "fulfilled"
    (attempt,) = await counter.attempts(order.id)
    assert attempt.charged is None
    assert await counter.ledger(order.id) == []
    assert "charge_not_told" in await counter.timeline(order.id)


@pytest.mark.parametrize("name", ["ab\x00c", "x" * 5000, ""])
async def test_an_order_number_that_no_row_can_hold_loses_nothing(counter: Counter, name: str) -> None:
    twisted(counter, "beppay", lambda told: msgspec.structs.replace(told, supplier_order_id=name))
    order = await counter.followed(await counter.ordered(await counter.plan(1, "beppay")))
    assert order.status == "fulfilled"
    (attempt,) = await counter.attempts(order.id)
    assert attempt.supplier_order_id is None


@pytest.mark.parametrize(("currency", "more"), [("USD", False), ("EUR", True), ("XAU", True), ("USDT", False)])
async def test_a_charge_in_another_currency_is_compared_by_the_rate_and_the_listed_cost_keeps_its_own(
    counter: Counter, currency: str, more: bool
) -> None:
    twisted(counter, "beppay", lambda told: msgspec.structs.replace(told, charged=Money(Decimal(10), currency)))
    order = await counter.followed(await counter.ordered(await counter.plan(1, "beppay")))
    assert order.status == "fulfilled"
    assert ("charged_more" in await counter.timeline(order.id)) == more
    row = await counter.deps.pool.fetchrow(
        "SELECT currency, charged_currency FROM attempts WHERE order_id = $1", order.id
    )
    assert row is not None
    assert tuple(row) == ("USD", currency)


async def test_an_esim_that_was_delivered_before_is_delivered_to_nobody_else(counter: Counter) -> None:
    first = await counter.followed(await counter.ordered(await counter.plan(1, "beppay")))
    esim = await counter.esim(first.id)
    again = Delivery(esim.iccid, esim.activation_code, "smdp.example.com", "M")
    twisted(counter, "beppay", lambda told: msgspec.structs.replace(told, delivery=again))
    second = await counter.followed(await counter.ordered(await counter.plan(1, "beppay")))
    assert second.status == "needs_review"
    (attempt,) = await counter.attempts(second.id)
    assert (attempt.state, attempt.error_code) == ("charged_undeliverable", "not_ours")
    assert len(await counter.ledger(second.id)) == 1
    # The number alone comes back: with a code of its own it is another line.
    fresh = Delivery(esim.iccid, "LPA:1$smdp.example.com$OTHER", "smdp.example.com", "OTHER")
    twisted(counter, "beppay", lambda told: msgspec.structs.replace(told, delivery=fresh))
    third = await counter.followed(await counter.ordered(await counter.plan(1, "beppay")))
    assert third.status == "fulfilled"


async def test_what_a_supplier_says_later_of_its_charge_is_what_the_ledger_has(counter: Counter) -> None:
    counter.simulator("s2s").delivery_seconds = 3600
    order_id = await counter.ordered(await counter.plan(1, "s2s"))
    (attempt,) = await counter.attempts(order_id)
    assert attempt.state == "accepted"
    assert await counter.ledger(order_id) == [("s2s", "charge", "10")]
    code = "LPA:1$smdp.example.com$M-1"
    given = Delivery("8944500000000000001", code, "smdp.example.com", "M-1")
    told = SupplierOrder(
        attempt.supplier_order_id, attempt.id, SupplierOrderState.COMPLETED, Money(Decimal(12), "USD"), given
    )
    async with counter.deps.pool.acquire() as connection, connection.transaction():
        assert await settle(counter.deps, connection, attempt.id, told)
    assert await counter.ledger(order_id) == [("s2s", "charge", "12")]
    assert {"charge_changed", "charged_more"} <= set(await counter.timeline(order_id))


async def test_a_refund_of_nobodys_order_does_not_cancel_an_order_without_a_number(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = (await counter.followed(await counter.ordered(await counter.plan(1, "pikasim")))).id
    await counter.deps.pool.execute("UPDATE attempts SET supplier_order_id = NULL")
    provider = counter.deps.accounts["pikasim"].provider

    async def lost(*_: object, **__: object) -> None:
        raise TimedOut("no answer", supplier="pikasim")

    async def unknown(iccid: str) -> EsimStatus:
        return EsimStatus(iccid, ProfileState.UNKNOWN, ServiceState.UNKNOWN, counter.clock())

    async def transactions(_since: object) -> object:
        yield Transaction(TransactionKind.REFUND, Money(Decimal(99), "USD"), counter.clock())

    monkeypatch.setattr(provider, "cancel", lost)
    monkeypatch.setattr(provider, "esim_status", unknown)
    monkeypatch.setattr(provider, "transactions", transactions)
    assert await request_cancel(counter.deps, STOREFRONT, "test", order_id) is None
    await process_order(counter.deps, order_id)
    await process_order(counter.deps, order_id, poll=True)
    assert (await counter.order(order_id)).status == "cancel_pending"
    assert [kind for _, kind, _ in await counter.ledger(order_id)] == ["charge"]


async def test_a_part_of_a_charge_given_back_is_no_failure_of_the_order(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter.simulator("s2s").delivery_seconds = 10**6
    order_id = await counter.ordered(await counter.plan(1, "s2s"))
    (attempt,) = await counter.attempts(order_id)

    async def transactions(_since: object) -> object:  # the charge itself is not shown yet
        yield Transaction(TransactionKind.REFUND, Money(Decimal(1), "USD"), counter.clock(), attempt.supplier_order_id)

    monkeypatch.setattr(counter.deps.accounts["s2s"].provider, "transactions", transactions)
    assert (await counter.followed(order_id, looks=20)).status == "needs_review"
    assert [one.state for one in await counter.attempts(order_id)] == ["accepted"]


async def test_a_cancel_that_was_asked_for_goes_on_after_a_person_found_the_esim(counter: Counter) -> None:
    order_id = await counter.ordered(await counter.plan(18, "pikasim"))
    assert (await counter.followed(order_id, looks=20)).status == "needs_review"
    assert await request_cancel(counter.deps, STOREFRONT, "test", order_id) is None
    assert (await counter.order(order_id)).status == "needs_review"
    code = "LPA:1$smdp.example.com$ABC-123"
    assert await resolve(counter.deps, order_id, "fulfilled", "told by mail", code, "8944500000000000001") is None
    assert (await counter.order(order_id)).status == "cancel_pending"
    await process_order(counter.deps, order_id)
    assert [one.kind for one in await counter.attempts(order_id)] == ["purchase", "cancel"]
