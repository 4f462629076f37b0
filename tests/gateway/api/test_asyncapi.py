"""The events as AsyncAPI: the same as the webhooks of the OpenAPI document, and what is really sent."""

import jsonschema
import msgspec
import orjson
import pytest

from gateway.api import state
from gateway.app import make_app
from gateway.kit.settings import load
from schemas.events import EVENTS
from schemas.notice import TEST, NoticeType
from tests.gateway.api.test_two_storefronts import PLAN, owned
from tests.kit.answers import read
from tests.kit.working import emit_events

__all__ = ["owned"]  # the fixture


@pytest.fixture(scope="module")
def documents():
    return {path: orjson.loads(made.plain) for path, made in make_app(load())[state.DOCUMENTS].items()}


@pytest.fixture(scope="module")
def document(documents):
    return documents["/asyncapi.json"]


def resolved(document, ref):
    part = document
    for word in ref.removeprefix("#/").split("/"):
        part = part[word]
    return part


def test_every_event_that_an_endpoint_can_ask_for_has_a_type():
    assert set(EVENTS) == {*NoticeType, TEST}


def test_each_event_is_a_message_that_the_gateway_sends(document):
    assert document["asyncapi"].startswith("3.")
    (channel,) = document["channels"].values()
    sent = [operation for operation in document["operations"].values() if operation["action"] == "send"]
    assert len(sent) == len(channel["messages"]) == len(EVENTS)
    messages = [resolved(document, part["messages"][0]["$ref"]) for part in sent]
    assert {resolved(document, message["$ref"])["name"] for message in messages} == set(EVENTS)


def test_the_example_of_each_message_is_what_its_payload_says(document):
    for message in document["components"]["messages"].values():
        (example,) = message["examples"]
        jsonschema.validate(example["payload"], {**message["payload"], "components": document["components"]})
        jsonschema.validate(example["headers"], message["headers"])
        assert example["payload"]["type"] == message["name"]


def test_its_events_are_the_webhooks_of_the_api(documents, document):
    api = documents["/openapi.json"]
    for message in document["components"]["messages"].values():
        hook = api["webhooks"][message["name"]]["post"]
        assert hook["requestBody"]["content"]["application/json"]["schema"] == message["payload"]
        assert (hook["summary"], hook["description"]) == (message["summary"], message["description"])
    schemas = document["components"]["schemas"]
    assert schemas == {name: api["components"]["schemas"][name] for name in schemas}


def test_every_message_and_property_has_a_description(document):
    assert [name for name, each in document["components"]["messages"].items() if not each["description"]] == []
    properties = [
        (title, field, part)
        for title, schema in document["components"]["schemas"].items()
        for field, part in schema.get("properties", {}).items()
    ]
    assert [(title, field) for title, field, part in properties if not part["description"]] == []


@pytest.mark.parametrize("secret", ["activation_code", "matching_id", "confirmation_code", "qr_code", "email", "pin"])
def test_no_event_has_a_field_for_a_secret(document, secret):
    schemas = document["components"]["schemas"]
    assert [title for title, schema in schemas.items() if secret in schema.get("properties", {})] == []


async def test_what_is_sent_is_what_the_document_says(owned, document):
    """The events of real orders, one that is topped up and one that is cancelled, and a test of the endpoint."""
    api, has = owned
    wait = {"Prefer": "wait=30"}
    headers = {"Idempotency-Key": "to be cancelled", **wait}
    order = await read(await api.post("/v1/orders", json={"plan_id": PLAN}, headers=headers), status=201)
    await api.post(f"/v1/orders/{order['id']}/cancel")
    assert (await read(await api.get(f"/v1/orders/{order['id']}", headers=wait)))["status"] == "cancelled"
    topup = f"/v1/esims/{has.esim['id']}/topups"
    await read(await api.post(topup, json={"plan_id": PLAN}, headers={"Idempotency-Key": "topup", **wait}), status=201)
    await read(await api.post(f"/v1/webhook-endpoints/{has.endpoint['id']}/test"), status=202)
    await emit_events(api.pool)
    seal = api.client.app[state.DEPS].seal
    rows = await api.pool.fetch("SELECT type, body FROM webhook_events")
    sent = [(row["type"], seal.open(row["body"])) for row in rows]
    assert {"order.fulfilled", "order.cancelled", "topup.completed", "endpoint.test"} <= {kind for kind, _ in sent}
    payloads = {each["name"]: each["payload"] for each in document["components"]["messages"].values()}
    for kind, body in sent:
        jsonschema.validate(orjson.loads(body), {**payloads[kind], "components": document["components"]})
        # Nothing is sent beside what the type has, and nothing else than the type would write.
        assert msgspec.json.encode(msgspec.json.decode(body, type=EVENTS[kind])) == body
