"""Pricing rules over the API: made, changed, ordered, tried out; and two storefronts that pay by their own rules."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from gateway.access.key_rows import create_key
from gateway.catalog.browse import Catalog
from schemas.api_pricing import PricingPreview, PricingRule, PricingRulePage
from tests.kit.made_up_market import Item, offer
from tests.kit.secret_keys import SECRET_KEY
from tests.kit.shelf import stock
from tests.kit.waiting import PATIENCE

RULES = "/v1/ops/pricing-rules"
ITEMS = [
    Item("a", offer("JP1", cost="5.00")),
    Item("b", offer("JP1b", cost="4.50")),
    Item("a", offer("JP3", mb=3072, cost="9.00")),
    Item("b", offer("FR2", countries="FR", mb=2048, cost="4.00")),
]
JAPAN, FRANCE = ITEMS[0].offer.plan_id, ITEMS[3].offer.plan_id


@pytest.fixture
async def ops(make_api):
    """An API on a published catalogue of a few offers, and an operator's key."""
    return await make_api(ITEMS, published=True, scopes=["storefront", "ops"])


async def made(ops, status: int = 201, **rule: Any) -> Any:
    answer = await ops.post(RULES, json={"name": "R", "percent": "20", **rule})
    body = await answer.read()
    assert answer.status == status, body
    return msgspec.json.decode(body, type=PricingRule) if status == 201 else msgspec.json.decode(body)


async def listed(ops) -> PricingRulePage:
    return msgspec.json.decode(await (await ops.get(RULES)).read(), type=PricingRulePage)


async def price(api, plan: str, **query: str) -> str:
    answer = await api.get(f"/v1/plans/{plan}", params=query)
    return (await answer.json())["price"]["amount"]


async def test_rules_are_made_worded_anew_ordered_and_taken_out_and_each_change_is_on_record(ops, pool):
    europe = await made(ops, name="Europe", region="europe", percent="18", rounding=".99", floor="4.00")
    assert europe.words == "rule 1: Europe +18 %, rounded to .99, at least 4.00 USD"
    assert (europe.position, europe.state, europe.currency, europe.minimum_margin) == (1, "in_force", "USD", None)
    japan = await made(ops, name="Japan", countries=["JP"], position=1)
    assert [one.id for one in (await listed(ops)).data] == [japan.id, europe.id]
    assert (await listed(ops)).default.words == "default: +10 %"
    assert await price(ops, JAPAN) == "5.40"
    assert await price(ops, FRANCE) == "4.99"

    answer = await ops.ask("PATCH", f"{RULES}/{japan.id}", json={"fixed": "1", "position": 2})
    changed = msgspec.json.decode(await answer.read(), type=PricingRule)
    assert (changed.position, changed.fixed, changed.percent, changed.countries) == (2, "1", "20", ["JP"])
    assert await price(ops, JAPAN) == "6.40"
    answer = await ops.ask("PUT", f"{RULES}/{japan.id}", json={"name": "Everything", "percent": "50"})
    replaced = msgspec.json.decode(await answer.read(), type=PricingRule)
    assert (replaced.position, replaced.fixed, replaced.countries) == (2, "0", [])
    assert (await (await ops.get(f"{RULES}/{japan.id}")).json())["name"] == "Everything"
    answer = await ops.post(f"{RULES}/order", json={"ids": [japan.id, europe.id]})
    assert [one["id"] for one in (await answer.json())["data"]] == [japan.id, europe.id]
    assert await price(ops, FRANCE) == "6.00"
    answer = await ops.ask("DELETE", f"{RULES}/{japan.id}")
    assert [(one["id"], one["position"]) for one in (await answer.json())["data"]] == [(europe.id, 1)]
    assert (await price(ops, JAPAN), await price(ops, FRANCE)) == ("4.95", "4.99")
    assert (await ops.get(f"{RULES}/{japan.id}")).status == 404
    assert (await ops.ask("DELETE", f"{RULES}/{japan.id}")).status == 404

    log = await pool.fetch("SELECT action, object, actor, detail FROM audit_log ORDER BY id")
    assert [row["action"].removeprefix("pricing_rule.") for row in log] == [
        "created", "created", "changed", "changed", "ordered", "removed",
    ]  # fmt: skip
    assert all(row["actor"].startswith("key ") for row in log)
    assert log[2]["object"] == f"pricing_rule:{japan.id}"
    assert (log[2]["detail"]["before"]["fixed"], log[2]["detail"]["after"]["fixed"]) == ("0", "1")


