"""Vouchers and recharges bought at S2S, over HTTP against its sandbox: codes, fields, amounts, and what goes wrong."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from providers.kit.redaction import Redactor
from providers.kit.scrub import scrubbed
from providers.s2s import vouchers, wire
from providers.s2s.sandbox.other_goods import SANDBOX_CARD, other_goods
from schemas.errors import InvalidRequest, Outcome, OutOfStock
from schemas.money import Money
from schemas.order import GoodWanted, OrderKind, SupplierOrderState, VoucherCode
from tests.providers.account import failure
from tests.providers.s2s.examples import example

SHELF = {row["sku_name"]: row["sku_id"] for one in other_goods() for row in one.priced}
CARD = SHELF["$10 Apple gift card USA"]
EUROS = SHELF["Travel voucher, any amount"]
RECHARGE = SHELF["₹199"]
PHONE = {"phone": "+919812345678", "operator": "Jio"}


def wants(here, sku, quantity=1, amount=None, fields=None):
    good = GoodWanted(
        sku, quantity, None if amount is None else Money.of(amount, "EUR"), fields or {}, recharge=sku == RECHARGE
    )
    return msgspec.structs.replace(here.request(sku=sku), kind=OrderKind.VOUCHER, good=good)


def test_the_page_s_order_and_webhook_hold_the_same_kind_of_code():
    order = msgspec.json.decode(example("order"), type=wire.OrderAnswer).data
    assert vouchers.codes(order) == (VoucherCode(pin="9b329e7e9764a41cf516e7e716035c2e"),)
    told = msgspec.json.decode(example("webhook"), type=wire.Webhook).data.order
    (code,) = vouchers.codes(told)
    assert (code.pin, code.serial) == ("ABCD-EFGH-IJKL-MNOP", "VOUCHER123456")
    assert code.expires_at == datetime(2027, 1, 15, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    "row",
    [{}, {"pin": ""}, {"pin": None}, {"pin": "x" * 2000}, {"pin": "a\x00b"}, {"pin": True}, {"message": "soon"}, 7],
)
def test_what_nobody_could_type_in_is_no_code(row):
    order = wire.Order("1", "a", "completed", items=[wire.OrderItem(delivery_data=[row])])
    assert vouchers.codes(order) == ()


def test_what_a_product_asks_for_takes_the_place_of_neither_quantity_nor_amount():
    good = GoodWanted("s", 2, Money.of("12.50", "EUR"), {"quantity": "9", "amount": "1", "phone": "7"})
    sent = msgspec.json.decode(msgspec.json.encode(vouchers.new_order("r", good, "amount")))
    assert sent["item"]["fields"] == {"quantity": 2, "amount": 12.5, "phone": "7"}


async def test_each_of_several_cards_has_a_code_of_its_own(here):
    request = wants(here, CARD, 3)
    order = await here.provider.purchase_good(request)
    assert (order.state, order.charged) == (SupplierOrderState.COMPLETED, Money.of("33.0", "USD"))
    assert len({code.pin for code in order.codes}) == 3
    found = await here.provider.find_order(request, order.supplier_order_id)
    assert found.codes == order.codes
    assert await here.provider.find_order(request, None) == found
    (charge,) = here.simulator.sales()
    assert (charge.kind, charge.reference, charge.details["quantity"]) == (OrderKind.VOUCHER, request.reference, 3)


async def test_an_amount_of_one_s_choice_is_charged_by_rate_and_markup(here):
    order = await here.provider.purchase_good(wants(here, EUROS, 2, "12.50"))
    assert order.charged == Money(Decimal("28.08"), "USD")  # 12.50 × 1.08 × 1.04 × 2
    assert len(order.codes) == 2


async def test_a_recharge_tells_what_was_done_instead_of_a_code(here):
    order = await here.provider.purchase_good(wants(here, RECHARGE, fields=PHONE))
    assert order.state is SupplierOrderState.COMPLETED
    assert [(code.pin, code.told) for code in order.codes] == [(None, "Recharge completed")]


@pytest.mark.parametrize(
    ("sku", "changes"),
    [
        (CARD, {"quantity": 6}),
        (EUROS, {"amount": "9.99"}),
        (EUROS, {"amount": "500.01"}),
        (EUROS, {}),
        (RECHARGE, {}),
        (RECHARGE, {"fields": PHONE | {"phone": "no number"}}),
        (RECHARGE, {"fields": PHONE | {"operator": "Nobody"}}),
    ],
)
async def test_what_the_product_does_not_allow_is_refused_and_nothing_charged(here, sku, changes):
    error = await failure(here.provider.purchase_good(wants(here, sku, **changes)))
    assert (type(error), error.outcome) == (InvalidRequest, Outcome.DID_NOT_HAPPEN)
    assert here.simulator.sales() == []


async def test_little_stock_is_sold_out_in_the_end(here):
    lounge = SHELF["One visit"]
    for _ in range(3):
        await here.provider.purchase_good(wants(here, lounge))
    assert type(await failure(here.provider.purchase_good(wants(here, lounge)))) is OutOfStock
    listed = [good async for page in here.provider.goods() for good in page.goods if good.sku == lounge]
    assert {good.stock for good in listed} == {0}


@pytest.mark.parametrize(
    ("worth", "quantity", "state", "codes"),
    [(1, 2, "completed", 2), (4, 1, "failed", 0), (5, 4, "partial", 2), (6, 2, "completed", 1)],
)
async def test_the_sandbox_s_own_card_ends_as_its_name_says(here, worth, quantity, state, codes):
    sku = next(sku for name, sku in SHELF.items() if name.startswith(f"${worth} {SANDBOX_CARD}"))
    request = wants(here, sku, quantity)
    order = await here.provider.purchase_good(request)
    ended = await here.ended(request, order.supplier_order_id)
    assert (ended.state, len(ended.codes)) == (SupplierOrderState(state), codes)
    if state == "failed":
        assert ended.charged == Money(Decimal(0), "USD")


@pytest.mark.parametrize("key", [*vouchers.PIN_KEYS, *vouchers.SERIAL_KEYS])
def test_whatever_is_read_as_a_code_is_taken_out_of_what_is_kept(key):
    body = msgspec.json.encode({"data": {"delivery_data": [{key: "ABCD-EFGH"}]}})
    (kept,) = scrubbed([body], Redactor(()))
    assert "ABCD" not in kept


async def test_another_quantity_than_was_bought_is_for_a_person(here):
    request = wants(here, CARD, 2)
    order = await here.provider.purchase_good(request)
    other = msgspec.structs.replace(request, good=GoodWanted(CARD, 3))
    assert (await here.provider.find_order(other, order.supplier_order_id)).state is SupplierOrderState.PARTIAL
