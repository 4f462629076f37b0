"""The sandbox is the supplier as its page describes it."""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager

import msgspec
import pytest

from providers.kit import places
from providers.s2s import MANIFEST, wire
from providers.s2s.sandbox import products
from providers.s2s.sandbox.products import ATTRIBUTE_CODES
from providers.simulator import SandboxWorld
from schemas.plan import Offer, Reset
from tests.providers.shop import amount_of, open_shop

AUTH = {"Authorization": f"Bearer {MANIFEST.sandbox_settings['token']}"}
MARKET = """\
date,competitor,country,data,days,price_usd,source_url
2026-08-10,Ours,Japan,3 GB,30,9.50,
2026-08-10,Ours,Japan,3 GB,30,9.90,
2026-08-10,Ours,Japan,Unlimited,7,21,
2026-08-10,Ours,Turks And Caicos,1 GB,7,8.25,
2026-08-10,Ours,Japan South Korea,10 GB,30,18.5,
2026-08-10,Ours,Ivory Coast,5 GB,,11.00,
2026-08-10,Ours,Tokyo City,5 GB,30,11.00,
2026-08-10,Ours,Europe,5 GB,30,11.00,
"""


@pytest.fixture
def world():
    return SandboxWorld(["s2s"])


@pytest.fixture
async def api(world, aiohttp_client):
    assert MANIFEST.sandbox is not None
    client = await aiohttp_client(MANIFEST.sandbox(world, MANIFEST.sandbox_settings))

    async def get(path, expected=200, headers=AUTH, **query):
        response = await client.get(path, params=query, headers=headers)
        assert response.status == expected, await response.text()
        return msgspec.json.decode(await response.read())

    return get


async def paged(api, path, **query):
    """Every row of a list, by its cursors."""
    rows, cursor = [], {}
    while True:
        body = await api(path, **query, **cursor)
        assert len(body["data"]) <= int(query["per_page"])
        rows += body["data"]
        if body["meta"]["next_cursor"] is None:
            return rows
        cursor = {"cursor": body["meta"]["next_cursor"]}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "wrong"}])
async def test_without_its_token_nobody_gets_in(api, headers):
    assert await api("/me", 401, headers) == {"success": False, "message": "Unauthenticated."}


async def test_me_and_balance_say_what_can_be_spent(api):
    me = msgspec.convert(await api("/me"), wire.MeAnswer, strict=False).data
    balance = msgspec.convert(await api("/balance"), wire.BalanceAnswer, strict=False).data
    assert me.partner.balance == balance
    assert balance.available_balance == balance.balance + balance.overdraft_limit - balance.reserved_amount


@pytest.mark.parametrize("per_page", ["7", "200"])
async def test_cursors_lead_through_every_product_and_price_once(api, world, per_page):
    products = await paged(api, "/catalog/products", per_page=per_page, include_skus="true")
    prices = await paged(api, "/catalog/pricelist", per_page=per_page)
    named = Counter(sku["id"] for product in products for sku in product["skus"])
    assert set(named.values()) == {1}
    assert named == Counter(row["sku_id"] for row in prices)
    assert len({product["id"] for product in products}) == len(products)
    visible = sum(item.visible for item in world.items("s2s"))
    assert len([row for p in products if p["type"] == "esim" for row in p["skus"]]) == visible


async def test_the_lists_can_be_filtered_by_type_and_category(api):
    for kind in ("voucher", "recharge", "voucher_open_range", "recharge_fixed", "other", "esim"):
        products = (await api("/catalog/products", type=kind))["data"]
        assert products
        assert {product["type"] for product in products} == {kind}
        assert all("skus" not in product for product in products)
    category = (await api("/catalog/products", type="voucher"))["data"][0]["category"]["id"]
    assert {p["category"]["id"] for p in (await api("/catalog/products", category_id=category))["data"]} == {category}
    vouchers = (await api("/catalog/pricelist", type="voucher"))["data"]
    assert all(row["denomination_type"] == "fixed" for row in vouchers)


async def test_goods_without_a_fixed_price_have_a_markup_and_a_rate(api):
    prices = await paged(api, "/catalog/pricelist", per_page="200")
    rows = [row for row in prices if row["denomination_type"] == "custom"]
    assert len(rows) >= 3
    assert all("price" not in row and {"markup_percent", "markup_fixed", "rate"} <= row.keys() for row in rows)


async def test_one_product_comes_with_prices_and_stock(api):
    listed = (await api("/catalog/products", type="esim", include_skus="true", per_page="1"))["data"][0]
    prices = {row["sku_id"]: row for row in await paged(api, "/catalog/pricelist", per_page="200", type="esim")}
    product = (await api(f"/catalog/products/{listed['id']}"))["data"]
    assert [sku["id"] for sku in product["skus"]] == [sku["id"] for sku in listed["skus"]]
    for sku in product["skus"]:
        assert (sku["price"], sku["stock"]) == (prices[sku["id"]]["price"], prices[sku["id"]]["stock"])
    assert await api("/catalog/products/no-such-id", 404) == {"success": False, "message": "Product not found"}


