"""What operators see of our money at the suppliers over the API, and deposits that they begin."""

from datetime import UTC, datetime

import aiohttp
import msgspec
import pytest

from schemas.api import Offer
from schemas.api_money import DepositShown, SupplierLedgerPage, SupplierMoney, SupplierTransaction
from schemas.page import Page
from tests.kit.answers import problem, read

PLAN = "bv-1gb-2d-06d3e3e4ddb9"


async def refreshed(ops, **body):
    return (await read(await ops.post("/v1/ops/money/refresh", json=body or None), Page[SupplierMoney])).data


async def test_a_refresh_takes_from_sale_what_our_money_does_not_suffice_for_and_brings_it_back(shop):
    funds = await shop.town.tell("pikasim", "till", {"credit": "0"})
    await shop.town.tell("pikasim", "till", {"deposit": f"-{funds['balance']}"})
    (one,) = await refreshed(shop.ops, supplier="pikasim")
    assert one.balance.spendable.amount == "0.00"
    held = await shop.ops.read("/v1/ops/offers?supplier=pikasim&why_not=no_balance&limit=5", Page[Offer])
    assert len(held.data) == 5
    await problem(await shop.api.post("/v1/quotes", json={"plan_id": PLAN}), 409, "no_stock")
    body = {"supplier": "pikasim", "way": "stripe", "amount": {"amount": "250.00", "currency": "USD"}}
    answer = await shop.ops.post("/v1/ops/deposits", json=body)
    assert answer.status == 201
    made = msgspec.json.decode(await answer.read(), type=DepositShown)
    assert made.state == "begun"
    async with aiohttp.ClientSession() as http, http.post(made.url) as paid:
        assert paid.status == 200
    (one,) = await refreshed(shop.ops, supplier="pikasim")
    assert (one.balance.spendable.amount, one.balance.room.amount) == ("250.00", "250.00")
    quote = await shop.api.post("/v1/quotes", json={"plan_id": PLAN})
    assert quote.status == 201
    (listed,) = (await shop.ops.read("/v1/ops/deposits?supplier=pikasim", Page[DepositShown])).data
    assert (listed.id, listed.state) == (made.id, "arrived")
    assert listed.begun_by.startswith("key ")


async def test_the_suppliers_books_are_listed_and_held_against_ours(shop):
    assert (await shop.order({"plan_id": PLAN})).status == 201
    everyone = await refreshed(shop.ops)
    assert [one.balance.supplier for one in everyone] == ["beppay", "pikasim", "s2s"]
    assert all(one.books is not None and one.books.error is None for one in everyone)
    found = await shop.ops.read("/v1/ops/transactions?supplier=pikasim&limit=1", Page[SupplierTransaction])
    assert [(one.kind, one.amount.amount) for one in found.data] == [("charge", "-10.36")]
    rest = await shop.ops.get(f"/v1/ops/transactions?supplier=pikasim&limit=1&cursor={found.next_cursor}")
    assert [one.kind for one in (await read(rest, Page[SupplierTransaction])).data] == ["deposit"]
    charges = await shop.ops.read("/v1/ops/transactions?kind=charge&mode=test", Page[SupplierTransaction])
    assert [one.supplier for one in charges.data] == ["pikasim"]
    nothing = await shop.ops.read("/v1/ops/transactions?mode=live", Page[SupplierTransaction])
    assert nothing.data == []
    ledger = await shop.ops.read("/v1/ops/suppliers/pikasim/ledger?limit=1", SupplierLedgerPage)
    assert [(one.kind, one.verdict) for one in ledger.data] == [("charge", "same")]
    assert ledger.last == datetime.now(UTC).date()
    assert {one.kind: one.differences for one in ledger.totals} == {"charge": 0, "deposit": 0}
    onwards = await shop.ops.get(f"/v1/ops/suppliers/pikasim/ledger?limit=1&cursor={ledger.next_cursor}")
    assert [one.verdict for one in (await read(onwards, SupplierLedgerPage)).data] == ["apart"]
    quiet = await shop.ops.read("/v1/ops/suppliers/pikasim/ledger?differing=true", SupplierLedgerPage)
    assert quiet.data == []


def _usd(amount):
    return {"amount": amount, "currency": "USD"}


@pytest.mark.parametrize(
    ("body", "status", "code", "words"),
    [
        ({"supplier": "nobody", "way": "stripe"}, 404, "not_found", "no such supplier"),
        ({"supplier": "s2s", "way": "transfer"}, 501, "not_supported", "contract"),
        ({"supplier": "beppay", "way": "stripe"}, 501, "not_supported", "contact at BepPay"),
        ({"supplier": "pikasim", "way": "cash"}, 409, "conflict", "stripe, btcpay"),
        (
            {"supplier": "pikasim", "way": "stripe", "amount": _usd("0")},
            409,
            "conflict",
            "more than 0",
        ),
        (
            {"supplier": "pikasim", "way": "stripe", "amount": {**_usd("9"), "currency": "EUR"}},
            409,
            "conflict",
            "USD",
        ),
        (
            {"supplier": "pikasim", "way": "stripe", "amount": _usd("9.001")},
            409,
            "conflict",
            "more decimals than USD has",
        ),
        (
            {"supplier": "pikasim", "way": "stripe", "amount": _usd("-9")},
            422,
            "invalid",
            "amount",
        ),
    ],
)
async def test_what_cannot_be_deposited_says_why(shop, body, status, code, words):
    sent = {"amount": {"amount": "9.00", "currency": "USD"}, **body}
    refused = await problem(await shop.ops.post("/v1/ops/deposits", json=sent), status, code)
    assert words in refused["detail"]


async def test_money_of_a_supplier_that_is_not_there_is_not_found(shop):
    await problem(await shop.ops.get("/v1/ops/suppliers/nobody/ledger"), 404, "not_found")
    await problem(await shop.ops.post("/v1/ops/money/refresh", json={"supplier": "nobody"}), 404, "not_found")
    days = await shop.ops.get("/v1/ops/suppliers/s2s/ledger?last=0001-01-01&days=92")
    assert (await read(days, SupplierLedgerPage)).data == []
