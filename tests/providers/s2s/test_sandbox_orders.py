"""The sandbox's orders, eSIMs and money are as the page describes them, and so are its webhooks.

Signatures are vectors made with ``printf %s MESSAGE | openssl dgst -sha256 -hmac SECRET``.
"""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import msgspec
import pytest
from aiohttp import web

from providers.s2s import MANIFEST, wire
from providers.s2s.sandbox import routes
from providers.simulator import SandboxWorld, WebhookPlan
from providers.simulator import account as sandbox_account
from schemas.event import SupplierEventType
from schemas.order import SupplierOrderState
from tests.providers.account import SECONDS
from tests.providers.s2s.examples import example
from tests.providers.s2s.market import account

SECRET = "partner-secret-of-the-tests"
TOKEN = {"Authorization": "Bearer t"}
NOW = 1768478058
SKU = "019bc0dd-8562-7173-afd9-a5cc534fafb7"
TOPUP_SKU = "029bc0dd-8562-7173-afd9-a5cc534fafb8"
SIGNATURE = "c63dfeb646ce1412f9186b46ac1288363e73abeebef634b33656d2b2031f588b"
ICCID = "8944422711108338982"
TOPUP_SIGNATURE = "7ba51950c4a18313a0350c71e7c9d0cf3bdd7eaf7a57fe42f4216379aca14537"
SIGNED = {"X-Timestamp": str(NOW), "X-Signature": SIGNATURE}
ORDER = {"external_id": "ORD-12345", "item": {"sku_id": SKU, "fields": {"quantity": 1}}}


@pytest.fixture
def world():
    return SandboxWorld(["s2s"])


@pytest.fixture
async def api(world, aiohttp_client, monkeypatch):
    """The supplier at the moment of the page's example."""
    monkeypatch.setattr(sandbox_account, "time", SimpleNamespace(time=lambda: float(NOW)))
    client = await aiohttp_client(MANIFEST.sandbox(world, {"token": "t", "partner_secret": SECRET}))
    world.simulator("s2s").delivery_seconds = 0

    async def call(method, path, expected=200, headers=SIGNED, json=None, **query):
        response = await client.request(method, path, params=query, headers=TOKEN | headers, json=json)
        assert response.status == expected, await response.text()
        return msgspec.json.decode(await response.read())

    return call


def keys(value):
    """The shape of a JSON value: its keys, all the way down, but for goods, whose keys no page states."""
    if isinstance(value, dict):
        return {name: None if name == "delivery_data" else keys(inner) for name, inner in value.items()}
    return [keys(inner) for inner in value[:1]] if isinstance(value, list) else None


def page(name):
    return keys(msgspec.json.decode(example(name)))


async def test_the_page_s_order_buys_and_is_answered_in_the_page_s_shape(api, world):
    bought = await api("POST", "/orders", 201, json=ORDER)
    assert keys(bought) == page("order_created")
    assert bought["message"] == "Order created successfully"
    (sale,) = world.simulator("s2s").sales()
    assert (sale.reference, sale.id) == ("ORD-12345", bought["data"]["id"])
    assert keys(await api("GET", f"/orders/{sale.id}")) == page("order")
    assert keys(await api("GET", "/orders")) == page("orders")


async def test_the_page_s_top_up_and_status_have_the_page_s_shape(api, world):
    signed = {
        "X-Timestamp": str(NOW),
        "X-Signature": "7ba51950c4a18313a0350c71e7c9d0cf3bdd7eaf7a57fe42f4216379aca14537",
    }
    topup = await api("POST", "/services/esim/8944422711108338982/topup", 201, signed, {"external_id": "topup-12345"})
    shape = page("topup_created")
    assert keys(topup) == shape
    assert topup["data"]["items"][0]["customer_data"] == {"iccid": "8944422711108338982", "quantity": 1}
    assert topup["data"]["items"][0]["delivery_data"][0]["status"] == "recharged"
    assert topup["data"]["items"][0]["sku_id"] == TOPUP_SKU  # without sku_uuid the same as bought
    await api("POST", f"/_sandbox/esims/{ICCID}", json={"used_mb": 1})
    assert keys(await api("GET", f"/services/esim/{ICCID}/status")) == page("esim_status")


async def test_the_history_has_the_page_s_shape(api):
    await api("POST", "/orders", 201, json=ORDER)
    history = await api("GET", "/balance/history")
    assert keys(history) == page("balance_history")
    assert [move["type"] for move in history["data"]] == ["charge", "topup"]
    assert history["data"][0]["balance_after"] == (await api("GET", "/balance"))["data"]["balance"]
    assert keys(await api("GET", "/balance")) == page("balance")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Timestamp": str(NOW)},
        {"X-Signature": SIGNATURE},
        {"X-Timestamp": str(NOW + 1), "X-Signature": SIGNATURE},
        {"X-Timestamp": str(NOW), "X-Signature": SIGNATURE[::-1]},
        {"X-Timestamp": "now", "X-Signature": SIGNATURE},
    ],
)
async def test_without_a_fitting_signature_nothing_is_sold(api, world, headers):
    assert (await api("POST", "/orders", 401, headers, ORDER))["success"] is False
    assert world.simulator("s2s").sales() == []