async def test_half_of_the_skus_carry_attributes_and_the_others_only_names(api):
    products = await paged(api, "/catalog/products", per_page="200", type="esim", include_skus="true")
    skus = [sku for product in products for sku in product["skus"]]
    with_attributes = [sku for sku in skus if sku["attributes"]]
    assert 0.3 < len(with_attributes) / len(skus) < 0.7
    assert all({"coverage", "data_volume", "validity_days"} <= set(sku["attributes"]) for sku in with_attributes)
    assert {code for sku in with_attributes for code in sku["attributes"]} == set(ATTRIBUTE_CODES.values())


async def test_russian_names_are_russian(api):
    russian = await api("/catalog/products", type="esim", locale="ru")
    assert "Япония" in {product["name"] for product in russian["data"]}


async def test_categories_list_the_attribute_codes_of_a_target(api):
    categories = msgspec.convert((await api("/catalog/categories", target="sku"))["data"], list[wire.CategoryNode])
    codes = {a.code for category in categories for a in category.attributes}
    assert codes >= set(MANIFEST.sandbox_settings["attributes"].values())
    assert {a.target for category in categories for a in category.attributes} == {"sku"}


@pytest.mark.parametrize(
    "query",
    [
        {"per_page": "201"},
        {"per_page": "0"},
        {"per_page": "many"},
        {"cursor": "???"},
        {"cursor": "eyJpZCI6LTF9"},
        {"locale": "de"},
        {"type": "esims"},
    ],
)
async def test_a_query_that_the_page_does_not_allow_is_refused(api, query):
    assert (await api("/catalog/products", 422, **query))["success"] is False


@asynccontextmanager
async def market(tmp_path):
    file = tmp_path / "market.csv"
    file.write_text(MARKET, "utf-8")
    world = SandboxWorld(["s2s"], market=file)
    async with open_shop(MANIFEST, world) as shop:
        yield await shop.walk()


async def test_a_market_price_list_comes_back_row_by_row_with_nothing_but_names(tmp_path):
    async with market(tmp_path) as walk:
        mapped = sorted((o.coverage, o.data.declared, o.validity.days, str(o.cost)) for o in walk.offers)
        assert mapped == [
            (("JP",), "3 GB", 30, "9.50 USD"),
            (("JP",), "3 GB", 30, "9.90 USD"),
            (("JP",), "Unlimited", 7, "21.00 USD"),
            (("JP", "KR"), "10 GB", 30, "18.50 USD"),
            (("TC",), "1 GB", 7, "8.25 USD"),
        ]
        assert sorted((row.name, row.reason.value) for row in walk.set_aside) == [
            ("Europe 5 GB 30 Days", "coverage_unknown"),
            ("Ivory Coast 5 GB", "no_validity"),
            ("Tokyo City 5 GB 30 Days", "no_such_country"),
        ]
        assert walk.accounted == 8
        assert walk.other_products == 12


async def test_both_locales_give_the_same_plans(world):
    found = []
    for locale in ("en", "ru"):
        async with open_shop(MANIFEST, world, locale=locale) as shop:
            found.append({o.supplier_plan_id: (o.plan_id, o.cost) for o in (await shop.walk()).offers})
    assert found[0] == found[1]


async def test_every_offer_is_the_item_that_the_sandbox_sells(world):
    async with open_shop(MANIFEST, world) as shop:
        offers: list[Offer] = list((await shop.walk()).offers)
    sold = Counter(
        (item.countries, amount_of(item), item.daily, item.days, item.price)
        for item in world.items("s2s")
        if item.visible
    )
    bought = Counter(
        (o.coverage, o.data.mb, o.data.reset is Reset.DAILY, o.validity.days, o.cost and o.cost.amount) for o in offers
    )
    assert not bought - sold
    assert all(places.is_country(code) for offer in offers for code in offer.coverage)


@pytest.mark.parametrize("locale", ["en", "ru"])
async def test_a_plan_on_which_something_goes_wrong_is_called_so_and_is_what_its_amount_says(locale):
    world = SandboxWorld(["pikasim", "s2s"])
    labelled = {products.sku_id(item.key): item for item in world.items("s2s") if item.label}
    async with open_shop(MANIFEST, world, locale=locale) as shop:
        offers = {o.supplier_plan_id: o for o in (await shop.walk()).offers if o.supplier_plan_id in labelled}
    assert offers.keys() == labelled.keys()
    for sku, item in labelled.items():
        offer = offers[sku]
        assert item.label in offer.name
        assert (offer.coverage, offer.data.mb, offer.validity.days) == (item.countries, amount_of(item), item.days)
