"""S2S's vouchers and recharges as goods: what the two lists say of them, in both languages, and what is set aside."""

import re
from decimal import Decimal

import msgspec
import pytest
from msgspec import Raw

from providers.s2s import goods, wire
from providers.s2s.goods import Named, good_or_reason, plain_pattern
from providers.s2s.goods_walk import GoodsCollector
from providers.s2s.sandbox.other_goods import other_goods
from providers.s2s.settings import Goods
from schemas.errors import NotFound
from schemas.good import CustomPrice, Good
from schemas.money import Money
from schemas.plan import SetAsideReason
from tests.providers.s2s.examples import example
from tests.providers.shop import NASTY

TERMS = Goods()
SKU = {"id": "sku-1", "name": "$2 card", "attributes": {"denomination": "2", "denomination_currency": "USD"}}
PRODUCT = {"id": "p-1", "type": "voucher", "name": "Card | USA", "denomination_type": "fixed", "fields": []}
ROW = {"sku_id": "sku-1", "price": 2.2, "currency": "USD", "stock": 100, "max_per_order": 1}
CUSTOM = {"sku_id": "sku-1", "denomination_type": "custom", "currency": "AED", "rate": 0.272, "markup_percent": -2}


def mapped(sku=None, product=None, row=ROW, terms=TERMS):
    """One SKU with its price, as the walk maps it."""
    raw = Raw(msgspec.json.encode(SKU | (sku or {})))
    whole = msgspec.convert(PRODUCT | (product or {}), wire.Product)
    named = Named(whole, msgspec.json.decode(raw, type=wire.Sku, strict=False), raw, "en")
    return good_or_reason(named, None if row is None else Raw(msgspec.json.encode(row)), terms, "USD")


def page_rows(name):
    return msgspec.json.decode(example(name), type=wire.Page).data


def test_the_page_s_lists_become_the_goods_that_they_describe():
    collector = GoodsCollector(TERMS, "USD", "en")
    collector.products(page_rows("products"), "en")
    collector.prices(page_rows("pricelist"))
    page = collector.all()
    assert page.set_aside == ()
    first, second = page.goods
    assert (first.sku, first.cost, first.stock, first.max_per_order) == (
        "019bc0dd-8434-7246-a0fa-a8a29b88eeee", Money.of("2.2", "USD"), 100, 1,
    )  # fmt: skip
    assert (first.face_value, second.face_value) == (Money.of("2", "USD"), Money.of("3", "USD"))
    assert (first.category_id, first.category, first.countries) == ("18", "Test", ("US",))
    assert first.attributes["digital_acceptance"] == "online"
    assert first.description.startswith("With the credit from a gift card")


def test_a_denomination_of_one_s_choice_keeps_rate_and_markup_to_the_digit():
    good = mapped(row=CUSTOM | {"min_amount": 5, "max_amount": "500.5"})
    assert good.custom == CustomPrice(
        "AED", Decimal("0.272"), "USD", Decimal(-2), Decimal(0), Decimal(5), Decimal("500.5")
    )
    assert (good.denomination, good.cost, good.face_value) == ("custom", None, None)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (None, SetAsideReason.NO_PRICE),
        (ROW | {"price": 0}, SetAsideReason.NO_PRICE),
        (ROW | {"price": None}, SetAsideReason.NO_PRICE),
        (ROW | {"currency": "$"}, SetAsideReason.NO_PRICE),
        (ROW | {"price": "a lot"}, SetAsideReason.NO_PRICE),
        (CUSTOM | {"rate": 0}, SetAsideReason.NO_PRICE),
        (CUSTOM | {"rate": None}, SetAsideReason.NO_PRICE),
        (CUSTOM | {"markup_percent": -100}, SetAsideReason.NO_PRICE),
        (CUSTOM | {"price": 3}, SetAsideReason.CONTRADICTORY),
        (CUSTOM | {"min_amount": 9, "max_amount": 5}, SetAsideReason.CONTRADICTORY),
    ],
)
def test_a_price_that_cannot_be_one_sets_the_good_aside(row, reason):
    assert mapped(row=row).reason is reason


@pytest.mark.parametrize(
    "fields",
    [
        [{"name": "phone", "label": "Phone", "required": True, "regex": r"/^\+?[0-9]{7,15}$/"}],
        [{"code": "phone", "title": "Phone", "pattern": r"^\+?[0-9]{7,15}$"}],
        {"phone": {"label": "Phone", "pattern": r"^\+?[0-9]{7,15}$", "required": 1}},
    ],
)
def test_what_a_product_asks_for_is_read_in_several_shapes(fields):
    (field,) = mapped(product={"fields": [*fields] if isinstance(fields, list) else fields}).fields
    assert (field.name, field.label, field.required) == ("phone", "Phone", True)
    assert re.fullmatch(field.pattern, "+4915112345678")


