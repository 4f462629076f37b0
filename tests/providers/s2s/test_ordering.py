"""Orders at S2S, over HTTP against its sandbox: bought once, found again, and what each failure means."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from aiohttp import web

from schemas.account import TransactionKind
from schemas.errors import (
    DuplicateReference,
    InvalidRequest,
    NotAuthorised,
    Outcome,
    SupplierError,
    UnreadableAnswer,
)
from schemas.money import Money
from schemas.order import SupplierOrderState
from tests.providers.s2s.market import account


def usd(amount):
    return Money.of(amount, "USD")


async def failure(call):
    with pytest.raises(SupplierError) as caught:
        await call
    assert caught.value.supplier == "s2s-account"
    return caught.value


async def test_an_order_delivered_at_once_has_its_esim_and_its_charge(here):
    request = here.request()
    order = await here.provider.purchase(request)
    (sale,) = here.simulator.sales()
    assert (order.state, order.reference, order.supplier_order_id) == (
        SupplierOrderState.COMPLETED,
        request.reference,
        sale.id,
    )
    assert order.charged == usd(here.item.price)
    assert order.delivery.iccid == sale.iccid
    assert order.delivery.activation_code == here.simulator.esim(sale.iccid).text_code
    assert order.delivery.smdp_address == "rsp.sandbox.example"
    assert not order.delivery.conflict


async def test_each_way_of_writing_an_esim_down_is_read(here):
    for _ in range(4):
        request, order = await here.delivered()
        assert order.delivery.activation_code == here.simulator.esim(order.delivery.iccid).text_code
        assert order == await here.provider.find_order(request, order.supplier_order_id)


async def test_an_order_still_running_is_pending_until_it_is_delivered():
    async with account(delivery_seconds=0.2) as here:
        request = here.request()
        order = await here.provider.purchase(request)
        assert (order.state, order.delivery) == (SupplierOrderState.PENDING, None)
        ended = await here.ended(request, order.supplier_order_id)
        assert ended.delivery.activation_code is not None


async def test_a_sku_that_is_not_there_is_a_definite_refusal(here):
    error = await failure(here.provider.purchase(here.request(sku="019bc0dd-8562-7173-afd9-000000000000")))
    assert (type(error), error.outcome) == (InvalidRequest, Outcome.DID_NOT_HAPPEN)


async def test_our_own_reference_used_twice_says_that_the_first_arrived(here):
    request = here.request()
    await here.provider.purchase(request)
    error = await failure(here.provider.purchase(request))
    assert (type(error), error.outcome) == (DuplicateReference, Outcome.UNKNOWN)
    assert len(here.simulator.sales()) == 1


@pytest.mark.parametrize("age", [timedelta(minutes=6), timedelta(minutes=-6)])
async def test_a_timestamp_more_than_five_minutes_off_is_refused_for_good(here, age):
    error = await failure(here.provider.purchase(here.request(age=age)))
    assert (type(error), error.outcome) == (NotAuthorised, Outcome.DID_NOT_HAPPEN)
    assert here.simulator.sales() == []


@pytest.mark.parametrize("age", [timedelta(minutes=4, seconds=50), timedelta(minutes=-4, seconds=-50)])
async def test_a_timestamp_within_five_minutes_buys(here, age):
    assert (await here.provider.purchase(here.request(age=age))).state is SupplierOrderState.COMPLETED


async def test_a_wrong_partner_secret_buys_nothing():
    async with account(partner_secret="another") as here:
        error = await failure(here.provider.purchase(here.request()))
        assert (type(error), error.outcome) == (NotAuthorised, Outcome.DID_NOT_HAPPEN)


async def test_two_different_codes_are_a_conflict(here):
    here.trigger("two_codes")
    assert (await here.provider.purchase(here.request())).delivery.conflict


async def test_a_text_that_cannot_be_installed_gives_way_to_the_code_that_can(here):
    here.trigger("picture_only")
    order = await here.provider.purchase(here.request())
    assert order.delivery.activation_code == here.simulator.esim(order.delivery.iccid).picture_code
    assert not order.delivery.conflict


# --- looking up ---------------------------------------------------------------------------------------------


async def test_a_reference_that_is_only_part_of_another_finds_nothing(here):
    await here.provider.purchase(here.request("att_7_long"))
    assert await here.provider.find_order(here.request("att_7"), None) is None
    assert await here.provider.find_order(here.request("ATT_7_LONG"), None) is None


async def test_among_alike_references_the_exact_one_is_found(here):
    for reference in ("x-1", "x-11", "x-111"):
        await here.provider.purchase(here.request(reference))
    found = await here.provider.find_order(here.request("x-11"), None)
    assert found.reference == "x-11"


async def test_the_exact_reference_is_found_on_a_later_page(here):
    for number in range(101):
        await here.provider.purchase(here.request(f"y-{number}"))
    found = await here.provider.find_order(here.request("y-0"), None)
    assert found.reference == "y-0"
    await here.provider.purchase(here.request("y-"))  # a part of all the others
    for number in range(101, 205):
        await here.provider.purchase(here.request(f"y-{number}"))
    assert (await here.provider.find_order(here.request("y-"), None)).reference == "y-"
    assert here.calls["/orders"] == 206 + 1 + 2


async def test_an_order_that_lists_do_not_show_yet_is_found_by_its_id(here):
    here.trigger("list_lag", seconds=600)
    request = here.request()
    bought = await here.provider.purchase(request)
    assert await here.provider.find_order(request, None) is None
    assert await here.provider.find_order(request, bought.supplier_order_id) == bought


async def test_an_id_that_is_gone_is_looked_for_by_reference(here):
    request, order = await here.delivered()
    assert await here.provider.find_order(request, "12161770-8560-4377-9795-e8a70aaceb07") == order


async def test_another_attempt_s_order_is_never_taken_for_this_one(here):
    _, order = await here.delivered()
    error = await failure(here.provider.find_order(here.request(), order.supplier_order_id))
    assert isinstance(error, UnreadableAnswer)


async def test_an_answer_to_a_purchase_that_is_another_s_order_is_unknown(here):
    here.shop.tamper = changed(lambda order: order.update(external_id="somebody-else"))
    error = await failure(here.provider.purchase(here.request()))
    assert (type(error), error.outcome) == (UnreadableAnswer, Outcome.UNKNOWN)


@pytest.mark.parametrize("other", [{"sku_id": "029bc0dd-8562-7173-afd9-a5cc534fafb8"}, {"quantity": 2}])
async def test_an_order_for_something_else_than_was_bought_is_for_a_person(here, other):
    here.shop.tamper = changed(lambda order: order["items"][0].update(other))
    request = here.request()
    bought = await here.provider.purchase(request)
    found = await here.provider.find_order(request, bought.supplier_order_id)
    for order in (bought, found):
        assert order.state is SupplierOrderState.PARTIAL
        assert order.error == "the order is for something else than was bought"
        assert order.charged == usd(here.simulator.sales()[0].charged)


async def test_an_order_that_cannot_be_read_does_not_count_as_absent(here):
    request, _ = await here.delivered()
    here.shop.tamper = changed(lambda orders: orders[0].update(status=None))
    assert isinstance(await failure(here.provider.find_order(request, None)), UnreadableAnswer)
    here.shop.tamper = changed(lambda orders: orders[0].update(external_id=7))
    assert isinstance(await failure(here.provider.find_order(request, None)), UnreadableAnswer)


async def test_a_search_that_gives_all_orders_for_ever_ends_in_an_error(here):
    numbers = iter(range(10_000))

    def for_ever(_request, _body):
        rows = [{"external_id": f"z-{next(numbers)}"}]
        page = {"success": True, "data": rows, "meta": {"next_cursor": f"c{next(numbers)}"}}
        return web.Response(body=msgspec.json.encode(page), content_type="application/json")

    here.shop.tamper = for_ever
    error = await failure(here.provider.find_order(here.request(), None))
    assert isinstance(error, UnreadableAnswer)
    assert "no end" in error.detail
    assert here.calls["/orders"] == 21


# --- orders that failed -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trigger", "state"),
    [
        ("failed_after_processing", SupplierOrderState.FAILED),
        ("cancelled_after_processing", SupplierOrderState.CANCELLED),
    ],
)
async def test_a_failed_order_that_was_refunded_holds_nothing(here, trigger, state):
    here.trigger(trigger)
    request = here.request()
    order = await here.provider.purchase(request)
    assert order.state is SupplierOrderState.PENDING
    ended = await here.ended(request, order.supplier_order_id)
    assert (ended.state, ended.charged) == (state, usd(0))
    assert ended.error == "The operator did not deliver"


async def test_a_failed_order_whose_charge_stands_says_so(here):
    here.trigger("failed_without_refund")
    request = here.request()
    await here.provider.purchase(request)
    ended = await here.ended(request)
    assert (ended.state, ended.charged) == (SupplierOrderState.FAILED, usd(here.item.price))


async def test_a_part_of_a_charge_that_stands_is_the_part(here):
    here.trigger("failed_without_refund")
    request = here.request()
    await here.provider.purchase(request)
    (sale,) = here.simulator.sales()
    here.simulator._refund(sale, Decimal("0.10"))
    assert (await here.ended(request)).charged == usd(here.item.price - Decimal("0.10"))


async def test_the_charges_of_others_say_nothing_of_this_order(here):
    await here.delivered()
    here.trigger("failed_after_processing")
    request = here.request()
    await here.provider.purchase(request)
    await here.delivered()
    assert (await here.ended(request)).charged == usd(0)


async def test_a_failure_told_in_the_purchase_s_own_answer_leaves_the_charge_open(here):
    here.shop.tamper = changed(lambda order: order.update(status="failed"))
    order = await here.provider.purchase(here.request())
    assert (order.state, order.charged) == (SupplierOrderState.FAILED, None)


def never_charged(here, balance_too):
    """The sandbox as if it had failed an order without charging it."""

    def tamper(request, body):
        if request.method == "GET" and "/orders" in request.path:
            return changed(lambda order: order.update(status="failed"))(request, body)
        if request.path.endswith("/history"):
            return changed(lambda moves: moves.__delitem__(slice(0, 1)))(request, body)
        if balance_too and request.path.endswith("/balance"):
            opening = here.simulator.statement()[-1].balance_after
            return changed(lambda money: money.update(balance=float(opening)))(request, body)
        return body

    here.shop.tamper = tamper


async def test_without_a_line_in_a_history_that_is_up_to_date_nothing_stands(here):
    request, order = await here.delivered()
    never_charged(here, balance_too=True)
    assert (await here.provider.find_order(request, order.supplier_order_id)).charged == usd(0)


async def test_without_a_line_in_a_history_that_is_behind_nothing_is_known(here):
    request, order = await here.delivered()
    never_charged(here, balance_too=False)
    assert (await here.provider.find_order(request, order.supplier_order_id)).charged is None


async def test_a_history_is_not_behind_for_ever(here):
    request, order = await here.delivered()
    never_charged(here, balance_too=False)
    earlier = msgspec.structs.replace(request, signed_at=request.signed_at - timedelta(seconds=61))
    assert (await here.provider.find_order(earlier, order.supplier_order_id)).charged == usd(0)


async def test_a_history_that_cannot_be_read_is_an_error_and_no_zero(here):
    here.trigger("failed_after_processing")
    request = here.request()
    await here.provider.purchase(request)
    await here.ended(request)
    here.shop.tamper = lambda request, body: (
        changed(lambda moves: moves[0].update(amount="much"))(request, body)
        if request.path.endswith("/history")
        else body
    )
    assert isinstance(await failure(here.provider.find_order(request, None)), UnreadableAnswer)


@pytest.mark.parametrize(
    "line", [{"amount": "NaN"}, {"amount": None}, {"created_at": "9999-12-31T23:59:59-05:00"}, {"currency": 7}]
)
async def test_transactions_that_cannot_be_read_are_an_error_and_not_left_out(here, line):
    here.shop.tamper = changed(lambda moves: moves[0].update(line))
    with pytest.raises(UnreadableAnswer):
        [move async for move in here.provider.transactions(datetime.now(UTC))]


@pytest.mark.parametrize("word", ["NaN", None, "plenty"])
async def test_a_balance_that_is_no_number_is_an_error(here, word):
    here.shop.tamper = changed(lambda money: money.update(available_balance=word))
    assert isinstance(await failure(here.provider.balance()), UnreadableAnswer)


async def test_an_order_delivered_in_part_is_told_as_that(here):
    here.trigger("partially_completed")
    request = here.request()
    await here.provider.purchase(request)
    ended = await here.ended(request)
    assert (ended.state, ended.charged, ended.delivery) == (SupplierOrderState.PARTIAL, usd(here.item.price), None)


# --- money --------------------------------------------------------------------------------------------------


async def test_the_overdraft_can_be_spent(here):
    balance = await here.provider.balance()
    assert (balance.balance, balance.spendable) == (usd(here.simulator.balance), usd(here.simulator.balance + 100))


async def test_transactions_are_the_till_s_movements_newest_first(here):
    here.trigger("failed_after_processing")
    request = here.request()
    await here.provider.purchase(request)
    failed = await here.ended(request)
    _, order = await here.delivered()
    price = here.item.price
    found = [t async for t in here.provider.transactions(datetime.now(UTC) - timedelta(hours=1))]
    assert [(t.kind, t.amount, t.supplier_order_id) for t in found] == [
        (TransactionKind.CHARGE, usd(-price), order.supplier_order_id),
        (TransactionKind.REFUND, usd(price), failed.supplier_order_id),
        (TransactionKind.CHARGE, usd(-price), failed.supplier_order_id),
        (TransactionKind.DEPOSIT, usd(10_000), None),
    ]


async def test_transactions_go_back_no_further_than_asked_and_over_pages(here):
    for number in range(130):
        here.simulator.deposit(Decimal(number))
    everything = [t async for t in here.provider.transactions(datetime.now(UTC) - timedelta(hours=1))]
    assert [t.amount.amount for t in everything[:130]] == [Decimal(n) for n in reversed(range(130))]
    assert here.calls["/balance/history"] == 2
    assert [t async for t in here.provider.transactions(datetime.now(UTC) + timedelta(hours=1))] == []


def changed(change):
    """A tamper that changes ``data`` of every good answer that has it."""

    def tamper(_request, body):
        whole = msgspec.json.decode(body)
        if whole.get("success"):
            change(whole["data"])
        return msgspec.json.encode(whole)

    return tamper
