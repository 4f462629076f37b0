"""``serve`` with a PostgreSQL that hangs: what needs it is 503 soon, the rest goes on, SIGTERM ends the process."""

from __future__ import annotations

import asyncio

import aiohttp

from benchmarks.processes import free_port
from gateway.access.key_rows import create_key
from gateway.catalog.publish import publish
from gateway.kit.pool import open_pool
from gateway.migrations import upgrade
from tests.gateway.cli.test_serve import serve, until
from tests.kit.command_line import environment_of
from tests.kit.frozen import frozen_postgres
from tests.kit.made_up_market import Item, offer
from tests.kit.shelf import settings_for, stock

BOUND = 60  # for a test that fails; RULES ask for 5 s, which the attack test measures


async def test_requests_do_not_hang_with_a_silent_database(own_servers, tmp_path):
    url = own_servers.postgres.url()
    await upgrade(url)
    settings = settings_for(tmp_path / "state", url, own_servers.where.redis_url)
    pool = await open_pool(url)
    await stock(pool, [Item("a", offer("one"))], mode="test")
    await publish(pool, None, settings)
    scopes = ["storefront", "ops"]
    key = (await create_key(pool, storefront="shop", mode="test", scopes=scopes, per_minute=10**6)).key
    await pool.close()
    port = free_port()
    plan = offer("one").plan_id
    with serve(tmp_path, environment_of(settings, GATEWAY_METRICS__PORT="0"), "--port", str(port)) as process:
        async with aiohttp.ClientSession(
            f"http://127.0.0.1:{port}",
            headers={"Authorization": f"Bearer {key}"},
            timeout=aiohttp.ClientTimeout(total=BOUND),
        ) as session:

            async def status(path: str, method: str = "GET", **more) -> int:
                async with session.request(method, path, **more) as got:
                    await got.read()
                    assert got.status != 503 or got.headers["Retry-After"]
                    return got.status

            async def order() -> int:
                return await status("/v1/orders", "POST", json={"plan_id": plan}, headers={"Idempotency-Key": "k"})

            async def known() -> bool:
                return await status("/v1/plans") == 200 and await status("/v1/orders") == 200

            await until(known)  # and leaves a connection idle
            login = {"name": "admin", "password": "x"}
            with frozen_postgres(own_servers):
                asked = [status("/v1/orders") for _ in range(30)]
                asked += [order(), status("/v1/ops/orders"), status("/console/login", "POST", data=login)]
                assert set(await asyncio.gather(*asked)) == {503}
                assert [await status(path) for path in ("/livez", "/readyz", "/v1/plans")] == [200] * 3
                assert [await status("/v1/orders"), await order()] == [503, 503]
            await until(known)
            with frozen_postgres(own_servers):
                process.terminate()
                assert await asyncio.to_thread(process.wait, BOUND) == 0