@pytest.mark.parametrize(("late", "status"), [(300, 201), (-300, 201), (301, 401), (-301, 401)])
async def test_a_timestamp_holds_for_five_minutes_either_way(api, monkeypatch, late, status):
    monkeypatch.setattr(sandbox_account, "time", SimpleNamespace(time=lambda: float(NOW + late)))
    await api("POST", "/orders", status, json=ORDER)


async def test_an_external_id_is_sold_once(api, world):
    await api("POST", "/orders", 201, json=ORDER)
    assert "external_id" in (await api("POST", "/orders", 422, json=ORDER))["message"]
    assert len(world.simulator("s2s").sales()) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({**ORDER, "item": {"sku_id": SKU, "fields": {"quantity": 2}}}, 422),
        ({**ORDER, "external_id": ""}, 422),
        ({"external_id": "ORD-12345"}, 422),
        ([], 422),
    ],
)
async def test_a_body_that_the_page_does_not_allow_is_refused(api, world, body, status):
    assert (await api("POST", "/orders", status, json=body))["success"] is False
    assert world.simulator("s2s").sales() == []


async def test_money_that_is_not_there_is_refused(api, world):
    simulator = world.simulator("s2s")
    simulator.deposit(-simulator.balance - simulator.credit)
    assert (await api("POST", "/orders", 422, json=ORDER))["message"] == "Insufficient balance"
    simulator.deposit(routes.OVERDRAFT)
    await api("POST", "/orders", 201, json=ORDER)
    assert (await api("GET", "/balance"))["data"]["is_overdrafted"] is True


async def test_metadata_comes_back(api):
    await api("POST", "/orders", 201, json={**ORDER, "metadata": {"mine": 1}})
    assert (await api("GET", "/orders"))["data"][0]["metadata"] == {"mine": 1}


async def test_an_order_is_created_then_processing_then_completed(api, world):
    world.simulator("s2s").delivery_seconds = None
    order = (await api("POST", "/orders", 201, json=ORDER))["data"]
    assert (order["status"], order["items"][0]["delivery_data"]) in [("created", None), ("created", [])]
    assert (await api("GET", f"/orders/{order['id']}"))["data"]["status"] == "processing"
    world.simulator("s2s").delivery_looks = 2
    assert (await api("GET", f"/orders/{order['id']}"))["data"]["status"] == "completed"


async def test_orders_can_be_filtered_by_status_and_time(api, world):
    await api("POST", "/orders", 201, json=ORDER)
    (sale,) = world.simulator("s2s").sales()
    later = (sale.created_at + timedelta(seconds=5)).isoformat()
    for query, count in [
        ({"status": "completed"}, 1),
        ({"status": "failed"}, 0),
        ({"date_from": later}, 0),
        ({"date_to": later}, 1),
        ({"date_from": "2026-01-01T00:00:00"}, 1),
        ({"external_id": "ORD-1"}, 1),
        ({"external_id": "ORD-2"}, 0),
    ]:
        assert len((await api("GET", "/orders", **query))["data"]) == count, query
    for query in ({"status": "gone"}, {"date_from": "soon"}, {"per_page": "101"}, {"cursor": "???"}):
        await api("GET", "/orders", 422, **query)


async def test_cursors_lead_through_a_history_that_grows_meanwhile(api, world):
    for amount in range(5):
        world.simulator("s2s").deposit(amount)
    seen, cursor = [], {}
    while True:
        body = await api("GET", "/balance/history", per_page="2", **cursor)
        seen += [move["amount"] for move in body["data"]]
        world.simulator("s2s").deposit(100)
        if body["meta"]["next_cursor"] is None:
            break
        cursor = {"cursor": body["meta"]["next_cursor"]}
    assert seen == [4, 3, 2, 1, 0, 10_000]


# --- webhooks -----------------------------------------------------------------------------------------------


def test_a_webhook_is_signed_over_time_event_and_key():
    rules = routes.RULES.webhooks
    body = {"event": "order.status_changed", "idempotency_key": "550e8400-e29b-41d4-a716-446655440000"}
    assert rules.sign(SECRET, body, b"{}", datetime.fromtimestamp(NOW, UTC)) == {
        "X-Timestamp": "1768478058",
        "X-Signature": "10b6fb9e87fc096e19e00183d6364b2c5b8f46aacb4737523d52def99720bbd0",
    }
    assert rules.retries == (10, 100)


