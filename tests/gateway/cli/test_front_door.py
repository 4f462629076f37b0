"""``serve`` among clients that do not finish what they begin."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import aiohttp

from benchmarks.processes import free_port
from tests.gateway.cli.test_serve import serve, shop, until
from tests.kit.command_line import environment_of
from tests.kit.raw_client import RawClient

__all__ = ["shop"]

SLOW_CLIENTS = 260
DESCRIPTORS = 200


def unfinished(key: str) -> bytes:
    return (
        f"POST /v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nIdempotency-Key: k\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    ).encode()


async def status_of(port: int, path: str, key: str) -> int:
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}", headers=headers) as got,
    ):
        await got.read()
        return got.status


async def test_slow_bodies_from_many_addresses_leave_descriptors_for_others(shop, tmp_path):
    settings, key = shop
    port = free_port()
    env = environment_of(settings, GATEWAY_METRICS__PORT="0")
    prefix = ("prlimit", f"--nofile={DESCRIPTORS}")
    with serve(tmp_path, env, "--port", str(port), prefix=prefix) as process:
        await until(lambda: status_of(port, "/readyz", key))
        async with AsyncExitStack() as stack:
            for number in range(SLOW_CLIENTS):
                local = f"127.0.0.{2 + number % 20}"
                client = await stack.enter_async_context(RawClient.to("127.0.0.1", port, local))
                await client.send(unfinished(key))
            for _ in range(20):
                assert await status_of(port, "/livez", key) == 200
                assert await status_of(port, "/v1/plans", key) == 200
            process.terminate()
            assert await asyncio.to_thread(process.wait, 60) == 0
    log = (tmp_path / "serve.log").read_text()
    assert '"level":"error"' not in log
    assert '"level":"warning"' not in log


async def test_a_request_that_never_ends_does_not_hold_up_the_end(shop, tmp_path):
    settings, key = shop
    port = free_port()
    with serve(tmp_path, environment_of(settings, GATEWAY_METRICS__PORT="0"), "--port", str(port)) as process:
        await until(lambda: status_of(port, "/readyz", key))
        async with AsyncExitStack() as stack:
            head, body, idle = [await stack.enter_async_context(RawClient.to("127.0.0.1", port)) for _ in range(3)]
            await head.send(b"GET /livez HTTP/1.1\r\nHo")
            await body.send(unfinished(key))
            await idle.send(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await idle.answer()).status == 200
            process.terminate()
            assert [(await client.answer()).status for client in (head, body)] == [408, 408]
            assert [await client.closed() for client in (head, body, idle)] == [True] * 3
            assert await asyncio.to_thread(process.wait, 45) == 0  # it took a minute
    assert "did not end" not in (tmp_path / "serve.log").read_text()
