"""A database that could lose what it committed is refused."""

import asyncio

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from gateway.app import make_app
from gateway.kit.durability import promises, require_durable
from gateway.kit.settings import load
from gateway.worker.jobs import work
from schemas.errors import ConfigurationError


async def test_the_embedded_server_keeps_every_promise(pool):
    async with pool.acquire() as connection:
        await require_durable(connection)
        assert {promise.name for promise in await promises(connection)} == {
            *("version", "fsync", "synchronous_commit", "full_page_writes", "time limits")
        }


async def test_a_session_that_does_not_wait_for_the_disk_is_refused(pool):
    async with pool.acquire() as connection:
        await connection.execute("SET synchronous_commit = off")
        with pytest.raises(ConfigurationError, match="synchronous_commit is off: a power cut could undo an order"):
            await require_durable(connection)
        await connection.execute("RESET synchronous_commit")


@pytest.fixture
async def careless(pool, new_sessions):
    """The database as it is from now on, for every new session: it does not wait for the disk."""
    name = await pool.fetchval("SELECT current_database()")
    await pool.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    yield
    await pool.execute(f'ALTER DATABASE "{name}" RESET synchronous_commit')


async def test_a_worker_does_not_begin_on_a_database_that_could_lose_an_order(
    careless, database_url, tmp_path, monkeypatch
):
    monkeypatch.setenv("GATEWAY_METRICS__WORKER_PORT", "0")
    with pytest.raises(ConfigurationError, match="synchronous_commit is off"):
        await work(load(state_dir=str(tmp_path)), database_url, asyncio.Event())


async def test_a_server_does_not_begin_on_a_database_that_could_lose_an_order(careless, database_url, tmp_path):
    app = make_app(load(state_dir=str(tmp_path), database_url=database_url), registry=CollectorRegistry())
    runner = web.AppRunner(app)
    try:
        with pytest.raises(ConfigurationError, match="synchronous_commit is off"):
            await runner.setup()
    finally:
        await runner.cleanup()


async def test_a_server_begins_without_a_database(database_url, tmp_path):
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    runner = web.AppRunner(make_app(load(state_dir=str(tmp_path), database_url=nowhere), registry=CollectorRegistry()))
    await runner.setup()
    await runner.cleanup()
