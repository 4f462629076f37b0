"""``serve`` as processes: workers on one socket, figures added up, an end without loss."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest

from benchmarks.processes import free_port
from gateway.access.key_rows import create_key
from gateway.catalog.publish import publish
from gateway.kit.pool import open_pool
from gateway.migrations import upgrade
from gateway.runtime import supervisor
from tests.kit.command_line import environment_of
from tests.kit.made_up_market import Item, offer
from tests.kit.scraped import declared, samples
from tests.kit.shelf import settings_for, stock
from tests.kit.waiting import PATIENCE


@contextmanager
def serve(folder: Path, env: dict[str, str], *options: str, prefix: tuple[str, ...] = ()):
    """A running ``serve``, killed when the test fails to end it. ``prefix`` is a command that runs it."""
    with running(folder, env, "serve", *options, prefix=prefix) as process:
        yield process


@contextmanager
def running(folder: Path, env: dict[str, str], command: str, *options: str, prefix: tuple[str, ...] = ()):
    """A running command of the gateway, killed when the test fails to end it."""
    log = (folder / f"{command}.log").open("wb")
    process = subprocess.Popen(
        [*prefix, sys.executable, "-m", "gateway", command, *options], env=env, stdout=log, stderr=subprocess.STDOUT
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)
        log.close()


async def until(what, seconds=120):
    """The first true answer of ``what``."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if found := await what():
                return found
        except (aiohttp.ClientError, OSError):
            pass
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.1)


