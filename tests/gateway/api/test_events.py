"""The list of a storefront's events: what webhook endpoints get, whether or not there is one."""

import json

import msgspec
import pytest

from gateway.access.key_rows import create_key
from gateway.api import state
from gateway.webhooks.notify import emit_event
from schemas.api import Price
from schemas.events import AnyEvent, EventPage, OrderEventData
from schemas.notice import NoticeType
from tests.gateway.api.test_two_storefronts import PLAN
from tests.kit.answers import problem, read
from tests.kit.working import emit_events


def data_of(order_id, kind=NoticeType.ORDER_FULFILLED):
    return OrderEventData(
        order_id=order_id,
        kind="esim",
        status=kind.value.removeprefix("order."),
        reference=None,
        plan_id="jp-1gb-7d-5c2a9e0b71d4",
        price=Price("5.50", "USD"),
    )


@pytest.fixture
def emit(api, pool):
    """Write an event of a storefront; its id."""
    seal = api.client.app[state.DEPS].seal

    async def write(order_id="ord_1", kind=NoticeType.ORDER_FULFILLED, *, storefront="shop", mode="test"):
        owner = await pool.fetchval("SELECT id FROM storefronts WHERE name = $1", storefront)
        async with pool.acquire() as connection, connection.transaction():
            return await emit_event(
                connection, seal, storefront_id=owner, mode=mode, type=kind, data=data_of(order_id, kind)
            )

    return write


async def listed(api, query=""):
    return [event.id for event in (await api.read(f"/v1/events{query}", EventPage)).data]


async def test_what_an_order_tells_is_listed_without_an_endpoint_and_a_worker(shop):
    order = await read(await shop.order({"plan_id": PLAN, "reference": "ref-1"}), status=201)
    (event,) = (await shop.api.read("/v1/events", EventPage)).data
    (raw,) = (await shop.api.read("/v1/events"))["data"]
    assert (raw["type"], event.data.order_id, event.data.reference) == ("order.fulfilled", order["id"], "ref-1")
    assert (event.data.esim_id, event.data.iccid) == (order["esim"]["id"], order["esim"]["iccid"])
    assert order["esim"]["activation_code"] not in json.dumps(raw)
    assert raw["timestamp"] == order["fulfilled_at"]


async def test_an_event_is_listed_as_it_is_sent_and_once(api, pool, emit):
    await api.post("/v1/webhook-endpoints", json={"url": "https://shop.example.com/hook"})
    await emit()
    (before,) = (await api.read("/v1/events"))["data"]
    await emit_events(pool)
    (after,) = (await api.read("/v1/events"))["data"]
    body = await pool.fetchval(
        "SELECT e.body FROM webhook_deliveries d JOIN webhook_events e ON e.id = d.event_id WHERE e.id = $1",
        before["id"],
    )
    assert before == after == json.loads(api.client.app[state.DEPS].seal.open(body))


async def test_events_come_in_pages_the_newest_first(api, emit):
    written = [await emit(f"ord_{number}") for number in range(5)]
    assert await listed(api) == written[::-1]
    assert [event.id for event in await api.rows("/v1/events", 2, AnyEvent)] == written[::-1]


async def test_events_of_the_same_moment_are_each_on_one_page(api, pool, emit):
    written = {await emit(f"ord_{number}") for number in range(5)}
    await pool.execute("UPDATE webhook_events SET at = now()")
    found = [event.id for event in await api.rows("/v1/events", 2, AnyEvent)]
    assert (len(found), set(found)) == (5, written)


async def test_a_type_narrows_the_list_and_an_unknown_one_is_named_with_those_that_there_are(api, emit):
    failed = await emit(kind=NoticeType.ORDER_FAILED)
    await emit()
    assert await listed(api, "?type=order.failed") == [failed]
    assert await listed(api, "?type=topup.completed") == []
    refused = await problem(await api.get("/v1/events?type=order.bought"), 422, "invalid")
    assert refused["errors"][0]["pointer"] == "/type"


async def test_a_test_of_an_endpoint_is_no_event_of_the_storefront(api):
    endpoint = await (await api.post("/v1/webhook-endpoints", json={"url": "https://shop.example.com/hook"})).json()
    await read(await api.post(f"/v1/webhook-endpoints/{endpoint['id']}/test"), status=202)
    assert await listed(api) == []


async def test_events_of_the_last_30_days_are_listed(api, pool, emit):
    old, recent = await emit("ord_1"), await emit("ord_2")
    age = "UPDATE webhook_events SET at = now() - $2 * interval '1 hour' WHERE id = $1"
    await pool.execute(age, old, 30 * 24 + 1)
    await pool.execute(age, recent, 30 * 24 - 1)
    assert await listed(api) == [recent]


async def test_another_storefront_or_mode_sees_none_of_them_whatever_its_cursor(api, pool, emit):
    rival = await create_key(pool, storefront="rival", mode="test", scopes=["storefront", "ops"])
    live = await create_key(pool, storefront="shop", mode="live", scopes=["storefront"])
    await emit("ord_1")
    await emit("ord_2")
    theirs = await emit("ord_3", storefront="rival")
    in_live = await emit("ord_4", mode="live")
    cursor = (await api.read("/v1/events?limit=1"))["next_cursor"]
    for key, own in ((rival.key, theirs), (live.key, in_live)):
        assert await listed(api.with_key(key)) == [own]
        assert await listed(api.with_key(key), f"?cursor={cursor}") == []


async def test_an_event_from_before_bodies_had_an_id_is_listed_with_it(api, pool, emit):
    seal = api.client.app[state.DEPS].seal
    event_id = await emit()
    body = json.loads(seal.open(await pool.fetchval("SELECT body FROM webhook_events")))
    del body["id"]
    await pool.execute("UPDATE webhook_events SET body = $1", seal.seal(msgspec.json.encode(body)))
    assert await listed(api) == [event_id]
