"""Webhooks both ways around real orders: the sandboxes send them, spoilt in every way; a storefront hears the end."""

import asyncio

import pytest

from gateway.api import state
from gateway.webhooks.deliver import deliver
from tests.gateway.api.conftest import Shop
from tests.kit.receiver import receiving
from tests.kit.waiting import until

GOOD = {"pikasim": "bv-1gb-2d-06d3e3e4ddb9", "s2s": "bv-1gb-3d-06e8ea6afa94"}


@pytest.fixture
async def shop(make_api, suppliers):
    """A shop whose suppliers deliver after a moment, and which nobody's schedule looks after."""
    api = await make_api(synced=True, suppliers=suppliers.accounts(), webhooks={"allow_private": ["127.0.0.0/8"]})
    for name in GOOD:
        await suppliers.tell(name, "till", {"delivery_seconds": 0.3})
    return Shop(api.with_key(await api.make_key("storefront")), api, suppliers)


async def hear(shop, **spoilt):
    """Have the suppliers send their webhooks to us."""
    for name in GOOD:
        url = str(shop.api.client.make_url(f"/webhooks/{name}"))
        await shop.town.tell(name, "webhook", {"url": url, **spoilt})


async def ordered(shop, supplier):
    return await (await shop.order({"plan_id": GOOD[supplier]}, wait=0)).json()


async def read(shop, order):
    return await (await shop.api.get(f"/v1/orders/{order['id']}")).json()


def fulfilled(shop, order):
    async def look():
        now = await read(shop, order)
        return now if now["status"] == "fulfilled" else None

    return until(look)


def sent(shop, supplier, *kinds):
    """Until the supplier has sent one of each kind."""

    async def look():
        async with shop.town.http.get(f"{shop.town.served.urls[supplier]}/_sandbox/webhook") as answer:
            log = (await answer.json())["sent"]
        return log if {one["what"] for one in log if one["status"]} >= set(kinds) else None

    return until(look)


@pytest.mark.parametrize("supplier", sorted(GOOD))
async def test_a_webhook_brings_an_order_to_its_end_that_would_else_wait_for_the_schedule(shop, supplier):
    async def delivered():
        return [charge for charge in await shop.town.charges() if charge["delivered"]]

    waiting = await ordered(shop, supplier)
    await until(delivered)
    assert (await read(shop, waiting))["status"] == "pending"  # nobody told us
    await hear(shop)
    told = await ordered(shop, supplier)
    assert (await fulfilled(shop, told))["esim"]["activation_code"].startswith("LPA:1$")
    assert (await read(shop, waiting))["status"] == "pending"


@pytest.mark.parametrize("supplier", sorted(GOOD))
async def test_forged_altered_duplicate_and_reordered_ones_change_nothing_that_the_supplier_did_not_do(shop, supplier):
    await hear(shop, copies=3, forged=True, altered=True, reorder=True)
    orders = [await ordered(shop, supplier) for _ in range(4)]
    ends = [await fulfilled(shop, order) for order in orders]
    log = await sent(shop, supplier, "genuine", "copy", "forged", "altered")
    assert {one["status"] for one in log if one["what"] == "forged"} == {401}
    assert {one["status"] for one in log if one["what"] in {"genuine", "copy"}} == {200}
    assert {one["status"] for one in log if one["what"] == "altered"} == ({200} if supplier == "s2s" else {401})
    charges = await shop.town.charges()
    assert len(charges) == len({end["esim"]["iccid"] for end in ends}) == 4
    assert [(await read(shop, order))["status"] for order in orders] == ["fulfilled"] * 4
    assert [await read(shop, order) for order in orders] == ends
    assert await shop.api.pool.fetchval("SELECT count(*) FROM ledger") == 4


async def test_old_ones_are_refused(shop):
    await hear(shop, age_seconds=90_000, retry_scale=0)
    orders = [await ordered(shop, supplier) for supplier in GOOD]
    for supplier in GOOD:
        log = await sent(shop, supplier, "genuine")
        assert {one["status"] for one in log} == {401}
    assert [(await read(shop, order))["status"] for order in orders] == ["pending", "pending"]
    assert await shop.api.pool.fetchval("SELECT count(*) FROM supplier_webhooks") == 0


async def test_a_storefront_hears_once_that_its_order_is_fulfilled_and_never_the_code(shop):
    await hear(shop, copies=2)
    stop = asyncio.Event()
    app = shop.api.client.app
    async with receiving() as receiver:
        made = await shop.api.post("/v1/webhook-endpoints", json={"url": receiver.url})
        secret = (await made.json())["secret"]
        worker = asyncio.create_task(deliver(app[state.SETTINGS], app[state.POOL], stop))
        order = await ordered(shop, "pikasim")
        end = await fulfilled(shop, order)
        await receiver.until(1)
        stop.set()
        await worker
    (event,) = receiver.verified(secret)
    assert event["type"] == "order.fulfilled"
    assert order["id"] in str(event["data"])
    assert end["esim"]["activation_code"] not in receiver.got[0][1].decode()
    assert end["esim"]["matching_id"] not in receiver.got[0][1].decode()
