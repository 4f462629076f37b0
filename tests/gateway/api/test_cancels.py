"""Cancels over the API: at once while nothing was sent, never beside a top-up, and by force only for operators."""

from dataclasses import replace

from gateway.api import state
from gateway.orders.admit import admit
from gateway.orders.restore import restored
from gateway.suppliers import selling_rows
from schemas.order_requests import OrderForPlan
from tests.kit.answers import read

GOOD = "bv-1gb-2d-06d3e3e4ddb9"  # pikasim's: it takes eSIMs back and adds data


async def topup(shop, order, key="top"):
    headers = {"Idempotency-Key": key, "Prefer": "wait=30"}
    path = f"/v1/esims/{order['esim']['id']}/topups"
    return await shop.api.post(path, json={"plan_id": GOOD}, headers=headers)


async def test_an_esim_with_a_topup_is_409_for_its_storefront_and_cancelled_by_an_operators_force(shop):
    order = await read(await shop.order({"plan_id": GOOD}), status=201)
    added = await read(await topup(shop, order), status=201)
    path = f"/v1/orders/{order['id']}/cancel"
    assert (await read(await shop.api.post(path), status=409))["code"] == "has_topups"
    ops = f"/v1/ops{path.removeprefix('/v1')}"
    assert (await read(await shop.ops.post(ops), status=409))["code"] == "has_topups"
    assert (await read(await shop.ops.post(ops, json={"force": "yes"}), status=422))["code"] == "invalid"
    assert (await read(await shop.api.post(ops, json={"force": True}), status=403))["code"] == "forbidden"
    forced = await shop.ops.post(ops, json={"force": True, "note": "agreed"})
    assert forced.status in {200, 202}
    done = await read(await shop.api.get(f"/v1/orders/{order['id']}", headers={"Prefer": "wait=30"}))
    assert done["status"] == "cancelled"
    case = await shop.ops.read(f"/v1/ops/orders/{added['id']}")
    assert case["status"] == "needs_review"
    assert (await read(await shop.ops.post("/v1/ops/orders/ord_nobody/cancel"), status=404))["code"] == "not_found"


async def test_a_cancelled_esim_is_not_topped_up(shop):
    order = await read(await shop.order({"plan_id": GOOD}), status=201)
    await shop.api.post(f"/v1/orders/{order['id']}/cancel", headers={"Prefer": "wait=30"})
    assert (await read(await topup(shop, order), status=409))["code"] == "not_topupable"


async def test_an_order_that_a_restore_left_for_review_is_released_over_the_api(shop):
    deps = shop.api.client.app[state.DEPS]
    owner = await shop.api.pool.fetchval("SELECT id FROM storefronts WHERE name = 'shop'")
    slow = deps.settings.orders.model_copy(update={"fast_admission": False})
    waiting = replace(deps, settings=deps.settings.model_copy(update={"orders": slow}))
    order_id = (await admit(waiting, owner, "test", OrderForPlan(plan_id=GOOD), "k")).order_id
    await restored(deps)
    path = f"/v1/ops/orders/{order_id}/resolve"
    word = {"as": "released", "note": "not bought since"}
    assert (await read(await shop.ops.post(path, json=word), status=409))["code"] == "conflict"
    await selling_rows.go_on(shop.api.pool, selling_rows.ALL, "restored")
    assert (await read(await shop.ops.post(path, json=word)))["status"] == "pending"
    done = await read(await shop.api.get(f"/v1/orders/{order_id}", headers={"Prefer": "wait=30"}))
    assert done["status"] == "fulfilled"