class Receiver:
    """Takes webhooks in; the first ``refused`` of them are answered with 500."""

    def __init__(self, refused=0):
        self.refused = refused
        self.taken = []
        self.news = asyncio.Event()

    async def take(self, request):
        self.taken.append((dict(request.headers), await request.read()))
        self.news.set()
        return web.Response(status=500 if len(self.taken) <= self.refused else 204)

    async def wait_for(self, count):
        async with asyncio.timeout(SECONDS):
            while len(self.taken) < count:
                self.news.clear()
                await self.news.wait()
        return self.taken


@asynccontextmanager
async def listening(aiohttp_server, here, refused=0, **plan):
    receiver = Receiver(refused)
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    server = await aiohttp_server(app)
    here.simulator.webhooks.plan = WebhookPlan(url=str(server.make_url("/hook")), **plan)
    yield receiver


@pytest.fixture
async def here():
    async with account(delivery_seconds=0.05) as opened:
        yield opened


def verdicts(here, taken):
    now = datetime.now(UTC)
    return [here.provider.verify_webhook(headers, body, now) for headers, body in taken]


async def test_a_delivered_order_is_announced_and_points_at_the_attempt(aiohttp_server, here):
    async with listening(aiohttp_server, here) as receiver:
        request = here.request()
        order = await here.provider.purchase(request)
        ((headers, body),) = await receiver.wait_for(1)
    assert keys(msgspec.json.decode(body)) == page("webhook")
    assert here.provider.verify_webhook(headers, body, datetime.now(UTC))
    (event,) = here.provider.parse_webhook(headers, body)
    assert (event.type, event.supplier_order_id, event.reference) == (
        SupplierEventType.ORDER_CHANGED,
        order.supplier_order_id,
        request.reference,
    )


@pytest.mark.parametrize(
    ("trigger", "status"),
    [("failed_after_processing", "failed"), ("partially_completed", "partially_completed")],
)
async def test_orders_that_end_otherwise_are_announced_too(aiohttp_server, here, trigger, status):
    async with listening(aiohttp_server, here) as receiver:
        here.trigger(trigger)
        await here.provider.purchase(here.request())
        ((_, body),) = await receiver.wait_for(1)
    assert msgspec.json.decode(body, type=wire.Webhook).data.order.status == status


async def test_a_cancelled_order_is_not_announced(aiohttp_server, here):
    async with listening(aiohttp_server, here) as receiver:
        here.trigger("cancelled_after_processing")
        request = here.request()
        await here.provider.purchase(request)
        assert (await here.ended(request)).state is SupplierOrderState.CANCELLED
        await here.provider.purchase(here.request())
        ((_, body),) = await receiver.wait_for(1)
    assert msgspec.json.decode(body, type=wire.Webhook).data.order.status == "completed"


async def test_a_webhook_that_is_not_taken_comes_up_to_three_times_under_one_key(aiohttp_server, here):
    async with listening(aiohttp_server, here, refused=9, retry_scale=0.001) as receiver:
        await here.provider.purchase(here.request())
        taken = list(await receiver.wait_for(3))
        await here.provider.purchase(here.request())
        await receiver.wait_for(4)
    assert all(verdicts(here, taken))
    assert len({here.provider.parse_webhook(headers, body)[0].dedupe_key for headers, body in taken}) == 1
    first, other = receiver.taken[0], receiver.taken[3]
    assert here.provider.parse_webhook(*first)[0].dedupe_key != here.provider.parse_webhook(*other)[0].dedupe_key


async def test_duplicates_are_one_event(aiohttp_server, here):
    async with listening(aiohttp_server, here, copies=3) as receiver:
        await here.provider.purchase(here.request())
        taken = await receiver.wait_for(3)
    assert len({here.provider.parse_webhook(headers, body)[0].dedupe_key for headers, body in taken}) == 1


async def test_a_forged_webhook_does_not_verify(aiohttp_server, here):
    async with listening(aiohttp_server, here, forged=True) as receiver:
        await here.provider.purchase(here.request())
        taken = await receiver.wait_for(2)
    assert verdicts(here, taken) == [False, True]


async def test_an_old_webhook_does_not_verify(aiohttp_server, here):
    async with listening(aiohttp_server, here, age_seconds=600) as receiver:
        await here.provider.purchase(here.request())
        taken = await receiver.wait_for(1)
    assert verdicts(here, taken) == [False]


async def test_altered_data_verifies_and_changes_nothing_that_is_read(aiohttp_server, here):
    async with listening(aiohttp_server, here, altered=True) as receiver:
        request = here.request()
        order = await here.provider.purchase(request)
        altered, genuine = await receiver.wait_for(2)
    assert altered[1] != genuine[1]
    assert verdicts(here, [altered, genuine]) == [True, True]
    assert here.provider.parse_webhook(*altered) == here.provider.parse_webhook(*genuine)
    (event,) = here.provider.parse_webhook(*altered)
    found = await here.provider.find_order(request, event.supplier_order_id)
    assert (found.state, found.charged) == (SupplierOrderState.COMPLETED, order.charged)
