"""``esim-gateway webhooks listen``: a storefront's events at a local receiver, signed as deliveries are."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from gateway.cli.operation_client import gateway_at
from gateway.cli.webhooks import forward_events
from gateway.webhooks.endpoints import new_secret
from schemas.errors import ConfigurationError
from schemas.notice import NoticeType
from tests.gateway.api.conftest import api, make_api
from tests.gateway.api.test_events import emit
from tests.kit.command_line import command_with, environment_with
from tests.kit.waiting import until

__all__ = ["api", "emit", "make_api"]


@asynccontextmanager
async def listening(api, url, secret):
    """The lines that are shown while events are forwarded."""
    lines: list[str] = []
    async with gateway_at(str(api.client.make_url("/")), api.key) as gateway:
        task = asyncio.create_task(forward_events(gateway, url, secret, lines.append))
        await until(lambda: lines or task.done())
        yield lines
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled(), task


async def test_events_from_now_on_arrive_once_in_order_and_verify_like_deliveries(api, emit, receiver):
    await emit("ord_before")
    secret = new_secret()
    receiver.answers = [500]
    async with listening(api, receiver.url, secret) as lines:
        first, second = await emit("ord_1"), await emit("ord_2", NoticeType.ORDER_FAILED)
        await receiver.until(2)
        third = await emit("ord_3")
        await receiver.until(3)
        await until(lambda: len(lines) == 4)
    listed = (await api.read("/v1/events"))["data"]
    assert receiver.verified(secret) == list(reversed(listed[:3]))
    assert receiver.ids == [first, second, third]
    assert [line.split()[:4] for line in lines[1:3]] == [
        ["order.fulfilled", first, "500", "in"],
        ["order.failed", second, "204", "in"],
    ]


async def test_a_receiver_that_is_not_there_is_said_and_the_next_event_is_sent(api, emit, receiver, unused_tcp_port):
    async with listening(api, f"http://127.0.0.1:{unused_tcp_port}/", new_secret()) as lines:
        await emit("ord_1")
        await until(lambda: len(lines) == 2)
        await emit("ord_2")
        await until(lambda: len(lines) == 3)
    assert all("no answer: " in line for line in lines[1:])


async def test_a_key_that_may_not_read_events_ends_it_at_once(api):
    catalog = api.with_key(await api.make_key("catalog"))
    async with gateway_at(str(api.client.make_url("/")), catalog.key) as gateway:
        with pytest.raises(ConfigurationError, match="scope storefront"):
            await forward_events(gateway, "http://127.0.0.1:9/", new_secret(), print)


async def test_without_a_gateway_to_ask_the_command_says_what_to_set():
    code, _, err = await command_with(environment_with())("webhooks", "listen", "--forward", "http://127.0.0.1:9/")
    assert (code, "GATEWAY_URL" in err) == (2, True)