@pytest.mark.parametrize("fields", ["phone", [{"label": "no name"}], [{"name": "a"}, {"name": "a"}], [7]])
def test_what_a_product_asks_for_and_nobody_understands_sets_it_aside(fields):
    if isinstance(fields, str):
        named = msgspec.structs.replace(msgspec.convert(PRODUCT, wire.Product), fields=fields)
        sku = msgspec.convert(SKU, wire.Sku)
        row = Raw(msgspec.json.encode(ROW))
        aside = good_or_reason(Named(named, sku, Raw(msgspec.json.encode(SKU)), "en"), row, TERMS, "USD")
    else:
        aside = mapped(product={"fields": fields})
    assert aside.reason is SetAsideReason.UNKNOWN_FIELDS


def test_quantity_and_amount_are_never_asked_of_the_customer():
    fields = [{"name": "quantity"}, {"name": "amount"}, {"name": "player", "required": False}]
    assert [one.name for one in mapped(product={"fields": fields}, row=CUSTOM).fields] == ["player"]
    assert [one.name for one in mapped(product={"fields": fields[:1] + fields[2:]}).fields] == ["player"]


def test_a_fixed_price_with_a_field_for_the_amount_is_sold_to_nobody():
    assert mapped(product={"fields": [{"name": "amount"}]}).reason is SetAsideReason.UNKNOWN_FIELDS


@pytest.mark.parametrize(
    "text",
    [
        "(a+)+$",
        "a|b",
        r"(\w+)*@",
        "a*b*c*d+",
        "[",
        r"\1",
        "x{2}{3}",
        "a" * 200,
        "a?b?c?d?",
        "a*b*c*",
        "[^a]" * 29 + "(",
    ],
)
def test_a_pattern_that_could_run_for_ever_is_left_to_the_supplier(text):
    assert plain_pattern(text) is None


@pytest.mark.parametrize("text", NASTY)
def test_hostile_text_is_made_harmless(text):
    nasty = {"name": text, "description": text, "category": {"id": 1, "name": text}, "attributes": {text: text}}
    good = mapped(sku={"name": text, "image": text}, product=nasty)
    for shown in (good.name, getattr(good, "description", ""), *getattr(good, "attributes", {}).values()):
        assert "<" not in shown
        assert "\x00" not in shown
        assert len(shown) <= 500
    if isinstance(good, Good):
        assert good.image is None


def test_an_id_is_kept_as_it_came():
    assert mapped(sku={"id": "a>b  &amp; <b>"}).sku == "a>b  &amp; <b>"


@pytest.mark.parametrize("strange", ["a\nb", "a\u200bb", " ", "x" * 101], ids=ascii)
def test_an_id_that_cannot_be_kept_is_set_aside(strange):
    found = mapped(sku={"id": strange})
    assert found.reason is SetAsideReason.NO_NAME
    assert found.supplier_plan_id != "a b"


def test_a_sku_that_stands_in_two_products_is_sold_once():
    collector = GoodsCollector(TERMS, "USD", "en")
    row = Raw(msgspec.json.encode(PRODUCT | {"skus": [SKU]}))
    collector.products([row, row], "en")
    collector.prices([Raw(msgspec.json.encode(ROW))])
    page = collector.all()
    assert [one.sku for one in page.goods] == ["sku-1"]
    assert [one.reason for one in page.set_aside] == [SetAsideReason.CONTRADICTORY]


async def whole(provider):
    return [good async for page in provider.goods() for good in page.goods]


async def test_a_walk_gives_every_good_of_the_shop_in_both_languages(here):
    found = await whole(here.provider)
    sold = {row["sku_id"] for one in other_goods() for row in one.priced}
    for locale in ("en", "ru"):
        assert {good.sku for good in found if good.locale == locale} == sold
    card = next(good for good in found if good.locale == "ru" and good.product_name.startswith("Apple"))
    assert (card.product_name, card.category) == ("Apple подарочная карта | USA", "Подарочные карты")
    assert len(found) == 2 * len(sold)


async def test_a_good_is_asked_for_alone_at_its_price_of_now(here):
    for one in await whole(here.provider):
        if one.locale == "en":
            now = await here.provider.good(one.product_id, one.sku)
            assert (now.cost, now.custom, now.stock) == (one.cost, one.custom, one.stock)
    with pytest.raises(NotFound):
        await here.provider.good(one.product_id, "another")
    with pytest.raises(NotFound):
        await here.provider.good("another", one.sku)


async def test_categories_are_told_in_the_language_that_is_asked_for(here):
    english, russian = await here.provider.good_categories(), await here.provider.good_categories("ru")
    assert [one.name for one in english] == ["Gift cards", "Mobile recharge", "eSIM"]
    assert {one.parent_id for one in english} == {None}
    assert russian[0].name == "Подарочные карты"
    assert "denomination" in {attribute.code for attribute in english[0].attributes}


def test_the_page_s_category_is_read():
    answer = msgspec.json.decode(example("categories"), type=wire.CategoriesAnswer)
    (category,) = goods.categories(answer.data)
    assert (category.id, category.parent_id, category.attributes[0].target) == ("0", None, "product")
