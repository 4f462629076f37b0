"""Batches as a storefront places and follows them."""

from tests.gateway.api.test_two_storefronts import PLAN
from tests.kit.answers import problem

KEY = {"Idempotency-Key": "cart 7"}


async def test_a_batch_is_placed_delivered_read_and_replayed(shop):
    body = {"plan_id": PLAN, "quantity": 3, "reference": "CART-7", "metadata": {"cart": "7"}}
    answer = await shop.api.post("/v1/order-batches", json=body, headers=KEY | {"Prefer": "wait=30"})
    batch = await answer.json()
    assert (answer.status, answer.headers["Preference-Applied"]) == (201, "wait=30")
    assert [order["status"] for order in batch["orders"]] == ["fulfilled"] * 3
    assert [order["reference"] for order in batch["orders"]] == ["CART-7-1", "CART-7-2", "CART-7-3"]
    assert len({order["esim"]["activation_code"] for order in batch["orders"]}) == 3
    assert await (await shop.api.get(answer.headers["Location"])).json() == batch
    again = await shop.api.post("/v1/order-batches", json=body, headers=KEY)
    assert (again.status, again.headers["Idempotent-Replayed"], await again.json()) == (200, "true", batch)
    assert len(await shop.town.charges()) == 3
    alone = await shop.api.post("/v1/orders", json={"plan_id": body["plan_id"]}, headers=KEY)
    await problem(alone, 422, "idempotency_mismatch")


async def test_a_batch_has_one_to_twenty_orders_and_a_key(shop):
    plan = (await shop.plan())["id"]
    for quantity in (0, 21):
        sent = {"plan_id": plan, "quantity": quantity}
        found = await problem(await shop.api.post("/v1/order-batches", json=sent, headers=KEY), 422, "invalid")
        assert found["errors"][0]["pointer"] == "/quantity"
    without = await shop.api.post("/v1/order-batches", json={"plan_id": plan, "quantity": 2})
    await problem(without, 400, "idempotency_key_required")
    routed = {"plan_id": plan, "quantity": 2, "suppliers": {"only": ["s2s"]}}
    await problem(await shop.api.post("/v1/order-batches", json=routed, headers=KEY), 403, "forbidden")
