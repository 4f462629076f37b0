"""pgbouncer in transaction mode: statements of one connection reach many sessions, and everything works as before."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from gateway.access.key_rows import create_key
from gateway.app import make_app
from gateway.cli.doctor import examine
from gateway.kit.durability import require_durable
from gateway.kit.log import AccessLog
from gateway.kit.pool import open_pool
from gateway.kit.run_locks import run_locks
from gateway.worker import jobs
from schemas.errors import ConfigurationError
from tests.kit.gateway_server import GatewayServer
from tests.kit.pgbouncer import pgbouncer
from tests.kit.sandboxed import stock_from, town
from tests.kit.shelf import settings_for

SESSIONS, CLIENTS, TIMES = 2, 12, 20
PLAN = "bv-1gb-2d-06d3e3e4ddb9"


@pytest.fixture
def bouncer(database_url, tmp_path):
    with pgbouncer(tmp_path / "pooler", database_url, sessions=SESSIONS) as started:
        yield started


async def work_on(pool, client: int) -> None:
    """Statements of all kinds, those of no two clients alike."""
    for number in range(TIMES):
        asked = {"client": client, "number": number}
        assert await pool.fetchval(f"SELECT $1::jsonb AS client_{client}", asked) == asked
        many = await pool.fetchmany(f"SELECT $1::int + {client} AS sum", [(n,) for n in range(5)])
        assert [row["sum"] for row in many] == [n + client for n in range(5)]
        async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
            first = await connection.fetchval("SELECT pg_backend_pid()")
            assert await connection.fetchval(f"SELECT pg_backend_pid() + {client} - {client}") == first


async def test_many_clients_share_few_sessions(bouncer, pool):
    pools = [await open_pool(bouncer.url, max_size=2, name="shared", through_pooler=True) for _ in range(CLIENTS)]
    await asyncio.gather(*(work_on(each, number) for number, each in enumerate(pools)))
    sessions = await pool.fetchval("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'shared'")
    for each in pools:
        await each.close()
    assert sessions <= SESSIONS


async def test_a_sessions_lock_is_held_past_the_pooler(bouncer, pool, database_url):
    shared = await open_pool(bouncer.url, max_size=2, through_pooler=True)
    key = (1, "supplier")
    async with run_locks(shared, database_url) as one, run_locks(shared, database_url) as other:
        assert await one.try_acquire(key)
        assert not await other.try_acquire(key)
    async with run_locks(pool) as after:
        assert await after.try_acquire(key)
    await shared.close()


async def test_a_pooler_whose_sessions_have_no_limits_of_time_is_refused(database_url, tmp_path, monkeypatch):
    with pgbouncer(tmp_path / "careless", database_url, limited=False) as careless:
        shared = await open_pool(careless.url, max_size=1, through_pooler=True)
        with pytest.raises(ConfigurationError, match="sessions have no statement_timeout, lock_timeout, idle_in_tr"):
            await require_durable(shared)
        await shared.close()
        monkeypatch.setenv("GATEWAY_DATABASE_URL", careless.url)
        monkeypatch.setenv("GATEWAY_DATABASE_DIRECT_URL", database_url)
        monkeypatch.setenv("GATEWAY_STATE_DIR", str(tmp_path / "state"))
        checks = {check.name: check for check in await examine(None, 1)}
    assert checks["time limits"].good
    assert not checks["pooler"].good


async def test_orders_are_bought_and_followed_through_the_pooler(bouncer, database_url, redis_url, pool, tmp_path):
    """One is delivered at once, the other is polled by the worker and its end heard of through NOTIFY."""
    async with town() as suppliers, aiohttp.ClientSession() as http:
        settings = settings_for(
            tmp_path / "state",
            bouncer.url,
            redis_url,
            database_direct_url=database_url,
            suppliers=suppliers.accounts(),
            metrics={"port": 0, "worker_port": 0},
        )
        await stock_from(pool, settings)
        made = await create_key(pool, storefront="shop", mode="test", scopes=["storefront"], per_minute=10**6)
        server = GatewayServer(make_app(settings, access_log=AccessLog(lambda _line: None)))
        await server.start_server()
        stop = asyncio.Event()
        worker = asyncio.create_task(jobs.work(settings, database_url, stop, ("true",)))
        try:
            for number, seconds in enumerate((0, 1)):
                await suppliers.tell("pikasim", "till", {"delivery_seconds": seconds})
                headers = {"Authorization": f"Bearer {made.key}", "Prefer": "wait=30", "Idempotency-Key": f"k{number}"}
                async with http.post(server.make_url("/v1/orders"), json={"plan_id": PLAN}, headers=headers) as answer:
                    order = await answer.json()
                    assert (answer.status, order["status"]) == (201, "fulfilled"), order
        finally:
            stop.set()
            await worker
            await server.close()
        assert len(await suppliers.charges()) == 2
