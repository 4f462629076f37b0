"""What is BepPay's own about buying and looking up, over HTTP against its sandbox."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from aiohttp import web

from providers.beppay import MANIFEST
from schemas.errors import (
    InsufficientBalance,
    InvalidRequest,
    NotAuthorised,
    NotFound,
    Outcome,
    OutOfStock,
    SupplierError,
    UnreadableAnswer,
)
from schemas.money import Money
from schemas.order import SupplierOrderState
from tests.providers.account import Account, account, failure

HISTORY = "/api/partner/esim/orders"
PURCHASE = "/api/partner/esim/purchase"


def history(here: Account, change: Any) -> None:
    """The history is changed on the way."""
    here.shop.rewrite("/esim/orders", change)


@pytest.mark.parametrize("kind", ["charge_then_500", "charge_then_hang"])
async def test_of_two_lost_answers_at_once_each_attempt_finds_its_own(here: Account, kind: str) -> None:
    here.trigger(kind, calls=2)
    first, second = here.request("att_01"), here.request("att_02")
    lost = await asyncio.gather(failure(here.provider.purchase(first)), failure(here.provider.purchase(second)))
    assert [error.outcome for error in lost] == [Outcome.UNKNOWN] * 2
    assert first.supplier_plan_id == second.supplier_plan_id
    by_address = {sale.details["email"]: sale for sale in here.simulator.sales()}
    assert len(by_address) == 2
    for request in (first, second):
        found = await here.provider.find_order(request, None)
        sale = by_address[f"orders+{request.reference}@example.com"]
        assert found is not None
        assert (found.reference, found.supplier_order_id) == (request.reference, str(sale.number))
        assert found.delivery is not None
        assert (found.delivery.iccid, found.charged) == (sale.iccid, Money(sale.charged, "USDT"))


async def test_a_purchase_answers_with_the_esim_and_what_it_took(here: Account) -> None:
    order = await here.provider.purchase(here.request())
    (sale,) = here.simulator.sales()
    assert (order.state, order.supplier_order_id) == (SupplierOrderState.COMPLETED, None)
    assert order.charged == Money(sale.charged, "USDT")
    assert order.delivery is not None
    assert order.delivery.activation_code == here.simulator.esims()[0].text_code


async def test_the_address_is_made_of_the_reference_and_a_domain_of_ours(here: Account) -> None:
    await here.provider.purchase(here.request("att_01"))
    given = msgspec.structs.replace(here.request("att_02"), email="orders+att_02@elsewhere.example")
    await here.provider.purchase(given)
    sent = [sale.details["email"] for sale in here.simulator.sales()]
    assert sent == ["orders+att_01@example.com", "orders+att_02@elsewhere.example"]
    assert await here.provider.find_order(given, None) is not None


async def test_without_a_domain_or_a_key_nothing_is_sent() -> None:
    async with account(MANIFEST, email_domain=None) as here:
        error = await failure(here.provider.purchase(here.request()))
        assert (type(error), error.outcome) == (InvalidRequest, Outcome.DID_NOT_HAPPEN)
        assert not here.calls
    async with account(MANIFEST, api_key=None) as here:
        for call in (here.provider.purchase, lambda request: here.provider.find_order(request, None)):
            error = await failure(call(here.request()))
            assert (type(error), error.outcome) == (NotAuthorised, Outcome.DID_NOT_HAPPEN)
        assert isinstance(await failure(here.provider.balance()), NotAuthorised)
        assert not here.calls


@pytest.mark.parametrize("trigger", ["picture_only", "two_codes"])
async def test_the_picture_is_looked_at(here: Account, trigger: str) -> None:
    here.trigger(trigger)
    order = await here.provider.purchase(here.request())
    (esim,) = here.simulator.esims()
    assert order.delivery is not None
    if trigger == "picture_only":
        assert order.delivery.activation_code == esim.picture_code
        assert order.delivery.matching_id == esim.picture_code.split("$")[-1]
    else:
        assert order.delivery.conflict
        assert order.delivery.matching_id is None


async def test_others_go_on_while_a_picture_is_looked_at(here: Account) -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    background = asyncio.create_task(others())
    order = await here.provider.purchase(here.request())
    background.cancel()
    assert order.delivery is not None
    assert turns > 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, InvalidRequest), (401, NotAuthorised), (402, InsufficientBalance), (404, NotFound), (409, OutOfStock)],
)
async def test_each_refusal_of_its_table_is_definite(here: Account, status: int, kind: type[SupplierError]) -> None:
    text = '{"success": false, "error": "no"}'
    here.shop.tamper = lambda _request, _body: web.Response(status=status, text=text, content_type="application/json")
    error = await failure(here.provider.purchase(here.request()))
    assert (type(error), error.outcome) == (kind, Outcome.DID_NOT_HAPPEN)


@pytest.mark.parametrize("text", ["", "<html></html>", '{"error": "no"}', '{"success": true, "data": {}}', "[]"])
@pytest.mark.parametrize("status", [409, 422])
async def test_a_status_without_a_readable_refusal_is_a_doubt(here: Account, status: int, text: str) -> None:
    here.shop.tamper = lambda _request, _body: web.Response(status=status, text=text, content_type="application/json")
    assert (await failure(here.provider.purchase(here.request()))).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("text", ["", "<html></html>", "[]", '{"success": true}', '{"success": true, "data": []}'])
async def test_a_good_status_without_an_esim_that_can_be_read_is_a_doubt(here: Account, text: str) -> None:
    here.shop.tamper = lambda _request, _body: web.Response(text=text, content_type="application/json")
    error = await failure(here.provider.purchase(here.request()))
    assert (type(error), error.outcome) == (UnreadableAnswer, Outcome.UNKNOWN)


async def test_a_purchase_whose_answer_was_lost_is_found_without_its_code(here: Account) -> None:
    here.trigger("charge_then_reset")
    request = here.request()
    await failure(here.provider.purchase(request))
    found = await here.provider.find_order(request, None)
    (sale,) = here.simulator.sales()
    assert found is not None
    assert (found.state, found.supplier_order_id) == (SupplierOrderState.COMPLETED, str(sale.number))
    assert (found.charged, found.reference) == (Money(sale.charged, "USDT"), request.reference)
    assert found.delivery is not None
    assert (found.delivery.iccid, found.delivery.activation_code) == (sale.iccid, None)


async def test_one_that_is_not_delivered_at_once_is_pending_and_its_code_never_told() -> None:
    async with account(MANIFEST, delivery_seconds=0.1) as here:
        request = here.request()
        order = await here.provider.purchase(request)
        assert (order.state, order.delivery) == (SupplierOrderState.PENDING, None)
        ended = await here.ended(request)
        assert ended.delivery is not None
        assert ended.delivery.activation_code is None


async def test_a_purchase_that_was_sent_twice_on_the_way_is_for_a_person(here: Account) -> None:
    request = here.request()
    await here.provider.purchase(request)
    await here.provider.purchase(request)
    found = await here.provider.find_order(request, None)
    assert found is not None
    assert found.state is SupplierOrderState.PARTIAL
    assert found.charged == Money(sum((sale.charged for sale in here.simulator.sales()), Decimal(0)), "USDT")


async def test_a_history_that_does_not_reach_back_is_no_absence(here: Account) -> None:
    await here.provider.purchase(here.request())
    request = here.request(age=timedelta(minutes=1))
    history(here, lambda whole: whole.update(total=1520))
    assert isinstance(await failure(here.provider.find_order(request, None)), UnreadableAnswer)
    here.simulator.sales()[0].created_at -= timedelta(days=2)
    assert await here.provider.find_order(request, None) is None


async def test_a_broken_row_of_another_attempt_spoils_nothing(here: Account) -> None:
    mine, other = here.request("att_mine"), here.request("att_other")
    await here.provider.purchase(other)
    await here.provider.purchase(mine)
    history(here, lambda whole: whole["data"][1].update(created_at="yesterday"))
    assert await here.provider.find_order(mine, None) is not None
    assert isinstance(await failure(here.provider.find_order(other, None)), UnreadableAnswer)


async def test_each_request_of_a_purchase_and_a_look_is_one(here: Account) -> None:
    request = here.request()
    await here.provider.purchase(request)
    await here.provider.find_order(request, "1")
    assert dict(here.calls) == {PURCHASE: 1, HISTORY: 1}


async def test_a_hidden_plan_is_not_sold(here: Account) -> None:
    hidden = next(item for item in here.shop.world.items("beppay") if not item.visible)
    assert isinstance(await failure(here.provider.purchase(here.request(plan=hidden.key))), NotFound)


@pytest.mark.parametrize("email", ["", "nobody", "a@b", "@example.com", "x" * 250 + "@example.com"])
async def test_the_sandbox_refuses_an_address_that_is_none(here: Account, email: str) -> None:
    request = msgspec.structs.replace(here.request(), email=email)
    if not email:
        request = msgspec.structs.replace(here.request("a b"), email=None)  # no address can be made of it
    error = await failure(here.provider.purchase(request))
    assert (type(error), error.outcome) == (InvalidRequest, Outcome.DID_NOT_HAPPEN)
    assert here.simulator.sales() == []
