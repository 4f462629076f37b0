"""What is PikaSim's own about buying, looking up, topping up and giving back, over HTTP against its sandbox."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from aiohttp import web

from providers.pikasim import MANIFEST, account_reader, orders
from providers.simulator import Act, SaleState
from schemas.account import TransactionKind
from schemas.errors import (
    DuplicateReference,
    NotFound,
    Outcome,
    OutOfStock,
    Refused,
    SupplierError,
    UnreadableAnswer,
)
from schemas.esim import ProfileState, ServiceState
from schemas.money import Money
from schemas.order import SupplierOrderState
from tests.providers.account import Account, account, failure


def usd(amount: Any) -> Money:
    return Money.of(amount, "USD")


def changed(here: Account, path: str, change: Any) -> None:
    """The answers below ``path`` have their ``data`` changed on the way."""
    here.shop.rewrite(path, lambda whole: change(whole["data"]))


# --- buying -----------------------------------------------------------------------------------------


async def test_an_order_is_processed_first_and_has_its_esim_later() -> None:
    async with account(MANIFEST, delivery_seconds=0.2) as here:
        request = here.request()
        order = await here.provider.purchase(request)
        assert (order.state, order.delivery, order.reference) == (SupplierOrderState.PENDING, None, request.reference)
        ended = await here.ended(request, order.supplier_order_id)
        assert ended.delivery is not None
        assert ended.delivery.iccid == here.simulator.sales()[0].iccid


async def test_the_charge_is_the_order_s_own_and_not_the_package_s(here: Account) -> None:
    order = await here.provider.purchase(here.request())
    (sale,) = here.simulator.sales()
    assert sale.charged == (sale.listed * Decimal("1.036")).quantize(Decimal("0.01"))
    assert order.charged == usd(sale.charged)


async def test_an_answer_about_another_reference_is_unknown(here: Account) -> None:
    changed(here, "/orders", lambda data: data.update(externalOrderId="att_other"))
    error = await failure(here.provider.purchase(here.request()))
    assert (type(error), error.outcome) == (UnreadableAnswer, Outcome.UNKNOWN)


async def test_a_reference_used_before_is_no_refusal(here: Account) -> None:
    here.trigger("duplicate_reference")
    request = here.request()
    error = await failure(here.provider.purchase(request))
    assert (type(error), error.outcome) == (DuplicateReference, Outcome.UNKNOWN)
    assert (await here.ended(request)).state is SupplierOrderState.COMPLETED


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (409, {"success": False, "error": "Conflict"}, Outcome.UNKNOWN),
        (400, {"error": "no success field"}, Outcome.UNKNOWN),
        (408, {"success": False, "error": "Timeout"}, Outcome.UNKNOWN),
        (500, {"success": False, "error": "Internal"}, Outcome.UNKNOWN),
        (302, {"success": False, "error": "moved"}, Outcome.UNKNOWN),
        (200, {"success": False, "error": "Refused"}, Outcome.DID_NOT_HAPPEN),
        (400, {"success": False, "error": "Package is sold out"}, Outcome.DID_NOT_HAPPEN),
    ],
)
async def test_only_a_readable_refusal_is_definite(
    here: Account, status: int, body: dict[str, Any], outcome: Outcome
) -> None:
    text = json.dumps(body)
    here.shop.tamper = lambda _request, _body: web.Response(status=status, text=text, content_type="application/json")
    error = await failure(here.provider.purchase(here.request()))
    assert error.outcome is outcome
    assert isinstance(error, OutOfStock) == ("sold out" in text)


# --- looking up -------------------------------------------------------------------------------------


async def test_an_order_that_the_list_does_not_show_yet_is_found_behind_its_charge(here: Account) -> None:
    await here.provider.purchase(here.request())
    here.trigger("charge_then_reset")
    here.trigger("list_lag", seconds=3600)
    request = here.request()
    await failure(here.provider.purchase(request))
    found = await here.provider.find_order(request, None)
    assert found is not None
    assert found.supplier_order_id == here.simulator.sales()[1].id
    assert found.delivery is not None


async def test_a_search_goes_back_to_the_attempt_and_no_further(here: Account) -> None:
    for _ in range(3):
        await here.provider.purchase(here.request())
    for sale in here.simulator.sales():
        sale.created_at -= timedelta(days=1)
    old = here.simulator.sales()[0]
    request = here.request(old.reference)
    long_ago = here.request(old.reference, age=timedelta(days=1))
    assert (await here.provider.find_order(long_ago, None)) is not None
    changed(here, "/orders", lambda data: "pagination" in data and data["pagination"].update(pages=50, total=5000))
    here.calls.clear()
    # The row is on the page that was read anyway; what is older than it is not asked for.
    assert (await here.provider.find_order(request, None)) is not None
    assert here.calls["/orders"] == 1


async def test_an_order_on_a_later_page_is_found(here: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_reader, "PER_PAGE", 5)
    first = here.request()
    await here.provider.purchase(first)
    for _ in range(12):
        await here.provider.purchase(here.request())
    found = await here.provider.find_order(first, None)
    assert found is not None
    assert found.supplier_order_id == here.simulator.sales()[0].id
    assert here.calls["/orders"] == 13 + 3


@pytest.mark.parametrize(
    "part",
    [
        {"orders": []},
        {"pagination": {"page": 1, "limit": 100, "total": 150, "pages": 1}},
        {"pagination": {"page": 1, "limit": 100, "total": 2, "pages": 1}},
    ],
)
async def test_a_part_of_the_list_is_no_absence(here: Account, part: Any) -> None:
    await here.provider.purchase(here.request())
    changed(here, "/orders", lambda data: "pagination" in data and data.update(part))
    assert isinstance(await failure(here.provider.find_order(here.request(), None)), UnreadableAnswer)


async def test_more_charges_than_can_be_looked_at_are_no_absence(
    here: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account_reader, "MOST_CANDIDATES", 2)
    here.trigger("list_lag", seconds=3600, calls=3)
    for _ in range(3):
        await here.provider.purchase(here.request())
    error = await failure(here.provider.find_order(here.request(), None))
    assert "3 charges" in error.detail


async def test_two_orders_with_one_reference_are_for_a_person(here: Account) -> None:
    request = here.request()
    await here.provider.purchase(request)
    await here.provider.purchase(request)
    found = await here.provider.find_order(request, None)
    assert found is not None
    assert found.state is SupplierOrderState.PARTIAL
    assert found.charged == usd(sum(sale.charged for sale in here.simulator.sales()))


async def test_an_order_for_another_package_is_for_a_person(here: Account) -> None:
    request = here.request()
    await here.provider.purchase(request)
    other = msgspec.structs.replace(request, supplier_plan_id="JP-1GB-7D")
    found = await here.provider.find_order(other, None)
    assert found is not None
    assert found.state is SupplierOrderState.PARTIAL


async def test_an_id_that_leads_to_another_order_is_no_answer(here: Account) -> None:
    request, other = here.request(), here.request()
    await here.provider.purchase(request)
    bought = await here.provider.purchase(other)
    error = await failure(here.provider.find_order(request, bought.supplier_order_id))
    assert isinstance(error, UnreadableAnswer)
    changed(here, "/orders/", lambda data: data.update(orderId="another"))
    assert isinstance(await failure(here.provider.find_order(other, bought.supplier_order_id)), UnreadableAnswer)


async def test_an_id_that_is_not_known_yet_is_looked_for_by_reference(here: Account) -> None:
    request = here.request()
    await here.provider.purchase(request)
    found = await here.provider.find_order(request, "0" * 24)
    assert found is not None
    assert found.supplier_order_id == here.simulator.sales()[0].id


async def test_a_completed_order_without_its_esim_is_still_to_come(here: Account) -> None:
    request = here.request()
    order = await here.provider.purchase(request)
    changed(here, "/orders/", lambda data: data.pop("esim", None))
    found = await here.provider.find_order(request, order.supplier_order_id)
    assert found is not None
    assert (found.state, found.delivery) == (SupplierOrderState.PENDING, None)


async def test_a_code_that_the_order_leaves_out_is_read_from_the_esim(here: Account) -> None:
    request = here.request()
    order = await here.provider.purchase(request)
    changed(here, "/orders/", lambda data: data["esim"].update(activationCode=None))
    found = await here.provider.find_order(request, order.supplier_order_id)
    assert found is not None
    assert found.delivery is not None
    assert found.delivery.activation_code == here.simulator.esims()[0].text_code


async def test_an_iccid_that_came_back_does_not_give_another_order_s_code(here: Account) -> None:
    request = here.request()
    order = await here.provider.purchase(request)

    def tamper(data: dict[str, Any]) -> None:
        if "esim" in data:
            data["esim"]["activationCode"] = None
        elif "smdpStatus" in data:
            data["externalOrderId"] = "att_somebody_else"

    changed(here, "/", tamper)
    found = await here.provider.find_order(request, order.supplier_order_id)
    assert found is not None
    assert found.delivery is not None
    assert found.delivery.activation_code is None


async def test_a_failed_order_whose_refund_is_shown_holds_nothing(here: Account) -> None:
    here.trigger("failed_after_processing")
    request = here.request()
    order = await here.provider.purchase(request)
    ended = await here.ended(request, order.supplier_order_id)
    assert (ended.state, ended.charged) == (SupplierOrderState.FAILED, usd("0.00"))
    assert ended.error == "The operator did not deliver"


async def test_a_failed_order_whose_charge_stands_says_how_much(here: Account) -> None:
    here.trigger("failed_without_refund")
    request = here.request()
    order = await here.provider.purchase(request)
    ended = await here.ended(request, order.supplier_order_id)
    assert (ended.state, ended.charged) == (SupplierOrderState.FAILED, usd(here.simulator.sales()[0].charged))


async def test_an_order_that_was_given_back_without_a_word_has_failed(here: Account) -> None:
    here.trigger("silent_refund")
    request = here.request()
    order = await here.provider.purchase(request)
    found = await here.provider.find_order(request, order.supplier_order_id)
    assert found is not None
    assert found.state is SupplierOrderState.PENDING, "a new order is not suspected"
    later = msgspec.structs.replace(request, signed_at=request.signed_at - orders.STUCK_AFTER)
    ended = await here.ended(later, order.supplier_order_id)
    assert (ended.state, ended.charged) == (SupplierOrderState.FAILED, usd("0.00"))
    assert here.simulator.sales()[0].state is SaleState.PROCESSING


async def test_an_order_that_is_processed_for_long_and_not_refunded_stays_pending(here: Account) -> None:
    here.trigger("never_provisioned")
    request = here.request(age=timedelta(minutes=10))
    order = await here.provider.purchase(request)
    found = await here.provider.find_order(request, order.supplier_order_id)
    assert found is not None
    assert found.state is SupplierOrderState.PENDING


# --- eSIMs ------------------------------------------------------------------------------------------


async def test_each_state_of_an_esim_is_told_in_both_its_halves(here: Account) -> None:
    await here.provider.purchase(here.request())
    (esim,) = here.simulator.esims()
    for profile in ProfileState:
        for service in ServiceState:
            esim.profile, esim.service = profile, service
            found = await here.provider.esim_status(esim.iccid)
            assert (found.profile_state, found.service_state) == (profile, service)


async def test_figures_that_the_esim_s_page_leaves_out_come_from_its_usage(here: Account) -> None:
    await here.provider.purchase(here.request())
    (esim,) = here.simulator.esims()
    here.simulator.use(esim, 120)

    def without_figures(data: dict[str, Any]) -> None:
        if "qrCodeUrl" in data:
            data.update(totalData=None, usedData=None, remainingData=None, packageList=None)

    changed(here, "/esims/", without_figures)
    found = await here.provider.esim_status(esim.iccid)
    assert found.data is not None
    assert (found.data.total_mb, found.data.used_mb, found.data.remaining_mb) == (5120, 120, 5000)
    assert [package.total_mb for package in found.packages] == [5120]


async def test_another_esim_than_the_one_asked_for_is_no_answer(here: Account) -> None:
    await here.provider.purchase(here.request())
    (esim,) = here.simulator.esims()
    changed(here, "/esims/", lambda data: data.update(iccid="8999901000000000009"))
    for call in (here.provider.esim_status(esim.iccid), here.provider.cancel(esim.iccid)):
        error = await failure(call)
        assert (type(error), error.outcome) == (UnreadableAnswer, Outcome.UNKNOWN)


async def test_what_can_be_added_has_codes_of_its_own_and_the_coverage_of_the_esim(here: Account) -> None:
    await here.provider.purchase(here.request())
    (esim,) = here.simulator.esims()
    options = await here.provider.topup_plans(esim.iccid, here.item.key)
    assert options
    assert all(option.supplier_plan_id.startswith("TOPUP_") for option in options)
    assert {option.coverage for option in options} == {here.item.countries}
    esim.renewable = False
    assert await here.provider.topup_plans(esim.iccid, here.item.key) == []


async def test_an_option_without_a_place_is_for_where_the_esim_was_bought(here: Account) -> None:
    await here.provider.purchase(here.request())
    (esim,) = here.simulator.esims()

    def without_place(data: dict[str, Any]) -> None:
        for option in data.get("topupPackages", ()):
            option.update(location=None, region=None, locationNetworkList=None)

    changed(here, "/esims/", without_place)
    options = await here.provider.topup_plans(esim.iccid, here.item.key)
    assert {option.coverage for option in options} == {here.item.countries}
    assert await here.provider.topup_plans(esim.iccid, "gone") == []


@pytest.mark.parametrize("data", ['{"options": []}', "7", "null"])
async def test_no_list_of_options_is_no_answer(here: Account, data: str) -> None:
    await here.provider.purchase(here.request())
    here.shop.tamper = lambda _request, _body: f'{{"success": true, "data": {data}}}'.encode()
    assert isinstance(await failure(here.provider.topup_plans("8999901000000000009", "x")), UnreadableAnswer)


async def test_a_top_up_takes_the_option_s_code_and_the_package_s_own(here: Account) -> None:
    await here.provider.purchase(here.request())
    (esim,) = here.simulator.esims()
    for plan in (f"TOPUP_{here.item.key}", here.item.key):
        request = here.request(plan=plan, iccid=esim.iccid)
        order = await here.provider.topup(request)
        found = await here.ended(request, order.supplier_order_id)
        assert (found.state, found.reference) == (SupplierOrderState.COMPLETED, request.reference)
        assert found.delivery is not None
        assert not found.delivery.conflict
    assert len(esim.packages) == 3


@pytest.mark.parametrize("kind", ["failed_after_processing", "cancelled_after_processing"])
async def test_a_top_up_that_the_supplier_calls_off_has_failed_and_holds_nothing(here: Account, kind: str) -> None:
    await here.provider.purchase(here.request())
    (esim,) = here.simulator.esims()
    here.trigger(kind)
    request = here.request(iccid=esim.iccid)
    order = await here.provider.topup(request)
    found = await here.ended(request, order.supplier_order_id)
    assert found.state is SupplierOrderState.FAILED
    assert found.charged == usd(0)


async def test_a_top_up_that_went_to_another_esim_is_a_conflict(here: Account) -> None:
    await here.provider.purchase(here.request())
    (esim,) = here.simulator.esims()
    request = here.request(iccid=esim.iccid)
    order = await here.provider.topup(request)
    changed(here, "/orders/", lambda data: data["esim"].update(iccid="8999901000000000009"))
    found = await here.provider.find_order(request, order.supplier_order_id)
    assert found is not None
    assert found.delivery is not None
    assert found.delivery.conflict


async def test_a_top_up_without_an_iccid_is_not_sent(here: Account) -> None:
    error = await failure(here.provider.topup(here.request()))
    assert error.outcome is Outcome.DID_NOT_HAPPEN
    assert not here.calls


async def test_the_refund_of_a_cancel_is_its_own_number(here: Account) -> None:
    await here.provider.purchase(here.request())
    (esim,), (sale,) = here.simulator.esims(), here.simulator.sales()
    given = await here.provider.cancel(esim.iccid)
    assert given.refunded == usd(sale.listed) < usd(sale.charged)
    status = await here.provider.esim_status(esim.iccid)
    assert status.service_state is ServiceState.REVOKED
    since = datetime.now(UTC) - timedelta(hours=1)
    moves = [move async for move in here.provider.transactions(since) if move.kind is TransactionKind.REFUND]
    assert [(move.amount, move.supplier_order_id) for move in moves] == [(usd(sale.listed), sale.id)]


@pytest.mark.parametrize("status", [200, 400, 403, 409, 422])
async def test_the_page_s_refusal_of_a_cancel_is_definite_with_any_status(here: Account, status: int) -> None:
    await here.provider.purchase(here.request())
    (esim,) = here.simulator.esims()
    here.simulator.use(esim, 1)
    here.shop.tamper = lambda _request, body: web.Response(status=status, body=body, content_type="application/json")
    error = await failure(here.provider.cancel(esim.iccid))
    assert isinstance(error, Refused)
    assert error.outcome is Outcome.DID_NOT_HAPPEN
    assert error.detail.endswith("(IN_USE/ENABLED)")


@pytest.mark.parametrize("status", [302, 408, 500])
async def test_what_makes_a_doubt_makes_one_of_a_refused_cancel_too(here: Account, status: int) -> None:
    await here.provider.purchase(here.request())
    (esim,) = here.simulator.esims()
    here.simulator.use(esim, 1)
    here.shop.tamper = lambda _request, body: web.Response(status=status, body=body, content_type="application/json")
    assert (await failure(here.provider.cancel(esim.iccid))).outcome is Outcome.UNKNOWN


async def test_a_conflict_without_the_esim_s_state_is_a_doubt(here: Account) -> None:
    text = '{"success": false, "error": "busy"}'
    here.shop.tamper = lambda _request, _body: web.Response(status=409, text=text, content_type="application/json")
    assert (await failure(here.provider.cancel("8999901000000000009"))).outcome is Outcome.UNKNOWN


async def test_a_cancel_that_was_refused_by_the_account_is_definite(here: Account) -> None:
    await here.provider.purchase(here.request())
    here.trigger("refuse_blocked", act=Act.CANCEL)
    error = await failure(here.provider.cancel(here.simulator.esims()[0].iccid))
    assert error.outcome is Outcome.DID_NOT_HAPPEN


# --- money ------------------------------------------------------------------------------------------


async def test_credit_can_be_spent_besides_the_balance(here: Account) -> None:
    here.simulator.credit = Decimal(250)
    found = await here.provider.balance()
    assert found.spendable - found.balance == usd(250)


async def test_a_balance_that_is_no_amount_is_no_answer(here: Account) -> None:
    changed(here, "/balance", lambda data: data.update(balance="NaN"))
    assert isinstance(await failure(here.provider.balance()), UnreadableAnswer)


async def test_transactions_come_newest_first_from_many_pages_and_none_twice(here: Account) -> None:
    for _ in range(230):
        here.simulator.deposit(Decimal(1))
    since = datetime.now(UTC) - timedelta(hours=1)
    moves = [move async for move in here.provider.transactions(since)]
    assert len(moves) == 231
    assert len({move.supplier_transaction_id for move in moves}) == 231
    assert here.calls["/transactions"] == 3


async def test_a_transaction_without_an_amount_ends_the_walk(here: Account) -> None:
    changed(here, "/transactions", lambda data: data["transactions"][0].update(amount="NaN"))
    with pytest.raises(UnreadableAnswer):
        [move async for move in here.provider.transactions(datetime.now(UTC) - timedelta(hours=1))]


async def test_a_list_that_answers_with_another_page_is_no_answer(here: Account) -> None:
    for _ in range(150):
        here.simulator.deposit(Decimal(1))
    changed(here, "/transactions", lambda data: data["pagination"].update(page=1))
    with pytest.raises(UnreadableAnswer, match="page 2"):
        [move async for move in here.provider.transactions(datetime.now(UTC) - timedelta(hours=1))]


async def test_without_a_webhook_secret_no_webhook_is_believed() -> None:
    async with account(MANIFEST, webhook_secret=None) as here:
        assert not here.provider.verify_webhook({"X-Webhook-Signature": "0" * 64}, b"{}", datetime.now(UTC))


async def test_what_is_not_ours_is_not_found(here: Account) -> None:
    for call in (here.provider.cancel("8999901000000000009"), here.provider.topup_plans("8999901000000000009", "x")):
        error: SupplierError = await failure(call)
        assert isinstance(error, NotFound)
