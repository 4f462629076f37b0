"""Events at a storefront's endpoint: read into their types, and raised over when the gateway did not sign them."""

import asyncio
from datetime import UTC, datetime

import msgspec
import pytest

from esim_gateway_client import AsyncGateway, UnknownEvent, WebhookVerificationError, models, read_webhook
from gateway.api import state
from gateway.api.examples import example_of
from gateway.webhooks.deliver import deliver, signed
from schemas.events import EVENTS
from tests.clients.conftest import PLAN
from tests.kit.working import emit_events

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


AT = datetime(2026, 11, 20, 10, tzinfo=UTC)


def sent(body, *secrets):
    """The headers of a webhook as the gateway signs it."""
    return signed("evt_1", body, secrets or [SECRET], AT)


def read(body, headers, *, later=0, **more):
    """The event, read so many seconds after it was sent."""
    return read_webhook(body, headers, SECRET, now=AT.timestamp() + later, **more)


def body_of(name):
    return msgspec.json.encode(example_of(EVENTS[name], {}))


@pytest.mark.parametrize("name", EVENTS)
def test_each_event_is_read_into_its_type(name):
    body = body_of(name)
    event = read(body, sent(body))
    assert type(event) is models.EVENT_TYPES[name]
    assert type(event).__name__ == EVENTS[name].__name__
    assert event.type == name


async def test_an_order_s_event_is_delivered_and_read(make_api, suppliers, receiver):
    api = await make_api(synced=True, suppliers=suppliers.accounts(), webhooks={"allow_private": ["127.0.0.0/8"]})
    stop = asyncio.Event()
    async with AsyncGateway(str(api.client.make_url("")), await api.make_key("storefront")) as gateway:
        endpoint = await gateway.webhook_endpoints.create(url=receiver.url, events=["order.fulfilled"])
        order = await gateway.orders.create(plan_id=PLAN, wait=30)
        await emit_events(api.pool)
        worker = asyncio.create_task(deliver(api.client.app[state.SETTINGS], api.pool, stop))
        ((headers, body),) = await receiver.until(1)
        stop.set()
        await worker
        listed = [each async for each in gateway.events.list(type="order.fulfilled")]
    event = read_webhook(body, headers, endpoint.secret)
    assert isinstance(event, models.OrderFulfilledEvent)
    assert (event.data.order_id, event.data.price) == (order.id, order.price)
    assert event.id == headers["webhook-id"]
    assert event in listed


def test_an_event_of_a_type_that_is_not_known_yet_is_read_all_the_same():
    body = b'{"type": "order.lost", "id": "evt_1", "timestamp": "2026-11-20T10:00:00Z", "data": {"order_id": "ord_1"}}'
    event = read(body, sent(body))
    assert isinstance(event, UnknownEvent)
    assert (event.type, event.data) == ("order.lost", {"order_id": "ord_1"})


def test_one_of_two_signatures_is_enough():
    body = body_of("order.fulfilled")
    assert read(body, sent(body, OTHER, SECRET))


def test_names_of_headers_are_read_in_any_case():
    body = body_of("order.fulfilled")
    assert read(body, {name.title(): value for name, value in sent(body).items()})


BODY = body_of("order.fulfilled")


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (BODY, sent(BODY, OTHER)),
        (BODY.replace(b"fulfilled", b"cancelled"), sent(BODY)),
        (BODY, sent(BODY) | {"webhook-id": "evt_2"}),
        (BODY, sent(BODY) | {"webhook-timestamp": str(int(AT.timestamp()) + 1)}),
        (BODY, sent(BODY) | {"webhook-timestamp": "now"}),
        (BODY, sent(BODY) | {"webhook-signature": ""}),
        (BODY, sent(BODY) | {"webhook-signature": "v1,\udcff"}),
        (BODY, {name: value for name, value in sent(BODY).items() if name != "webhook-signature"}),
        (BODY, {}),
        (b"{}", sent(b"{}")),
        (b"[]", sent(b"[]")),
        (b'{"type": []}', sent(b'{"type": []}')),
        (b"no JSON", sent(b"no JSON")),
    ],
)
def test_a_forged_or_unreadable_webhook_raises(body, headers):
    with pytest.raises(WebhookVerificationError):
        read(body, headers)


@pytest.mark.parametrize("late", [-300, 300])
def test_a_webhook_of_another_time_raises(late):
    assert read(BODY, sent(BODY), later=late)
    with pytest.raises(WebhookVerificationError, match="old"):
        read(BODY, sent(BODY), later=late * 1.01)
    assert read(BODY, sent(BODY), later=late * 1.01, tolerance_seconds=3600)


@pytest.mark.parametrize("secret", ["", "whsec_", "no secret"])
def test_a_secret_that_is_none_is_refused(secret):
    with pytest.raises(ValueError, match="secret"):
        read_webhook(BODY, sent(BODY), secret)
