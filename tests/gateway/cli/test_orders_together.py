"""One Idempotency-Key at two serving processes at once: one order, one charge."""

import asyncio

import aiohttp

from benchmarks.processes import free_port
from gateway.access.key_rows import create_key
from tests.gateway.cli.test_serve import running, serve, until
from tests.kit.command_line import environment_of
from tests.kit.sandboxed import stock_from, town
from tests.kit.shelf import settings_for

PLAN = "bv-1gb-2d-06d3e3e4ddb9"
TIMES = 50


async def test_fifty_posts_with_one_key_over_two_processes_make_one_order_and_one_charge(
    pool, database_url, redis_url, tmp_path
):
    async with town() as suppliers:
        settings = settings_for(tmp_path / "state", database_url, redis_url, suppliers=suppliers.accounts())
        await stock_from(pool, settings)
        key = await create_key(pool, storefront="shop", mode="test", scopes=["storefront", "ops"], per_minute=10**6)
        env = environment_of(settings, GATEWAY_METRICS__PORT="0", GATEWAY_METRICS__WORKER_PORT="0")
        ports = [free_port(), free_port()]
        headers = {"Authorization": f"Bearer {key.key}", "Idempotency-Key": "once"}
        folders = [tmp_path / str(port) for port in ports]
        for folder in folders:
            folder.mkdir()
        await suppliers.tell("pikasim", "till", {"delivery_seconds": 1})
        with (
            serve(folders[0], env, "--port", str(ports[0])) as first,
            serve(folders[1], env, "--port", str(ports[1])) as second,
            running(folders[1], env, "worker"),
        ):
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

                async def ready(port):
                    async with session.get(f"http://127.0.0.1:{port}/readyz") as got:
                        return got.status == 200 and (await got.json())["catalog"]["test"]["offers"] > 0

                async def post(n, body=None, **more):
                    url = f"http://127.0.0.1:{ports[n % 2]}/v1/orders"
                    async with session.post(
                        url, json=body or {"plan_id": PLAN, "reference": "mine"}, headers={**headers, **more}
                    ) as got:
                        return got.status, got.headers.get("Idempotent-Replayed"), await got.json()

                async def worker_is_up():
                    return await pool.fetchval("SELECT count(*) FROM workers") > 0

                for port in ports:
                    await until(lambda port=port: ready(port), seconds=90)
                # It polls the order; on a busy machine its start takes longer than the requests wait.
                await until(worker_is_up, seconds=90)
                answers = await asyncio.gather(*(post(n, Prefer="wait=30") for n in range(TIMES)))
                assert {order["id"] for _, _, order in answers} == {answers[0][2]["id"]}
                assert sorted(again or "" for _, again, _ in answers) == ["", *["true"] * (TIMES - 1)]
                # On a busy machine some waits end before the order does; what is answered then says so.
                for status, again, order in answers:
                    fulfilled = 200 if again else 201
                    assert status == (fulfilled if order["status"] == "fulfilled" else 202), order

                async def is_answered():
                    status, again, order = await post(0)
                    assert again == "true"
                    return (status, order["status"]) == (200, "fulfilled")

                await until(is_answered, seconds=90)
                assert len(await suppliers.charges()) == 1
                assert await pool.fetchval("SELECT count(*) FROM orders") == 1
                assert await pool.fetchval("SELECT count(*) FROM attempts") == 1

                status, _, problem = await post(1, {"plan_id": PLAN})
                assert (status, problem["code"]) == (422, "idempotency_mismatch")
                for table in ("orders", "idempotency_keys"):
                    await pool.execute(f"UPDATE {table} SET created_at = created_at - interval '31 days'")
                status, again, order = await post(1)
                assert (status, again, order["id"]) == (200, "true", answers[0][2]["id"])
                assert len(await suppliers.charges()) == 1
            for process in (first, second):
                process.terminate()
            assert [process.wait(60) for process in (first, second)] == [0, 0]
    assert not any(key.key in (folder / "serve.log").read_text() for folder in folders)
    assert not any("LPA:" in (folder / "serve.log").read_text() for folder in folders)