@pytest.mark.parametrize(
    ("sent", "pointer", "status"),
    [
        ({"storefront": "nobody"}, "/storefront", 409),
        ({"supplier": "nobody"}, "/supplier", 409),
        ({"countries": ["JP", "QQ"]}, "/countries/1", 422),
        ({"region": "atlantis"}, "/region", 422),
        ({"currency": "XYZ"}, "/currency", 422),
        ({"percent": "1000.5"}, "/percent", 409),
        ({"percent": "-1"}, "/percent", 422),
        ({"floor": "0.00"}, "/floor", 409),
        ({"floor": "5", "ceiling": "4"}, "/ceiling", 409),
        ({"min_data_mb": 2048, "max_data_mb": 1024}, "/max_data_mb", 409),
        ({"unlimited": True, "max_data_mb": 1024}, "/max_data_mb", 409),
        ({"valid_from": "2026-12-01T00:00:00Z", "valid_until": "2026-12-01T00:00:00Z"}, "/valid_until", 409),
        ({"name": "two\nlines"}, "/name", 422),
        ({"colour": "red"}, "/colour", 422),
    ],
)
async def test_what_a_rule_cannot_be_is_pointed_at(ops, sent, pointer, status):
    problem = await made(ops, status, **sent)
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert (await listed(ops)).data == []


async def test_an_order_of_rules_names_each_of_them_once(ops):
    one = await made(ops)
    for ids in ([], [one.id, one.id], [one.id, "pr_0000000000000000"]):
        answer = await ops.post(f"{RULES}/order", json={"ids": ids})
        assert (answer.status, (await answer.json())["errors"][0]["pointer"]) == (409, "/ids")


async def test_a_preview_tells_what_would_become_of_every_price_and_changes_none(ops):
    async def look(**asked: Any) -> PricingPreview:
        answer = await ops.post(f"{RULES}/preview", json=asked)
        body = await answer.read()
        assert answer.status == 200, body
        return msgspec.json.decode(body, type=PricingPreview)

    japan = {"name": "Japan", "countries": ["JP"], "percent": "50"}
    found = await look(rule=japan)
    assert (found.same, found.rise.count, found.fall.count, found.begin, found.end) == (1, 2, 0, 0, 0)
    assert (found.rise.most.amount, found.rise.most_percent) == ("3.60", 36.36)
    assert [(one.words, one.offers) for one in found.priced_by] == [("rule 1: Japan +50 %", 3), ("default: +10 %", 1)]
    first = next(one for one in found.examples if one.plan_id == JAPAN)
    assert (first.before.amount, first.after.amount, first.supplier) == ("4.95", "6.75", "b")
    assert (first.rule_before, first.rule_after) == ("default: +10 %", "rule 1: Japan +50 %")
    assert await price(ops, JAPAN) == "4.95"

    rule = await made(ops, **japan)
    assert (await look(id=rule.id, remove=True)).fall.count == 2
    assert (await look(id=rule.id, rule={**japan, "percent": "10", "floor": "7"})).at_floor == 2
    assert (await look(id=rule.id, rule={**japan, "storefront": "shop"})).storefront == "shop"
    assert (await look(order=[rule.id])).same == 3
    later = datetime.now(UTC) + timedelta(days=3)
    dated = await look(id=rule.id, rule={**japan, "percent": "60", "valid_from": later.isoformat()})
    assert (dated.at, dated.rise.count) == (later, 3 - 1)
    nobody = {"rule": japan, "storefront": "nobody"}
    wrong = (({}, "/rule", 409), ({"rule": japan, "currency": "XYZ"}, "/currency", 422), (nobody, "/storefront", 404))
    for asked, pointer, status in wrong:
        answer = await ops.post(f"{RULES}/preview", json=asked)
        assert (answer.status, (await answer.json())["errors"][0]["pointer"]) == (status, pointer)


