"""Products joined with the price list: every SKU comes out once, whichever list it stands in."""

from collections import Counter
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.s2s.join import Join
from providers.s2s.sources import AttributeCodes
from schemas.money import Money


def price(sku, **changes):
    return {"sku_id": sku, "denomination_type": "fixed", "price": 4.9, "currency": "USD", "stock": 5} | changes


def product(*skus, name="Japan", kind="esim", key="p-1", **changes):
    listed = [sku if isinstance(sku, dict) else {"id": sku, "name": "3 GB 30 Days"} for sku in skus]
    return {"id": key, "type": kind, "name": name, "skus": listed} | changes


def raw(*rows):
    """Rows as a page holds them."""
    return msgspec.json.decode(msgspec.json.encode(rows), type=list[msgspec.Raw])


def walked(prices, products, others=()):
    """A whole walk: offers by id, set-aside rows by id, other products, warnings."""
    join = Join(AttributeCodes())
    join.add_prices(raw(*prices))
    pages = [join.products(raw(*products)), join.left_over(), join.other_products(raw(*others))]
    offers = {offer.supplier_plan_id: offer for page in pages for offer in page.offers}
    aside = {row.supplier_plan_id: row for page in pages for row in page.set_aside}
    assert len(offers) + len(aside) == sum(len(page.offers) + len(page.set_aside) for page in pages)
    return offers, aside, sum(page.other_products for page in pages), [w for page in pages for w in page.warnings]


def test_a_sku_in_both_lists_is_an_offer_with_name_price_and_stock():
    offers, aside, _, _ = walked([price("a")], [product("a")])
    assert offers["a"].cost == Money(Decimal("4.9"), "USD")
    assert offers["a"].stock == 5
    assert not aside


@pytest.mark.parametrize("key", ["pikasim1>28", "<b>a&amp;b</b>", "two  spaces ", "e\u0301"], ids=ascii)
def test_a_sku_keeps_its_id_as_it_came(key):
    offers, aside, _, _ = walked([price(key)], [product(key)])
    assert offers[key].cost == Money(Decimal("4.9"), "USD")
    assert not aside
    assert list(walked([price(key)], [])[1]) == [key]


@pytest.mark.parametrize("key", ["a\nb", "a\u200bb", "x" * 201], ids=ascii)
def test_a_sku_whose_id_cannot_be_kept_is_set_aside(key):
    offers, aside, _, _ = walked([price(key)], [product(key)])
    assert not offers
    assert [(row.reason, row.supplier_plan_id.startswith("unnamed-")) for row in aside.values()] == [("no_name", True)]


def test_a_sku_in_the_product_list_only_is_kept_without_a_cost():
    offers, aside, _, _ = walked([], [product("a")])
    assert offers["a"].cost is None
    assert not aside


def test_a_sku_in_the_price_list_only_has_no_name_and_is_set_aside_as_it_came():
    offers, aside, _, _ = walked([price("a", note="kept")], [])
    assert not offers
    assert aside["a"].reason == "no_name"
    assert msgspec.json.decode(aside["a"].raw) == price("a", note="kept")


def test_a_sku_that_is_priced_twice_is_contradictory_unless_both_rows_say_the_same():
    offers, aside, _, _ = walked([price("a"), price("a", price=5.5), price("b"), price("b")], [product("a", "b")])
    assert list(offers) == ["b"]
    assert aside["a"].reason == "contradictory"


def test_a_sku_in_two_products_has_its_price_in_both_and_is_left_to_the_sync():
    join = Join(AttributeCodes())
    join.add_prices(raw(price("a")))
    page = join.products(raw(product("a"), product("a"), product("a", key="p-2", name="France")))
    assert [offer.coverage for offer in page.offers] == [("JP",), ("JP",), ("FR",)]
    assert len({offer.cost for offer in page.offers}) == 1
    assert join.left_over().set_aside == ()


def test_a_price_row_of_another_shape_spoils_its_own_sku_only():
    offers, aside, _, _ = walked([price("a", price={"usd": 4}), price("b")], [product("a", "b")])
    assert list(offers) == ["b"]
    assert (aside["a"].reason, aside["a"].name) == ("no_price", "3 GB 30 Days")


def test_a_price_row_without_an_id_is_kept_under_a_stand_in():
    _, aside, _, _ = walked([{"price": 4.9}], [])
    ((stand_in, row),) = aside.items()
    assert (bool(stand_in), row.reason) == (True, "no_name")


def test_a_sku_of_another_shape_spoils_itself_only():
    offers, aside, _, _ = walked([price("a"), price("b")], [product({"id": "a", "name": 7}, "b")])
    assert list(offers) == ["b"]
    assert aside["a"].reason == "no_name"


def test_a_product_of_another_shape_is_set_aside_and_its_skus_by_their_prices():
    offers, aside, _, _ = walked([price("a"), price("b")], [product("a", name=["Japan"]), product("b", key="p-2")])
    assert list(offers) == ["b"]
    assert {key: row.reason for key, row in aside.items()} == {"p-1": "no_name", "a": "no_name"}


def test_a_product_without_skus_is_a_warning():
    assert walked([], [product()])[3] == ["the eSIM product p-1 lists no SKU"]


def test_products_of_other_types_are_counted_once_and_left_aside():
    vouchers = [product("v", kind="voucher", key="p-2"), product("r", kind="recharge", key="p-3")]
    offers, aside, others, _ = walked([price("a")], [product("a"), vouchers[0]], [*vouchers, product("a")])
    assert (list(offers), list(aside), others) == (["a"], [], 2)


def test_a_product_of_another_type_that_cannot_be_read_is_counted_too():
    assert walked([], [], [{"id": 7, "type": "voucher"}, {"type": "other"}])[2] == 2


ids = st.sets(st.sampled_from([f"sku-{n}" for n in range(12)]))


@given(priced=ids, named=ids)
def test_every_sku_of_either_list_comes_out_exactly_once(priced, named):
    join = Join(AttributeCodes())
    join.add_prices(raw(*map(price, priced)))
    pages = [join.products(raw(product(*named))), join.left_over()]
    out = Counter(row.supplier_plan_id for page in pages for row in (*page.offers, *page.set_aside))
    assert out == Counter(priced | named)
    sold = {offer.supplier_plan_id for page in pages for offer in page.offers if offer.cost is not None}
    assert sold == priced & named
