"""The fixtures that every other test stands on."""

import asyncio
import gc
import os
import socket
import subprocess
import sys
from unittest.mock import Mock

import aiohttp
import pytest
from aiohttp import web

from tests.conftest import OutsideConnectionError


@pytest.mark.parametrize("_", range(10))
async def test_each_test_gets_a_migrated_database_of_its_own(pool, _):
    assert await pool.fetchval("SELECT count(*) FROM storefronts") == 0
    await pool.execute("INSERT INTO storefronts (id, name) VALUES ('one', 'one')")
    assert await pool.fetchval("SELECT content FROM catalog_state") == 0


@pytest.mark.parametrize("_", range(2))
async def test_each_test_finds_the_cache_empty(redis, _):
    assert await redis.get("left") is None
    await redis.set("left", "behind")


async def test_fsync_is_on(pool):
    assert await pool.fetchval("SHOW fsync") == "on"
    assert await pool.fetchval("SHOW synchronous_commit") == "on"


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_a_connection_to_another_machine_fails(host):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as outside, pytest.raises(OutsideConnectionError):
        outside.connect((host, 80))


def test_a_name_of_another_machine_is_not_resolved():
    with pytest.raises(OutsideConnectionError):
        socket.getaddrinfo("example.org", 443)


@pytest.mark.parametrize("turns", range(5))
async def test_a_connection_that_comes_while_a_server_closes_is_closed(turns, monkeypatch):
    lost = Mock()
    monkeypatch.setattr(sys, "unraisablehook", lost)
    runner = web.AppRunner(web.Application(), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    with socket.create_connection(runner.addresses[0]):
        for _ in range(turns):
            await asyncio.sleep(0)
        await runner.cleanup()
        gc.collect()
    assert lost.mock_calls == []


async def test_every_supplier_has_a_sandbox(sandbox):
    assert set(sandbox.urls) >= {"beppay", "pikasim", "s2s"}
    async with aiohttp.ClientSession() as session:
        for url in sandbox.urls.values():
            async with session.get(f"{url}/_sandbox/state") as answer:
                assert answer.status == 200


def test_what_coverage_is_not_of_runs_without_it():
    assert sys.gettrace() is None


_OF_A_GROUP = r"""
import os, pathlib, pytest

@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(6))
def test_says_where_it_runs(number):
    with pathlib.Path("workers").open("a") as file:
        file.write(os.environ["PYTEST_XDIST_WORKER"] + "\n")
"""


def test_the_tests_of_a_group_run_in_one_worker(tmp_path):
    (tmp_path / "test_group.py").write_text(_OF_A_GROUP)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", "-p", "no:cacheprovider"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=300)
    assert len(set((tmp_path / "workers").read_text().split())) == 1
