"""Every problem that an order may meet: nothing is placed or charged, and the Idempotency-Key is not used up."""

import asyncio

import asyncpg
import pytest

from gateway.api.openapi import PROBLEM_TYPE
from gateway.api.orders import routes
from gateway.api.problems import KINDS
from gateway.app import MAX_BODY_BYTES
from gateway.orders import admission_rows

PLAN = "bv-1gb-2d-06d3e3e4ddb9"
BODY = {"plan_id": PLAN}
# What no order meets by itself, or another test shows: a fault here, the rate, no JSON, the caller's key.
ELSEWHERE = {
    "gone",
    "no_rate",
    "plan_replaced",
    "not_found",
    "unavailable",
    "not_cancellable",
    "has_topups",
    "not_supported",
    "mandate_exceeded",
    "mandate_ended",
}


async def problem(answer):
    body = await answer.json()
    assert answer.content_type == PROBLEM_TYPE, body
    assert body["status"] == answer.status == KINDS[body["code"]].status
    assert body["type"].endswith(f"/errors/{body['code']}")
    assert body["title"]
    assert body["request_id"] == answer.headers["X-Request-Id"]
    return body


async def code(answer):
    return (answer.status, (await problem(answer))["code"])


async def nothing_happened(shop):
    assert await shop.town.charges() == []
    assert (await (await shop.api.get("/v1/orders")).json())["data"] == []


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InternalClientError("got result for unknown protocol state 3"),
        asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
        asyncpg.AdminShutdownError("terminating connection due to administrator command"),
        asyncpg.LockNotAvailableError("canceling statement due to lock timeout"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_database_that_goes_away_in_the_middle_is_503(shop, monkeypatch, error):
    async def away(*_, **__):
        raise error

    monkeypatch.setattr(admission_rows, "admit", away)
    answer = await shop.api.post("/v1/orders", json=BODY, headers={"Idempotency-Key": "k"})
    assert await code(answer) == (503, "unavailable")
    assert "Retry-After" in answer.headers
    monkeypatch.undo()
    assert (await shop.api.post("/v1/orders", json=BODY, headers={"Idempotency-Key": "k"})).status in {201, 202}


async def test_requests_that_are_wrong_by_themselves(shop):
    post = shop.api.post
    key = {"Idempotency-Key": "k"}
    assert await code(await post("/v1/orders", json=BODY)) == (400, "idempotency_key_required")
    for wrong in ("x" * 256, "h\u00e9"):
        answer = await post("/v1/orders", json=BODY, headers={"Idempotency-Key": wrong})
        assert await code(answer) == (400, "idempotency_key_required")
    json_type = {"Content-Type": "application/json"}
    assert await code(await post("/v1/orders", data=b"{", headers=key | json_type)) == (400, "malformed")
    assert await code(await post("/v1/orders", data=b"plan", headers=key)) == (415, "unsupported_media_type")
    too_large = b'{"plan_id": "' + b"x" * MAX_BODY_BYTES + b'"}'
    assert await code(await post("/v1/orders", data=too_large, headers=key | json_type)) == (413, "too_large")
    without = shop.api.with_key("")
    assert await code(await without.post("/v1/orders", json=BODY, headers=key)) == (401, "unauthorized")
    await nothing_happened(shop)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/quote_id"),
        ({"plan_id": PLAN, "quote_id": "qt_x"}, "/quote_id"),
        ({"plan_id": "NOT A PLAN"}, "/plan_id"),
        ({"plan_id": PLAN, "colour": "red"}, "/colour"),
        ({"plan_id": PLAN, "reference": ""}, "/reference"),
        ({"plan_id": PLAN, "reference": "a\nb"}, "/reference"),
        ({"plan_id": PLAN, "customer": {"email": "nobody"}}, "/customer/email"),
        ({"plan_id": PLAN, "max_price": {"amount": "-1", "currency": "USD"}}, "/max_price/amount"),
        ({"plan_id": PLAN, "metadata": {"a": 1}}, "/metadata/*"),
        ({"plan_id": PLAN, "metadata": {"a": "\0"}}, "/metadata/a"),
        ({"plan_id": PLAN, "features": {"topup": False}}, "/features/topup"),
        ({"plan_id": PLAN, "features": {"exit_country": "ZZ"}}, "/features/exit_country"),
        ({"plan_id": PLAN, "reference": "YOUR-1\n"}, "/reference"),
        ({"plan_id": PLAN, "customer": {"email": "traveller@example.com\n"}}, "/customer/email"),
        ({"plan_id": PLAN, "max_price": {"amount": "12\n", "currency": "USD"}}, "/max_price/amount"),
        ({"plan_id": PLAN, "max_price": {"amount": "12", "currency": "USD\n"}}, "/max_price/currency"),
        ([], ""),
    ],
)
async def test_a_body_that_is_not_an_order_is_422_and_says_where(api, body, pointer):
    answer = await api.post("/v1/orders", json=body, headers={"Idempotency-Key": "k"})
    told = await problem(answer)
    assert (answer.status, told["code"]) == (422, "invalid")
    assert [error["pointer"] for error in told["errors"]] == [pointer]


async def test_a_body_with_none_or_several_of_what_is_bought_names_what_may_stand(api):
    headers = {"Idempotency-Key": "k"}
    found = await problem(await api.post("/v1/orders", json={}, headers=headers))
    assert found["errors"] == [{"pointer": "/quote_id", "detail": "is required, or one of plan_id, number, good_id"}]
    found = await problem(await api.post("/v1/orders", json={"plan_id": PLAN, "good_id": "good_1"}, headers=headers))
    assert found["errors"] == [{"pointer": "/good_id", "detail": "may not stand beside plan_id"}]
    deep = "[" * 40 + "]" * 40
    answer = await api.post("/v1/orders", data=deep, headers=headers | {"Content-Type": "application/json"})
    assert await code(answer) == (400, "malformed")