def children(pid: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def figures_of(pid: int) -> list[Path]:
    return list(Path("/dev/shm").glob(f"esim-gateway-metrics-{pid}-*"))


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
async def shop(pool, database_url, redis_url, tmp_path):
    """Settings of a published catalogue, and a key."""
    settings = settings_for(tmp_path, database_url, redis_url)
    await stock(pool, [Item("a", offer("one"))], mode="test")
    await publish(pool, None, settings)
    key = await create_key(pool, storefront="shop", mode="test", scopes=["storefront", "ops"], per_minute=10**6)
    return settings, key.key


async def test_workers_share_the_socket_are_replaced_and_add_up_their_figures(shop, tmp_path):
    settings, key = shop
    port, metrics = free_port(), free_port()
    env = environment_of(settings, GATEWAY_METRICS__PORT=str(metrics))
    headers = {"Authorization": f"Bearer {key}"}
    url = f"http://127.0.0.1:{port}"
    with serve(tmp_path, env, "--workers", "2", "--port", str(port)) as process:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:

            async def answer() -> bool:
                async with session.get(f"{url}/v1/countries", headers=headers) as got:
                    return got.status == 200

            async def scraped() -> str:
                async with session.get(f"http://127.0.0.1:{metrics}/metrics") as got:
                    return await got.text()

            async def counted() -> float:
                lines = (await scraped()).splitlines()
                name = 'gateway_http_request_seconds_count{method="GET",route="/v1/countries",status="200"}'
                return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

            await until(answer)
            first = children(process.pid)
            assert len(first) == 2
            before = await counted()
            assert all(await asyncio.gather(*(answer() for _ in range(40))))
            assert await counted() == before + 40
            # What the domains count is added up too, and what a worker reads is left to it.
            shown = {name for name, *_ in samples(await scraped())}
            assert {"gateway_orders_total", "gateway_webhook_tries_total"} <= shown
            only_of_workers = [metric for metric in declared().values() if metric.processes == ("worker",)]
            assert not shown & {name for metric in only_of_workers for name in metric.samples}
            os.kill(min(first), signal.SIGKILL)

            async def replaced() -> bool:
                now = children(process.pid)
                return len(now) == 2 and now != first

            await until(replaced)
            await until(answer)
            assert await counted() >= before + 40  # what the dead one counted is not forgotten
        both = children(process.pid)
        process.terminate()
        assert process.wait(30) == 0
        assert not any(alive(pid) for pid in both)
    text = (tmp_path / "serve.log").read_text()
    assert "a worker died and is replaced" in text
    assert key not in text
    assert not figures_of(process.pid)


async def test_a_request_that_runs_is_answered_before_the_end(shop, tmp_path):
    settings, key = shop
    port = free_port()
    with serve(tmp_path, environment_of(settings, GATEWAY_METRICS__PORT="0"), "--port", str(port)) as process:
        async with aiohttp.ClientSession() as session:

            async def ready() -> bool:
                async with session.get(f"http://127.0.0.1:{port}/readyz") as got:
                    return got.status == 200

            await until(ready)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = (
            f"POST /v1/quotes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
        )
        body = b'{"countries":["JP"]}'
        writer.write(head.encode() + f"Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"  # its handler runs
        writer.write(body[:5])
        process.terminate()
        await asyncio.sleep(0.5)
        writer.write(body[5:])
        answer = await asyncio.wait_for(reader.read(), PATIENCE)
        writer.close()
        assert answer.startswith(b"HTTP/1.1 201 ")
        assert process.wait(30) == 0


async def test_killed_without_warning_it_leaves_no_process_behind(shop, tmp_path):
    settings, _ = shop
    env = environment_of(settings, GATEWAY_METRICS__PORT="0")
    with serve(tmp_path, env, "--workers", "2", "--port", "0") as process:

        async def both() -> set[int]:
            now = children(process.pid)
            return now if len(now) == 2 else set()

        workers = await until(both)
        process.kill()
        process.wait(10)

        async def gone() -> bool:
            return not any(alive(pid) for pid in workers)

        await until(gone)


@pytest.mark.parametrize("taken", ["port", "metrics"])
async def test_a_port_in_use_is_one_clear_line(shop, tmp_path, taken):
    settings, _ = shop
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        used = str(holder.getsockname()[1])
        metrics = used if taken == "metrics" else "0"
        options = ("--port", used if taken == "port" else "0")
        with serve(tmp_path, environment_of(settings, GATEWAY_METRICS__PORT=metrics), *options) as process:
            assert process.wait(30) == 2
    (line,) = (line for line in (tmp_path / "serve.log").read_text().splitlines() if not line.startswith("{"))
    assert line.startswith(f"esim-gateway: cannot listen on 127.0.0.1 port {used}")


async def test_it_starts_with_its_servers_gone_and_recovers_by_itself(own_servers, tmp_path):
    where = own_servers.where
    settings = settings_for(tmp_path / "state", where.database_url, where.redis_url)
    await upgrade(where.database_url)
    pool = await open_pool(where.database_url)
    await stock(pool, [Item("a", offer("one"))], mode="test")
    await publish(pool, None, settings)
    key = await create_key(pool, storefront="shop", mode="test", scopes=["storefront", "ops"])
    await pool.close()
    own_servers.postgres.stop()
    own_servers.valkey.stop()
    port = free_port()
    headers = {"Authorization": f"Bearer {key.key}"}
    with serve(tmp_path, environment_of(settings, GATEWAY_METRICS__PORT="0"), "--port", str(port)) as process:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:

            async def ready() -> dict:
                async with session.get("/readyz") as got:
                    return await got.json() if got.status == 200 else {}

            body = await until(ready)
            assert body["catalog"]["test"]["offers"] == 1
            assert any(line.startswith("postgresql") for line in body["degraded"])
            async with session.get("/v1/plans", headers=headers) as got:
                assert got.status == 503  # nobody could have seen this key yet
            own_servers.postgres.start()
            own_servers.valkey.start()

            async def well() -> bool:
                return (await ready())["degraded"] == []

            await until(well)
            async with session.get("/v1/plans", headers=headers) as got:
                assert (got.status, len((await got.json())["data"])) == (200, 1)
            async with session.get("/v1/ops/suppliers", headers=headers) as got:
                assert got.status == 200
        process.terminate()
        assert process.wait(30) == 0


def test_what_a_killed_parent_left_and_another_one_removes_at_this_moment_is_no_fault(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "_MEMORY", tmp_path)
    (tmp_path / "esim-gateway-metrics-999999999-gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "esim-gateway-metrics-999999999-left").mkdir()
    made = supervisor.make_figures_folder(tmp_path / "state")
    assert {one.name for one in tmp_path.iterdir() if not one.is_symlink()} == {made.name}