async def test_offers_tell_operators_the_rule_of_their_price(ops):
    await made(ops, name="Japan", countries=["JP"], percent="18", rounding=".99")
    words = "rule 1: Japan +18 %, rounded to .99"
    shown = (await (await ops.get(f"/v1/plans/{JAPAN}/offers")).json())["data"]
    assert {(one["price"]["amount"], one["price_rule"]) for one in shown} == {("5.99", words)}
    listed_ = (await (await ops.get(f"/v1/ops/offers?plan_id={JAPAN}")).json())["data"]
    assert {(one["price"]["amount"], one["price_rule"]) for one in listed_} == {("5.99", words)}


async def test_a_storefront_learns_nothing_of_rules_or_costs(ops):
    await made(ops, name="Secret words", percent="37.5")
    storefront = ops.with_key(await ops.make_key())
    assert (await storefront.get(RULES)).status == 403
    for path in ("/v1/plans", f"/v1/plans/{JAPAN}", "/v1/countries", "/v1/regions"):
        text = await (await storefront.get(path)).text()
        assert "6.19" in text or "5.50" in text or path == "/v1/regions"
        assert not any(word in text for word in ("Secret", "37.5", "4.50", "cost", "price_rule"))
    quote = await (await storefront.post("/v1/quotes", json={"plan_id": JAPAN})).text()
    assert "6.19" in quote
    assert not any(word in quote for word in ("Secret", "37.5", '"4.50"', "cost", "price_rule"))


# -- spreading


async def test_a_change_reaches_another_process_within_two_seconds_with_another_etag(ops, pool, tmp_path):
    storefront = ops.with_key(await ops.make_key())
    first = await storefront.get(f"/v1/plans/{JAPAN}")
    same = await storefront.get(f"/v1/plans/{JAPAN}", headers={"If-None-Match": first.headers["ETag"]})
    assert same.status == 304
    # as another process would: nothing tells this one but the database
    await pool.execute(
        "INSERT INTO pricing_rules (id, position, name, percent, currency) VALUES ('pr_1', 1, 'All', 40, 'USD')"
    )
    began = time.monotonic()
    while (await price(storefront, JAPAN)) == "4.95":
        assert time.monotonic() - began < PATIENCE
        await asyncio.sleep(0.05)
    changed = await storefront.get(f"/v1/plans/{JAPAN}", headers={"If-None-Match": first.headers["ETag"]})
    assert (changed.status, (await changed.json())["price"]["amount"]) == (200, "6.30")
    assert changed.headers["ETag"] != first.headers["ETag"]


async def test_a_rule_begins_and_ends_with_its_dates_though_nothing_is_written_then(ops):
    begins = datetime.now(UTC) + timedelta(seconds=8)
    rule = await made(ops, valid_from=begins.isoformat(), valid_until=(begins + timedelta(seconds=6)).isoformat())
    assert rule.state == "waiting"
    seen = []
    while len(set(seen)) < 3 and datetime.now(UTC) < begins + timedelta(seconds=PATIENCE):
        found = await price(ops, JAPAN)
        if not seen or seen[-1] != found:
            seen.append(found)
        if seen == ["4.95", "5.40", "4.95"]:
            break
        await asyncio.sleep(0.05)
    assert seen == ["4.95", "5.40", "4.95"]
    assert (await listed(ops)).data[0].state == "over"


