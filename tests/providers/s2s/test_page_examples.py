"""Each JSON example of the page goes through the wire types whole; ``test_contract`` says what most become."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from providers.s2s import mapping, orders, wire
from providers.s2s.join import Join
from providers.s2s.sources import AttributeCodes
from schemas.money import Money
from schemas.order import SupplierOrderState
from tests.providers.s2s.examples import NAMES, example

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
USD = "USD"
ENCODER = msgspec.json.Encoder(decimal_format="number")


def read(name, kind):
    return msgspec.json.decode(example(name), type=kind)


def items(name, kind):
    return [msgspec.json.decode(raw, type=kind) for raw in read(name, wire.Page).data]


WHOLE = {
    "me": wire.MeAnswer,
    "balance": wire.BalanceAnswer,
    "product": wire.ProductAnswer,
    "order": wire.OrderAnswer,
    "order_created": wire.OrderAnswer,
    "topup_created": wire.OrderAnswer,
    "esim_status": wire.EsimStatusAnswer,
    "webhook": wire.Webhook,
    "new_order": wire.NewOrder,
    "new_topup": wire.NewTopUp,
}
LISTS = {
    "balance_history": wire.BalanceMove,
    "products": wire.Product,
    "pricelist": wire.Price,
    "orders": wire.Order,
}


def test_no_example_of_the_page_is_left_out():
    assert sorted([*WHOLE, *LISTS, "categories"]) == NAMES


@pytest.mark.parametrize("name", WHOLE)
def test_every_field_of_an_answer_is_read_as_the_page_writes_it(name):
    assert_all_read(example(name), WHOLE[name])


@pytest.mark.parametrize("name", LISTS)
def test_every_field_of_a_list_s_items_is_read_as_the_page_writes_it(name):
    page = read(name, wire.Page)
    for raw in page.data:
        assert_all_read(bytes(raw), LISTS[name])


def test_every_sku_of_a_product_is_read_as_the_page_writes_it():
    for raw in read("product", wire.ProductAnswer).data.skus:
        assert_all_read(bytes(raw), wire.Sku)


def assert_all_read(text, kind):
    """What was read says everything that was written; only what was not written may be there besides."""
    written = exact(text)
    again = ENCODER.encode(msgspec.json.decode(text, type=kind))
    assert said_within(written, exact(again)), f"{written} is not all in {exact(again)}"


def exact(text):
    return msgspec.json.Decoder(float_hook=Decimal).decode(text)


def said_within(written, read):
    if isinstance(written, dict) and isinstance(read, dict):
        return all(name in read and said_within(value, read[name]) for name, value in written.items())
    if isinstance(written, list) and isinstance(read, list):
        return len(written) == len(read) and all(map(said_within, written, read))
    if isinstance(written, str) and isinstance(read, str) and written != read:
        return datetime.fromisoformat(written) == datetime.fromisoformat(read)
    return written == read


def test_prices_are_exact_decimals():
    rows = items("pricelist", wire.Price)
    assert [row.price for row in rows] == [Decimal("2.2"), Decimal("3.3"), None]
    assert (rows[2].markup_percent, rows[2].rate) == (Decimal(-2), Decimal("0.272"))


def test_the_page_s_products_are_vouchers_and_so_only_counted():
    page = Join(AttributeCodes()).products(read("products", wire.Page).data)
    assert (page.offers, page.set_aside, page.other_products) == ((), (), 1)


def test_the_page_s_price_list_without_products_has_prices_and_no_names():
    join = Join(AttributeCodes())
    join.add_prices(read("pricelist", wire.Page).data)
    assert [row.reason for row in join.left_over().set_aside] == ["no_name"] * 3


def test_the_page_s_skus_are_set_aside_for_what_they_lack_when_read_as_esims():
    product = read("product", wire.ProductAnswer).data
    prices = {row.sku_id: row for row in items("pricelist", wire.Price)}
    for raw in product.skus:
        sku = msgspec.json.decode(raw, type=wire.Sku)
        found = mapping.offer_or_reason(mapping.described(product), sku, prices[sku.id], AttributeCodes(), raw)
        assert found.reason in {"coverage_unknown", "no_such_country"}
        assert found.supplier_plan_id == sku.id
        assert msgspec.json.decode(found.raw)["sku"] == msgspec.json.decode(raw)


def test_categories_name_their_attributes():
    envelope = msgspec.json.decode(example("categories"))
    (category,) = msgspec.convert(envelope["data"], list[wire.CategoryNode])
    assert [(a.code, a.target) for a in category.attributes] == [("string", "product")]


def test_the_bodies_that_we_send_are_those_of_the_page():
    order = wire.NewOrder("ORD-12345", wire.NewOrderItem("019bc0dd-8562-7173-afd9-a5cc534fafb7"))
    topup = wire.NewTopUp("topup-12345", "029bc0dd-8562-7173-afd9-a5cc534fafb8")
    assert msgspec.to_builtins(order) == msgspec.json.decode(example("new_order"))
    assert msgspec.to_builtins(topup) == msgspec.json.decode(example("new_topup"))
    assert msgspec.to_builtins(wire.NewTopUp("topup-12345")) == {"external_id": "topup-12345"}


def test_the_order_in_the_webhook_reads_like_any_other():
    order = orders.order(read("webhook", wire.Webhook).data.order)
    assert (order.state, order.charged) == (SupplierOrderState.COMPLETED, Money.of("29.09", USD))
