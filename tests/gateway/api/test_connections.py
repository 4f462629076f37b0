"""Requests that do not arrive, that arrive compressed or broken, and clients that go away."""

from __future__ import annotations

import asyncio
import gzip
from contextlib import AsyncExitStack

import orjson
import pytest
from structlog.testing import capture_logs

from gateway.api import state
from gateway.api.gate import GATE
from tests.kit.raw_client import RawClient
from tests.kit.waiting import until

HOLD = 3600.0


def door_of(api):
    return api.client.server.door_runner.door


@pytest.fixture
async def clients(api):
    """Opens connections to the API, all closed at the end."""
    async with AsyncExitStack() as stack:

        async def open_client() -> RawClient:
            return await stack.enter_async_context(RawClient.to(api.client.server.host, api.client.server.port))

        yield open_client


def unfinished_order(api, sent: bytes = b'{"plan') -> bytes:
    return (
        f"POST /v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.key}\r\nIdempotency-Key: k\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    ).encode() + sent


@pytest.mark.parametrize("part", ["head", "body", "body of a route that reads none", "pipelined head"])
async def test_a_request_that_does_not_arrive_is_answered_408_and_closed(api, clients, part):
    door_of(api).arrival_seconds = 0.5
    client = await clients()
    if part == "head":
        await client.send(b"GET /livez HTTP/1.1\r\nHos")
    elif part == "pipelined head":
        await client.send(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await client.answer()).status == 200
        await client.send(b"GET /li")
    elif part == "body":
        await client.send(unfinished_order(api))
    else:
        await client.send(b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1")
        assert (await client.answer()).status == 405
        assert await client.closed()
        return
    answer = await client.answer()
    assert (answer.status, answer.json["code"]) == (408, "request_timeout")
    assert await client.closed()
    assert not door_of(api).unfinished


async def test_a_slow_request_that_arrives_in_time_is_answered(api, clients):
    client = await clients()
    for piece in (b"GET /livez HT", b"TP/1.1\r\nHost: x\r", b"\n\r\n"):
        await client.send(piece)
        await asyncio.sleep(0.05)
    assert (await client.answer()).status == 200
    assert not door_of(api).unfinished
    await client.send(b"POST /v1/quotes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + api.key.encode())
    await client.send(b"\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n")
    await until(lambda: len(door_of(api).unfinished) == 1)
    await client.send(b'{"countries":["JP"]}')
    assert (await client.answer()).status == 201
    assert not door_of(api).unfinished


async def test_the_oldest_unfinished_request_of_an_address_makes_room(api, clients):
    door_of(api).arrival_seconds = HOLD
    held = [await clients() for _ in range(33)]
    for number, client in enumerate(held[:32]):
        await client.send(unfinished_order(api) if number % 2 else b"GET / HT")
        await until(lambda number=number: len(door_of(api).unfinished) == number + 1)
    await held[32].send(b"GET / HT")
    assert (await held[0].answer()).status == 408
    assert await held[0].closed()
    assert len(door_of(api).unfinished) == 32
    assert not any(client.has_answer for client in held[1:])
    assert (await api.get("/v1/plans")).status == 200


async def test_a_trusted_proxy_speaks_for_many_addresses(make_api):
    api = await make_api(trusted_proxies=["127.0.0.1/32"], connections={"unfinished_per_address": 2})
    api = api.with_key(await api.make_key())
    door = door_of(api)
    door.arrival_seconds = HOLD
    async with AsyncExitStack() as stack:
        held = [
            await stack.enter_async_context(RawClient.to(api.client.server.host, api.client.server.port))
            for _ in range(8)
        ]
        names = [b"2001:db8::1", b"2001:db8::2", b"192.0.2.1", None, None, None, b"192.0.2.1", b"2001:db8::3"]
        for number, (client, name) in enumerate(zip(held, names, strict=True)):
            body = unfinished_order(api).replace(b"Host: x", b"Host: x\r\nX-Forwarded-For: " + (name or b""))
            await client.send(body if name else b"GET / HT")
            await until(lambda number=number: len(door.unfinished) == min(number + 1, 7))
        assert (await held[0].answer()).status == 408  # the third of its /64 is one too many
        assert not any(client.has_answer for client in held[1:])


async def test_all_addresses_together_have_a_share_of_the_descriptors(api, clients):
    door = door_of(api)
    door.arrival_seconds, door._most = HOLD, 3
    held = [await clients() for _ in range(4)]
    for number, client in enumerate(held):
        await client.send(b"GET / HT")
        await until(lambda number=number: len(door.unfinished) == min(number + 1, 3))
    assert (await held[0].answer()).status == 408
    assert not any(client.has_answer for client in held[1:])


async def test_idle_connections_make_room_for_new_ones(api, clients):
    door_of(api)._most = 2
    held = [await clients() for _ in range(6)]
    await held[-1].send(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await held[-1].answer()).status == 200
    assert await held[0].closed()


async def test_a_connection_whose_questions_are_all_answered_at_once_ends_when_it_is_idle(api, clients, monkeypatch):
    assert (await api.get("/v1/plans")).status == 200  # the key is known

    async def no_router(_request):
        raise AssertionError("it was routed")

    monkeypatch.setattr(api.client.app.router, "resolve", no_router)
    monkeypatch.setitem(door_of(api)._kwargs, "keepalive_timeout", 1.0)
    client = await clients()
    for number in range(3):
        await client.send(
            f"GET /v1/plans?limit={number + 1} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.key}\r\n\r\n".encode()
        )
        answer = await client.answer()
        assert (answer.status, len(answer.json["data"])) == (200, number + 1)
    assert await client.closed()


async def test_a_client_that_goes_away_is_no_fault_of_the_database(api, clients):
    with capture_logs() as logs:
        for path in ("/v1/orders", "/webhooks/nobody", "/console/login"):
            client = await clients()
            await client.send(unfinished_order(api).replace(b"/v1/orders", path.encode()))
            await until(lambda: len(door_of(api).unfinished) == 1)
            await until(lambda: api.client.app[GATE].running == 1)
            await client.reset()
            await until(lambda: api.client.app[GATE].running == 0)
            assert not door_of(api).unfinished
    assert not [line for line in logs if line["log_level"] in {"warning", "error"}]
    api.client.app[state.ACCESS_LOG].flush()
    lines = [orjson.loads(line) for line in b"".join(api.lines).splitlines()]
    assert [line["status"] for line in lines] == [499] * 3


PACKED = gzip.compress(b'{"countries": ["JP"]}', mtime=0)


@pytest.mark.parametrize("path", ["/v1/quotes", "/webhooks/pika", "/v1/nowhere", "/console/login", "/v1/plans"])
@pytest.mark.parametrize("body", [PACKED, b"garbage"], ids=["packed", "garbage"])
async def test_a_compressed_body_is_refused_before_anything_else(api, path, body):
    for encoding in ("gzip", "deflate", "br", "zstd", "GZIP", "gzip, identity", "made-up"):
        headers = {"Content-Encoding": encoding, "Content-Type": "application/json"}
        answer = await api.with_key("").post(path, data=body, headers=headers)
        assert answer.status == 415
        assert (await answer.json())["code"] == "unsupported_media_type"
        assert answer.headers["X-Request-Id"]


async def test_a_compressed_body_in_chunks_is_refused_without_its_end(api, clients):
    client = await clients()
    head = b"POST /v1/quotes HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"
    await client.send(head + b"Expect: 100-continue\r\n\r\n" + b"%x\r\n" % len(PACKED) + PACKED + b"\r\n")
    assert (await client.answer()).status == 415
    assert await client.closed()


async def test_identity_is_no_compression(api, clients):
    client = await clients()
    head = unfinished_order(api, b"").replace(
        b"Content-Length", b"Expect: 100-continue\r\nContent-Encoding: identity\r\nX"
    )
    await client.send(head)
    assert (await client.answer()).status == 100
    headers = {"Content-Encoding": "identity"}
    assert (await api.post("/v1/quotes", json={"countries": ["JP"]}, headers=headers)).status == 201
    assert (await api.get("/v1/plans", headers=headers)).status == 200


async def test_a_body_with_broken_chunks_is_answered_400(api, clients):
    client = await clients()
    head = unfinished_order(api, b"").replace(b"Content-Length: 1000", b"Transfer-Encoding: chunked")
    await client.send(head + b'4\r\n{"pl\r\n')
    await until(lambda: api.client.app[GATE].running == 1)
    await client.send(b"no length\r\n")
    answer = await client.answer()
    assert (answer.status, answer.json["code"]) == (400, "malformed")
    assert await client.closed()


@pytest.mark.parametrize(("depth", "status"), [(31, 422), (32, 400), (1000, 400), (10_000, 400)])
async def test_deeply_nested_json_is_malformed(api, depth, status):
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        body = '{"countries":' + opening * depth + "1" + closing * depth + "}"
        answer = await api.post("/v1/quotes", data=body, headers={"Content-Type": "application/json"})
        assert answer.status == status
