"""Virtual numbers over the API: lists from the database, orders of kind number, and those of a storefront."""

from __future__ import annotations

import pytest

from tests.gateway.api.conftest import Shop

US = {"number": {"country": "US", "tier_id": "7d"}}


async def test_countries_and_tiers_come_from_the_database_with_prices(shop: Shop) -> None:
    suppliers = shop.town.served.world
    asked = len(suppliers.simulator("beppay").sales())
    countries = await (await shop.api.get("/v1/numbers/countries")).json()
    assert [(one["code"], one["from_price"]["amount"], one["in_stock"]) for one in countries["data"]] == [
        ("GB", "11.00", True),
        ("US", "11.00", True),
    ]
    tiers = await (await shop.api.get("/v1/numbers/tiers?country=US&currency=EUR")).json()
    assert [(one["id"], one["days"], one["countries"]) for one in tiers["data"]] == [
        ("7d", 7, ["US"]),
        ("1y", 365, ["US"]),
    ]
    assert all(one["price"]["currency"] == "EUR" for one in tiers["data"])
    assert (await (await shop.api.get("/v1/numbers/tiers?country=FR")).json())["data"] == []
    assert (await shop.api.get("/v1/numbers/tiers?currency=ZZZ")).status == 422
    assert (await shop.api.get("/v1/numbers/tiers?country=ZZ")).status == 422
    assert asked == len(suppliers.simulator("beppay").sales())


async def test_an_order_of_kind_number_is_answered_with_the_number(shop: Shop) -> None:
    body = US | {"reference": "N-1", "max_price": {"amount": "11.00", "currency": "USD"}}
    answer = await shop.order(body, "first")
    order = await answer.json()
    assert (answer.status, order["kind"], order["status"], order["plan"]) == (201, "number", "fulfilled", None)
    assert (order["esim"], order["voucher"], order["price"]["amount"]) == (None, None, "11.00")
    number = order["number"]
    assert number["phone_number"].startswith("+1202")
    assert (number["country"], number["tier"]) == ("US", {"id": "7d", "name": "7 Days", "days": 7})
    again = await shop.order(US | {"reference": "N-1", "max_price": {"amount": "11.00", "currency": "USD"}}, "first")
    assert (again.status, again.headers["Idempotent-Replayed"], (await again.json())["id"]) == (
        200,
        "true",
        order["id"],
    )
    own = await (await shop.api.get("/v1/numbers")).json()
    assert [(one["id"], one["phone_number"], one["state"]) for one in own["data"]] == [
        (number["id"], number["phone_number"], "active")
    ]
    one = await (await shop.api.get(f"/v1/numbers/{number['id']}")).json()
    assert (one["order_id"], one["autorenew"], one["expires_at"]) == (order["id"], None, number["expires_at"])
    seen = await (await shop.ops.get(f"/v1/ops/orders/{order['id']}")).json()
    assert (seen["number"]["phone_number"], seen["supplier"]) == (None, "beppay")
    listed = await (await shop.api.get("/v1/orders?kind=number")).json()
    assert [row["id"] for row in listed["data"]] == [order["id"]]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"number": {"country": "FR", "tier_id": "7d"}}, 404, "no_plan"),
        ({"number": {"country": "fr", "tier_id": "7d"}}, 422, "invalid"),
        ({"number": {"country": "US"}}, 422, "invalid"),
        (US | {"features": {"topup": True}}, 422, "invalid"),
        (US | {"max_price": {"amount": "10.00", "currency": "USD"}}, 409, "price_changed"),
        (US | {"suppliers": {"only": ["beppay"]}}, 403, "forbidden"),
    ],
)
async def test_what_cannot_be_ordered_is_said(shop: Shop, body: object, status: int, code: str) -> None:
    answer = await shop.order(body)
    assert (answer.status, (await answer.json())["code"]) == (status, code)


async def test_a_number_is_not_cancelled_and_has_no_topup(shop: Shop) -> None:
    order = await (await shop.order(US)).json()
    cancelled = await shop.api.post(f"/v1/orders/{order['id']}/cancel")
    assert (cancelled.status, (await cancelled.json())["code"]) == (501, "not_supported")


async def test_operators_see_what_keeps_a_tier_from_sale_and_release_it(shop: Shop) -> None:
    await shop.api.pool.execute("UPDATE number_tiers SET suspect = 'moved: too far' WHERE tier_id = '7d'")
    assert (await shop.order(US)).status == 409
    tiers = (await (await shop.ops.get("/v1/ops/numbers")).json())["data"]
    assert [(one["tier_id"], one["why_not"], one["price"]) for one in tiers] == [
        ("7d", ["suspect_price"], None),
        ("1y", [], {"amount": "44.00", "currency": "USD"}),
    ]
    other = {"supplier": "beppay", "tier_id": "7d", "cost": "9.99"}
    assert (await shop.ops.post("/v1/ops/numbers/release", json=other)).status == 409
    released = await shop.ops.post("/v1/ops/numbers/release", json=other | {"cost": "10"})
    assert [one["why_not"] for one in (await released.json())["data"]] == [[], []]
    assert (await (await shop.order(US)).json())["status"] == "fulfilled"
