"""Digital goods over the API: read with the scope only, ordered and delivered by the machine, shown to operators."""

import pytest

PHONE = {"phone": "+919812345678", "operator": "Jio"}


@pytest.fixture
async def store(shop):
    """The shop's API with a key that may sell goods."""
    return shop.api.with_key(await shop.api.make_key("storefront", "goods"))


async def named(store, name, query=""):
    """The good that is called so."""
    found = await store.read(f"/v1/goods?limit=200{query}")
    return next(one for one in found["data"] if one["name"].startswith(name))


async def order(shop, store, body, key="", wait=30):
    answer = await shop.order(body, key, api=store, wait=wait)
    return answer.status, await answer.json()


async def test_without_the_scope_nothing_of_goods_is_shown_or_sold(shop, store):
    good = await named(store, "$10 Apple")
    for path in ("/v1/goods", "/v1/goods/categories", f"/v1/goods/{good['id']}"):
        assert (await (await shop.api.get(path)).json())["code"] == "forbidden"
    for route in ("/v1/orders", "/v1/orders/validate"):
        answer = await shop.api.post(route, json={"good_id": good["id"]}, headers={"Idempotency-Key": "k"})
        assert answer.status == 403


async def test_every_good_is_met_once_page_by_page_and_by_name(store):
    whole = (await store.read("/v1/goods?limit=200"))["data"]
    names = [(f"{one['product_name']} {one['name']}").casefold()[:60] for one in whole]
    assert names == sorted(names)
    met = [one["id"] for one in await store.rows("/v1/goods", 7)]
    assert met == [one["id"] for one in whole]
    assert len(set(met)) == len(met) > 30


FILTERS = {
    "type=recharge": {"Mobile recharge | Turkey", "Mobile recharge | UAE"},
    "country=TR": {"Mobile recharge | Turkey"},
    "q=apple%20usa": {"Apple gift card | USA"},
    "attribute=denomination:30&attribute=denomination_currency:USD&q=game": {"Game card | USA", "Game card | EU"},
    "category=21&type=recharge_fixed": {"Mobile recharge | India"},
    "q=100%25": set(),
    "locale=ru&q=турция": {"Пополнение телефона | Турция"},
}


async def test_filters_narrow(store):
    for query, products in FILTERS.items():
        found = (await store.read(f"/v1/goods?limit=200&{query}"))["data"]
        assert {one["product_name"] for one in found} == products, query


async def test_a_language_is_answered_in_where_the_supplier_has_it(store):
    russian = await named(store, "$10 Apple", "&locale=ru")
    assert russian["category"]["name"] == "Подарочные карты"
    assert (await store.read(f"/v1/goods/{russian['id']}?locale=ru"))["locale"] == "ru"
    assert (await store.read(f"/v1/goods/{russian['id']}?locale=de"))["locale"] == "en"
    assert (await store.read("/v1/goods/categories?locale=ru"))["data"][0]["name"] == "Подарочные карты"
    first = (await store.read("/v1/goods/categories"))["data"][0]
    assert (first["name"], first["goods"] > 20) == ("Gift cards", True)


async def test_prices_are_by_the_rules_and_in_the_currency_that_is_asked_for(store):
    good = await named(store, "$10 Apple")
    assert good["price"] == {"amount": "12.10", "currency": "USD"}  # 11.00 and 10 %
    euros = await store.read(f"/v1/goods/{good['id']}?currency=EUR")
    assert euros["price"]["currency"] == "EUR"
    for query in ("currency=XAU", "country=ZZ", "attribute=x", "amount=-5"):
        await store.read(f"/v1/goods/{good['id']}?{query}", status=422)
    assert (await store.read(f"/v1/goods/{good['id']}?amount=5", status=409))["code"] == "conflict"


async def test_an_amount_of_one_s_choice_has_its_price_within_its_bounds(store):
    good = await named(store, "Travel voucher")
    assert (good["price"], good["denomination"]["currency"], good["denomination"]["least"]) == (None, "EUR", "10")
    priced = await store.read(f"/v1/goods/{good['id']}?amount=25")
    assert priced["price"] == {"amount": "30.89", "currency": "USD"}  # 25 × 1.08 × 1.04 = 28.08, and 10 %
    for amount in ("9.99", "500.01", "25.001"):
        told = await store.read(f"/v1/goods/{good['id']}?amount={amount}", status=409)
        assert told["errors"][0]["pointer"] == "/amount"


