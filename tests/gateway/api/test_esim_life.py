"""An eSIM from its order to its end, over the API, at the suppliers' sandboxes."""

import io

import pytest
import zxingcpp
from PIL import Image

from gateway.api import state
from gateway.inventory.esim_polls import poll_due, poll_soon

GOOD = {"beppay": "bv-1gb-1d-be1f6882a426", "pikasim": "bv-1gb-2d-06d3e3e4ddb9", "s2s": "bv-1gb-3d-06e8ea6afa94"}
PICTURE_ONLY = "bv-23gb-1d-d47d6ef3afc1"
TELLING = ("pikasim", "s2s")


async def bought(shop, plan):
    order = await (await shop.order({"plan_id": plan})).json()
    assert order["status"] == "fulfilled", order
    return order["esim"]


async def status(shop, esim, **headers):
    answer = await shop.api.get(f"/v1/esims/{esim['id']}", headers=headers)
    assert answer.status == 200, await answer.text()
    return await answer.json()


async def use(shop, supplier, esim, mb):
    await shop.town.tell(supplier, f"esims/{esim['iccid']}", {"used_mb": mb})


async def test_the_picture_and_the_page_of_what_was_bought_install_it(shop):
    for plan in (*GOOD.values(), PICTURE_ONLY):
        esim = await bought(shop, plan)
        picture = await (await shop.api.get(esim["qr_png_url"])).read()
        with Image.open(io.BytesIO(picture)) as opened:
            (found,) = zxingcpp.read_barcodes(opened.convert("L"))
        assert found.text == esim["activation_code"]
        page = await shop.api.with_key("").get(esim["page_url"])
        assert page.status == 200
        assert esim["matching_id"] in await page.text()


@pytest.mark.parametrize("supplier", TELLING)
async def test_usage_is_read_and_data_added_to_it(shop, supplier):
    esim = await bought(shop, GOOD[supplier])
    fresh = await status(shop, esim)
    assert (fresh["iccid"], fresh["service_state"], fresh["data"]["used_mb"]) == (esim["iccid"], "not_active", 0)
    await use(shop, supplier, esim, 300)
    used = await status(shop, esim, **{"Cache-Control": "no-cache"})
    assert (used["service_state"], used["data"]) == (
        "active",
        {"total_mb": 1024, "used_mb": 300, "remaining_mb": 724},
    )
    options = (await (await shop.api.get(f"/v1/esims/{esim['iccid']}/topup-plans")).json())["data"]
    assert options
    prices = [float(option["price"]["amount"]) for option in options]
    assert prices == sorted(prices)
    same = next(option for option in options if option["plan_id"] == GOOD[supplier])
    topup = await shop.api.post(
        f"/v1/esims/{esim['iccid']}/topups",
        json={"topup_plan_id": same["id"]},
        headers={"Idempotency-Key": "more", "Prefer": "wait=10"},
    )
    order = await topup.json()
    assert (topup.status, order["kind"], order["status"]) == (201, "topup", "fulfilled"), order
    assert order["esim"]["id"] == esim["id"]
    assert order["esim"]["activation_code"] is None
    more = await status(shop, esim)  # within the time of the cache, but more data makes what was known old
    assert more["data"]["total_mb"] == 2048
    assert len(await shop.town.charges()) == 2


async def test_a_supplier_that_only_sells_says_so(shop):
    esim = await bought(shop, GOOD["beppay"])
    assert (await status(shop, esim))["profile_state"] == "unknown"
    for path, word in (("/usage", "esim_status"), ("/topup-plans", "topup")):
        answer = await shop.api.get(f"/v1/esims/{esim['id']}{path}")
        problem = await answer.json()
        assert (answer.status, problem["code"]) == (501, "not_supported")
        assert word in problem["detail"]


async def test_a_look_by_schedule_tells_what_was_used(shop):
    deps = shop.api.client.app[state.DEPS]
    lines = {supplier: await bought(shop, GOOD[supplier]) for supplier in TELLING}
    assert await poll_due(deps, 15) == 0
    for supplier, esim in lines.items():
        await use(shop, supplier, esim, 950)
        await poll_soon(deps, esim["id"])
    assert await poll_due(deps, 15) == 2
    for row in await shop.api.pool.fetch("SELECT usage_notified, state_notified FROM esims"):
        assert (row["usage_notified"], row["state_notified"].partition("/")[2]) == (90, "active")


async def test_a_cancelled_esim_has_no_page_and_no_picture(shop):
    order = await (await shop.order({"plan_id": GOOD["pikasim"]})).json()
    page = order["esim"]["page_url"]
    cancelled = await shop.api.post(f"/v1/orders/{order['id']}/cancel", headers={"Prefer": "wait=10"})
    assert (await cancelled.json())["status"] == "cancelled"
    assert (await shop.api.get(page)).status == 410
    assert (await shop.api.get(f"/v1/esims/{order['esim']['id']}/qr.svg")).status == 410