async def test_without_the_database_prices_stay_those_of_the_last_rules(ops, pool, make_api, tmp_path, database_url):
    from gateway.catalog.publish import publish
    from gateway.kit.settings import load

    await made(ops, percent="40")
    settings = load(state_dir=tmp_path, database_url=database_url, secret_key=[SECRET_KEY])
    await stock(pool, ITEMS, mode="test")
    await publish(pool, None, settings)
    catalog = await Catalog.open(settings, None, None)
    try:
        assert b'"6.30"' in catalog.index("test").plan(JAPAN)
    finally:
        await catalog.close()


# -- two storefronts


async def test_two_storefronts_pay_by_their_own_rules_what_they_were_shown_and_quoted(shop):
    """Shown, quoted, ordered, topped up and told: one price each; a third storefront pays what nobody's rule says."""
    ops, pool = shop.ops, shop.ops.pool
    keys = {
        name: await create_key(pool, storefront=name, mode="test", scopes=("storefront",)) for name in ("one", "two")
    }
    api = {name: shop.api.with_key(key.key) for name, key in keys.items()}
    api["shop"] = shop.api
    await made(ops, name="One", storefront="one", percent="50", minimum_margin="2")
    await made(ops, name="Two", storefront="two", percent="0", fixed="0.70", rounding=".99", supplier="pikasim")
    await made(ops, name="Floor", percent="5", floor="12.00", max_data_mb=1024)
    plan = "bv-1gb-2d-06d3e3e4ddb9"  # PikaSim's, at a cost of 10.00
    expected = {"one": "15.00", "two": "10.99", "shop": "12.00"}
    versions = set()
    for name, amount in expected.items():
        shown = await (await api[name].get(f"/v1/plans/{plan}")).json()
        assert shown["price"] == {"amount": amount, "currency": "USD"}, name
        page = await (await api[name].get("/v1/plans?country=BV&triggers=true&max_days=2&min_days=2&limit=1")).json()
        versions.add(page["catalog"]["version"])
        quote = await (await api[name].post("/v1/quotes", json={"plan_id": plan})).json()
        assert quote["price"] == shown["price"]
        ordered = await shop.order({"plan_id": plan}, api=api[name])
        bought = await shop.order({"quote_id": quote["id"]}, api=api[name])
        valid = await api[name].post("/v1/orders/validate", json={"plan_id": plan, "max_price": shown["price"]})
        assert (await valid.json())["price"] == shown["price"]
        for answer in (ordered, bought):
            order = await answer.json()
            assert (answer.status, order["status"], order["price"]) == (201, "fulfilled", shown["price"]), order
        less = {"amount": str(Decimal(amount) - Decimal("0.01")), "currency": "USD"}
        refused = await shop.order({"plan_id": plan, "max_price": less}, api=api[name])
        assert (refused.status, (await refused.json())["code"]) == (409, "price_changed")
        options = (await (await api[name].get(f"/v1/esims/{order['esim']['id']}/topup-plans")).json())["data"]
        assert options
        option = options[0]
        topup = await api[name].post(
            f"/v1/esims/{order['esim']['id']}/topups",
            json={"topup_plan_id": option["id"]},
            headers={"Idempotency-Key": f"more {name}", "Prefer": "wait=30"},
        )
        assert (await topup.json())["price"] == option["price"]
    assert len(versions) == 3
    rows = await pool.fetch(
        """SELECT s.name, o.price, o.max_cost FROM orders o JOIN storefronts s ON s.id = o.storefront_id
           WHERE o.kind = 'esim'"""
    )
    assert {(row["name"], row["price"], row["max_cost"]) for row in rows} == {
        ("one", Decimal("15.00"), Decimal("13.00")),
        ("two", Decimal("10.99"), Decimal("10.99")),
        ("shop", Decimal("12.00"), Decimal("12.00")),
    }
