"""Traces: one order is one trace over API, worker and suppliers' calls; off, nothing of it is there."""

import asyncio
import subprocess
import sys

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from gateway.kit import tracing
from gateway.kit.otel import Otel
from providers.kit import transport
from schemas.errors import ConfigurationError
from tests.gateway.api.test_orders import GOOD
from tests.kit.waiting import until

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}


@pytest.fixture
def spans(monkeypatch):
    """What is traced from now on, as it would be sent."""
    exporter = InMemorySpanExporter()
    traced = Otel("serve", SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "active", traced)
    yield exporter
    traced.close()


@pytest.fixture
async def traced_shop(spans, shop):
    """A shop whose suppliers deliver a second later and tell nobody: a worker has to ask."""
    await shop.town.tell("pikasim", "till", {"delivery_seconds": 1})
    spans.clear()
    return shop


def spans_of(exporter):
    return [one for one in exporter.get_finished_spans() if f"{one.context.trace_id:032x}" == TRACE]


def is_whole(found):
    """Whether a supplier was asked, and every span stands in one that has ended, too, or in the caller's."""
    ids = {one.context.span_id for one in found} | {int(PARENT["traceparent"].split("-")[2], 16)}
    return "GET pikasim" in {one.name for one in found} and all(one.parent.span_id in ids for one in found)


async def test_an_order_is_one_trace_over_the_api_the_worker_and_the_calls_to_its_supplier(traced_shop, spans):
    shop = traced_shop
    headers = {"Idempotency-Key": "one", **PARENT}
    answer = await shop.api.post("/v1/orders", json={"plan_id": GOOD["pikasim"]}, headers=headers)
    order_id = (await answer.json())["id"]

    async def fulfilled():
        return await shop.api.pool.fetchval("SELECT status = 'fulfilled' FROM orders WHERE id = $1", order_id)

    await until(fulfilled)
    await until(lambda: is_whole(spans_of(spans)))
    found = spans_of(spans)
    by_id = {one.context.span_id: one for one in found}
    (request,) = [one for one in found if one.kind is SpanKind.SERVER]
    assert request.name == "POST /v1/orders"
    assert request.attributes["http.response.status_code"] == answer.status
    assert f"{request.parent.span_id:016x}" == "b7ad6b7169203331"
    (bought,) = [one for one in found if one.name == "POST pikasim"]
    assert by_id[bought.parent.span_id] is request
    assert (bought.kind, bought.attributes["http.response.status_code"]) == (SpanKind.CLIENT, 201)
    # Processed in another task, as a worker would: it knows the trace from the order alone.
    polled = [one for one in found if one.name == "GET pikasim"]
    assert polled
    for call in polled:
        processed = by_id[call.parent.span_id]
        assert (processed.name, processed.attributes["esim.order_id"]) == ("process order", order_id)
        assert by_id[processed.parent.span_id] is request


async def test_nothing_that_is_secret_or_personal_stands_in_a_span(traced_shop, spans):
    shop = traced_shop
    body = {"plan_id": GOOD["s2s"], "customer": {"email": "ana@example.com"}}
    order = await (await shop.order(body)).json()
    assert (await shop.api.get(f"/v1/esims/{order['esim']['iccid']}")).status == 200
    assert (await shop.api.get("/v1/nothing/" + order["esim"]["iccid"])).status == 404
    shown = "".join(one.to_json() for one in spans.get_finished_spans())
    assert "GET /v1/esims/{id}" in shown
    for secret in (order["esim"]["iccid"], order["esim"]["matching_id"], "ana@example.com", shop.api.key):
        assert secret not in shown


async def test_a_call_that_breaks_is_an_error_with_its_type_alone(traced_shop, spans):
    await traced_shop.town.trigger("pikasim", "reset", act="order", calls=1)
    await traced_shop.order({"plan_id": GOOD["pikasim"]}, wait=0)
    await until(lambda: [one for one in spans.get_finished_spans() if one.name == "POST pikasim"])
    (call,) = [one for one in spans.get_finished_spans() if one.name == "POST pikasim"]
    assert call.status.status_code is StatusCode.ERROR
    assert call.attributes["error.type"]
    assert call.events == ()


def test_without_a_collector_nothing_of_opentelemetry_is_imported():
    program = (
        "import sys\nfrom gateway import app, serving\nfrom gateway.worker import jobs\n"
        "from gateway.kit import tracing\n"
        "tracing.start('serve'); assert tracing.active is None\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env={})
    assert done.stdout == "[]\n"
    assert transport.TRACES == []


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "TRUE"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_the_standard_variables_say_whether_it_traces(environment, wanted):
    assert tracing.is_wanted(environment) is wanted


def test_a_missing_package_is_said_where_traces_are_wanted(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(tracing, "is_wanted", lambda: True)
    monkeypatch.setitem(sys.modules, "gateway.kit.otel", None)
    with pytest.raises(ConfigurationError, match=r"install esim-gateway\[otel\]"):
        tracing.start("serve")
    assert tracing.active is None


async def test_what_is_traced_is_sent_to_the_collector_that_the_environment_names(receiver, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url.removesuffix("/hook"))
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop-gateway")
    receiver.answers = [200]
    tracing.start("worker")
    try:
        with tracing.active.span("process order", PARENT["traceparent"], {"esim.order_id": "ord_1"}):
            pass
    finally:
        await asyncio.to_thread(tracing.stop)
    ((headers, body),) = receiver.got
    assert headers["Content-Type"] == "application/x-protobuf"
    for text in (b"shop-gateway", b"process order", b"ord_1", bytes.fromhex(TRACE)):
        assert text in body
    assert transport.TRACES == []
