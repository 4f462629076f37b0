"""What keeps money from moving at the wrong moment: pauses, stops, limits, clocks; and what a late word brings back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from secrets import token_hex
from typing import Any

import pytest

from gateway.kit.pool import Connection
from gateway.kit.problem import Problem
from gateway.orders import attempt_rows
from gateway.orders import settle as settling
from gateway.orders.admit import Admitted
from gateway.orders.link_supplier_order import link_supplier_order
from gateway.orders.process import poll_failed_attempt, process_order
from gateway.orders.resolve import resolve
from gateway.orders.topup import admit_topup, topup_options
from gateway.suppliers import spend_rows, supplier_list_rows
from schemas.errors import Refused
from schemas.order import PurchaseRequest, SupplierOrder
from schemas.order_requests import TopupForOption
from tests.kit.admitted import code_of, order_of
from tests.kit.common_plan import everyday_plan
from tests.kit.counter import STOREFRONT, Counter


async def _topup(counter: Counter, order_id: str) -> Admitted | Problem:
    esim = await counter.esim(order_id)
    options = await topup_options(counter.deps, STOREFRONT, "test", esim.id)
    assert not isinstance(options, Problem)
    own = next((one for one in options if one.offer.plan_id == esim.plan_id), None)
    if own is None:
        return Problem("no_plan", "not among them")
    body = TopupForOption(topup_plan_id=own.id)
    return await admit_topup(counter.deps, STOREFRONT, "test", esim.id, body, token_hex(4))


async def test_at_a_paused_supplier_nothing_is_topped_up(counter: Counter) -> None:
    order_id = await counter.delivered()
    admitted = await _topup(counter, order_id)
    assert isinstance(admitted, Admitted)
    await supplier_list_rows.set_supplier_state(counter.deps.pool, "pikasim", "paused")
    await process_order(counter.deps, admitted.order_id)
    assert not await counter.attempts(admitted.order_id)
    assert code_of(await _topup(counter, order_id)) == "selling_stopped"
    await supplier_list_rows.set_supplier_state(counter.deps.pool, "pikasim", "active")
    assert (await counter.followed(admitted.order_id)).status == "fulfilled"


async def test_a_pause_that_comes_between_choice_and_send_is_seen(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = attempt_rows.begin

    async def late(*args: Any, **more: Any) -> str:
        await supplier_list_rows.set_supplier_state(counter.deps.pool, "s2s", "paused")
        return await begin(*args, **more)

    monkeypatch.setattr(attempt_rows, "begin", late)
    order_id = await counter.ordered(await counter.plan(1, "s2s"))
    assert not await counter.attempts(order_id)
    assert not counter.simulator("s2s").sales()


async def test_a_topup_that_was_charged_more_than_listed_is_not_sold_again(counter: Counter) -> None:
    order_id = await counter.ordered(await everyday_plan(counter, "pikasim"))
    assert (await counter.followed(order_id)).status == "fulfilled"
    counter.trigger("pikasim", "charged_more", factor=Decimal("1.5"), act="topup")
    admitted = await _topup(counter, order_id)
    assert isinstance(admitted, Admitted)
    assert (await counter.followed(admitted.order_id)).status == "fulfilled"
    assert "charged_more" in await counter.timeline(admitted.order_id)
    assert code_of(await _topup(counter, order_id)) == "no_plan"


class Between:
    """A connection on which something happens after the day's sum was read."""

    def __init__(self, connection: Connection, happens: Any) -> None:
        self._connection, self._happens = connection, happens

    async def execute(self, *args: Any) -> Any:
        return await self._connection.execute(*args)

    async def fetchval(self, *args: Any) -> Any:
        found = await self._connection.fetchval(*args)
        await self._happens()
        return found


async def test_what_is_given_back_while_something_else_is_spent_is_not_lost(counter: Counter) -> None:
    pool, now, limit = counter.deps.pool, counter.clock(), Decimal(100)
    async with pool.acquire() as connection, connection.transaction():
        assert await spend_rows.spend(connection, "supplier", "s2s", Decimal(30), limit, now, "")

    async def given_back() -> None:
        async with pool.acquire() as other:
            await spend_rows.give_back(other, "supplier", "s2s", Decimal(30), now)

    async with pool.acquire() as connection, connection.transaction():
        between: Any = Between(connection, given_back)
        assert await spend_rows.spend(between, "supplier", "s2s", Decimal(10), limit, now, "")
    assert await spend_rows.spent(pool, "supplier", "s2s", now) == 10


async def test_an_adopted_attempt_that_is_never_delivered_goes_to_a_person(counter: Counter) -> None:
    counter.simulator("s2s").delivery_seconds = 10**6
    order_id = order_of(await counter.admit(await counter.plan(1, "s2s")))
    offer = await counter.deps.pool.fetchval(
        "SELECT supplier_plan_id FROM offers WHERE supplier = 's2s' AND plan_id = $1",
        (await counter.order(order_id)).plan_id,
    )
    reference, now = f"att_{token_hex(12)}", datetime.now(UTC)
    request = PurchaseRequest(reference, offer, now, now + timedelta(seconds=15))
    await counter.deps.accounts["s2s"].provider.purchase(request)
    assert await link_supplier_order(counter.deps, order_id, "s2s", reference) is None
    assert (await counter.followed(order_id, looks=20)).status == "needs_review"


async def test_with_clocks_apart_no_absence_is_trusted(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    trusting = counter.with_("s2s", trust_absence=True)
    trusting.trigger("s2s", "500")
    order_id = await trusting.ordered(await trusting.plan(1, "s2s"))
    monkeypatch.setattr(settling, "utc_now", lambda: datetime.now(UTC) + timedelta(minutes=20))
    assert (await trusting.followed(order_id, looks=20)).status == "needs_review"


async def test_a_late_word_on_an_attempt_that_was_refused_brings_its_charge_to_light(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = counter.deps.accounts["s2s"].provider
    purchase = provider.purchase

    async def refused(request: PurchaseRequest) -> SupplierOrder:
        await purchase(request)
        raise Refused("no", supplier="s2s")

    monkeypatch.setattr(provider, "purchase", refused)
    order_id = await counter.ordered(await counter.plan(1, "s2s"))
    (attempt,) = await counter.attempts(order_id)
    assert ((await counter.order(order_id)).status, attempt.state) == ("failed", "failed")
    await poll_failed_attempt(counter.deps, attempt.id)
    assert await counter.ledger(order_id) == [("s2s", "charge", "10")]
    assert "charged_after_failure" in await counter.timeline(order_id)
    assert (await counter.order(order_id)).status == "failed"


async def test_a_person_cannot_give_one_esim_to_two_orders(counter: Counter) -> None:
    first = await counter.followed(await counter.ordered(await counter.plan(1, "beppay")))
    esim = await counter.esim(first.id)
    second = await counter.followed(await counter.ordered(await counter.plan(9, "beppay")))
    assert second.status == "needs_review"
    refused = await resolve(counter.deps, second.id, "fulfilled", "a slip", esim.activation_code, esim.iccid)
    assert code_of(refused) == "invalid"