async def test_cards_are_ordered_delivered_and_shown_to_their_owner_only(shop, store):
    good = await named(store, "$10 Apple")
    body = {"good_id": good["id"], "quantity": 3, "reference": "R-1"}
    status, sold = await order(shop, store, body, "key")
    assert (status, sold["kind"], sold["status"], sold["plan"]) == (201, "voucher", "fulfilled", None)
    assert sold["price"] == {"amount": "36.30", "currency": "USD"}
    pins = [code["pin"] for code in sold["voucher"]["codes"]]
    assert len(set(pins)) == 3
    again, same = await order(shop, store, body, "key")
    assert (again, same["voucher"]) == (200, sold["voucher"])
    told = str(await store.read(f"/v1/orders/{sold['id']}/events"))
    assert not any(pin in told for pin in pins)
    dump = await store.pool.fetchval(
        "SELECT string_agg(t::text, '') FROM (SELECT o::text FROM orders o UNION ALL SELECT a::text FROM attempts a"
        " UNION ALL SELECT v::text FROM voucher_codes v UNION ALL SELECT x::text FROM exchanges x) AS t"
    )
    assert not any(pin in dump for pin in pins)
    (charge,) = (await shop.town.truth("s2s"))["charges"]
    assert (charge["kind"], charge["charged"]) == ("voucher", "33.00")


async def test_a_recharge_goes_to_the_number_that_the_customer_gave(shop, store):
    good = await named(store, "₹199")
    _, sold = await order(shop, store, {"good_id": good["id"], "fields": PHONE})
    assert sold["status"] == "fulfilled"
    assert [code["told"] for code in sold["voucher"]["codes"]] == ["Recharge completed"]
    (charge,) = (await shop.town.truth("s2s"))["charges"]
    assert charge["details"]["fields"] == PHONE
    assert PHONE["phone"] not in str(await store.pool.fetch("SELECT o::text FROM orders o"))


WRONG = [
    ("$10 Apple", {"quantity": 6}, "/quantity"),
    ("$10 Apple", {"amount": {"amount": "5", "currency": "USD"}}, "/amount"),
    ("$10 Game", {"fields": {"player": "no spaces"}}, "/fields/player"),
    ("Travel voucher", {}, "/amount"),
    ("Travel voucher", {"amount": {"amount": "501", "currency": "EUR"}}, "/amount/amount"),
    ("Travel voucher", {"amount": {"amount": "20", "currency": "USD"}}, "/amount/currency"),
    ("₹199", {"fields": {"operator": "Jio"}}, "/fields/phone"),
    ("₹199", {"fields": PHONE | {"operator": "Nobody"}}, "/fields/operator"),
    ("₹199", {"fields": PHONE | {"colour": "red"}}, "/fields/colour"),
]


async def test_what_a_product_does_not_allow_is_pointed_at_before_an_order(shop, store):
    for name, more, pointer in WRONG:
        good = await named(store, name)
        status, problem = await order(shop, store, {"good_id": good["id"], **more})
        assert (status, problem["code"]) == (422, "invalid"), name
        assert pointer in [error["pointer"] for error in problem["errors"]]
    status, problem = await order(shop, store, {"good_id": "good_none"})
    assert (status, problem["code"]) == (404, "no_plan")
    assert (await shop.town.truth("s2s"))["charges"] == []


async def test_fewer_codes_than_were_bought_wait_for_a_person(shop, store):
    for worth, quantity in ((5, 4), (6, 2)):
        good = await named(store, f"${worth} Sandbox card")
        _, sold = await order(shop, store, {"good_id": good["id"], "quantity": quantity})
        assert (sold["status"], sold["voucher"]["codes"]) == ("needs_review", [])


async def test_a_refused_card_is_no_stock_costs_nothing_and_marks_nothing(shop, store):
    good = await named(store, "$2 Sandbox card")
    _, sold = await order(shop, store, {"good_id": good["id"]})
    assert (sold["status"], sold["failure"]["code"]) == ("failed", "no_stock")
    assert (await store.read(f"/v1/goods/{good['id']}"))["in_stock"] is True


async def test_operators_see_costs_walks_and_what_keeps_a_good_from_sale(shop, store):
    await store.pool.execute("UPDATE goods SET suspect = 'moved' WHERE sort_name LIKE '%apple gift card | usa $10%'")
    held = (await shop.ops.read("/v1/ops/goods?why_not=suspect_price"))["data"]
    assert [(one["cost"]["amount"], one["why_not"]) for one in held] == [("11.00", ["suspect_price"])]
    assert (await store.read(f"/v1/goods/{held[0]['id']}"))["in_stock"] is False
    (walk,) = (await shop.ops.read("/v1/ops/goods/walks"))["data"]
    assert (walk["supplier"], walk["state"], walk["mapped"], walk["suspect"]) == ("s2s", "ok", walk["total"], 1)
    released = await (await shop.ops.post(f"/v1/ops/goods/{held[0]['id']}/release")).json()
    assert released == {"id": held[0]["id"], "released": 1}
    assert (await store.read(f"/v1/goods/{held[0]['id']}"))["in_stock"] is True
    assert (await shop.ops.post(f"/v1/ops/goods/good_{'0' * 24}/release")).status == 404
    for path in ("changes", "unmapped"):
        assert (await shop.ops.read(f"/v1/ops/goods/{path}"))["data"] == []