async def test_what_stands_against_an_order_is_told_and_the_key_stays_free(shop):
    order = lambda body, **more: shop.order(body, "the key", **more)  # noqa: E731 - a word for the lines below
    assert await code(await order({"plan_id": "jp-1gb-7d-000000000000"})) == (404, "no_plan")
    cheap = {**BODY, "max_price": {"amount": "10.99", "currency": "USD"}}
    assert await code(await order(cheap)) == (409, "price_changed")
    assert await code(await order({"quote_id": "qt_nonsense"})) == (404, "not_found")
    wanting = {**BODY, "features": {"voice": True}}
    assert (await order(wanting)).status in {404, 409}
    assert await code(await order({**BODY, "suppliers": {"only": ["pikasim"]}})) == (403, "forbidden")
    await shop.api.pool.execute("UPDATE storefronts SET daily_spend_limit = 10.99")
    assert await code(await order(BODY)) == (409, "spend_limit")
    await shop.api.pool.execute("UPDATE storefronts SET daily_spend_limit = NULL")
    await shop.ops.post("/v1/ops/suppliers/pikasim/pause")
    assert await code(await order(BODY)) == (503, "selling_stopped")
    assert await code(await shop.api.post("/v1/orders/validate", json=BODY)) == (503, "selling_stopped")
    await shop.ops.post("/v1/ops/suppliers/pikasim/resume")
    await shop.api.pool.execute("UPDATE offers SET stock = 0 WHERE plan_id = $1", PLAN)
    assert await code(await order(BODY)) == (409, "no_stock")
    assert await code(await shop.api.post("/v1/orders/validate", json=BODY)) == (409, "no_stock")
    await shop.api.pool.execute("UPDATE offers SET stock = NULL WHERE plan_id = $1", PLAN)
    await nothing_happened(shop)
    # As many orders as may be open at once, none of them processed.
    await shop.api.pool.execute(
        """INSERT INTO orders (id, storefront_id, mode, kind, plan_id, plan, price, currency, price_base, max_cost,
                               base_currency, next_poll_at)
           SELECT 'ord_open' || n, (SELECT id FROM storefronts WHERE name = 'shop'), 'test', 'esim', 'p', '{}', 1,
                  'USD', 1, 1, 'USD', now() + interval '1 hour' FROM generate_series(1, 200) AS n"""
    )
    refused = await order(BODY)
    assert "Retry-After" in refused.headers
    assert await code(refused) == (429, "too_many_open_orders")
    await shop.api.pool.execute("DELETE FROM orders WHERE id LIKE 'ord_open%'")
    made = await order({**BODY, "reference": "mine"})
    assert made.status == 201
    again = {**BODY, "reference": "mine"}
    assert await code(await shop.order(again, "another")) == (409, "duplicate_reference")
    assert await code(await shop.api.post("/v1/orders/validate", json=again)) == (409, "duplicate_reference")
    assert await code(await order(BODY)) == (422, "idempotency_mismatch")
    assert len(await shop.town.charges()) == 1


async def test_a_quote_is_good_for_its_owner_and_its_time(shop, make_api, suppliers):
    quote = await (await shop.api.post("/v1/quotes", json=BODY)).json()
    stranger = await make_stranger(shop)
    assert await code(await stranger.post("/v1/orders/validate", json={"quote_id": quote["id"]})) == (404, "not_found")
    hasty = await make_api(suppliers=suppliers.accounts(), quotes={"ttl_seconds": 1}, synced=True)
    hasty = hasty.with_key(shop.api.key)
    quote = await (await hasty.post("/v1/quotes", json=BODY)).json()
    await asyncio.sleep(1.1)
    answer = await shop.order({"quote_id": quote["id"]}, api=hasty)
    assert await code(answer) == (409, "quote_expired")
    await nothing_happened(shop)


async def make_stranger(shop):
    from gateway.access.key_rows import create_key

    made = await create_key(shop.api.pool, storefront="stranger", mode="test", scopes=["storefront"])
    return shop.api.with_key(made.key)


async def test_a_price_that_jumped_since_the_observation_is_409_and_charges_nothing(make_api, suppliers, shop):
    careful = await make_api(suppliers=suppliers.accounts(), orders={"price_check_seconds": 1}, synced=True)
    careful = careful.with_key(shop.api.key)
    quote = await (await careful.post("/v1/quotes", json=BODY)).json()
    items = await shop.api.pool.fetchval("SELECT supplier_plan_id FROM offers WHERE plan_id = $1", PLAN)
    await suppliers.tell("pikasim", "price", {"key": items, "price": "14.00"})
    await asyncio.sleep(1.1)
    answer = await shop.order({"quote_id": quote["id"]}, api=careful)
    assert await code(answer) == (409, "price_changed")
    await nothing_happened(shop)


async def test_every_problem_that_the_description_names_is_shown_by_a_test():
    named = {code for route, _ in routes.routes if route.access == "storefront" for code in route.problems}
    here = {
        "idempotency_key_required", "invalid", "forbidden", "no_plan", "no_stock", "price_changed", "quote_expired",
        "duplicate_reference", "spend_limit", "idempotency_mismatch", "selling_stopped",
        "too_many_open_orders",
    }  # fmt: skip
    assert named == here | ELSEWHERE
