"""A dead scheduler is not silent: readiness, doctor, the metrics and an alert report it from the orders themselves."""

import asyncio
import sys
from contextlib import asynccontextmanager
from uuid import uuid4

import orjson
from prometheus_client import generate_latest

from gateway.api import state
from gateway.cli.doctor import examine
from gateway.kit.settings import load
from gateway.orders import worker_rows
from gateway.worker import jobs
from tests.kit.secret_keys import SECRET_KEY
from tests.kit.waiting import PATIENCE, until


async def place_orders(pool, count, *, due_seconds_ago):
    """Charged orders that nobody processed since their time."""
    await pool.execute("INSERT INTO storefronts (id, name) VALUES ('sto_1', 'shop') ON CONFLICT DO NOTHING")
    await pool.execute(
        "INSERT INTO orders (id, storefront_id, mode, kind, plan_id, plan, price, currency, price_base, max_cost,"
        " base_currency, next_poll_at)"
        " SELECT 'ord_' || n, 'sto_1', 'test', 'esim', 'p', '{}', 5, 'USD', 5, 5, 'USD',"
        "        now() - make_interval(secs => $2) FROM generate_series(1, $1) AS n",
        count,
        float(due_seconds_ago),
    )


async def seen_worker(pool, seconds_ago):
    """The heartbeat of a worker, as old as that."""
    await pool.execute(
        "INSERT INTO workers (id, host, pid, seen_at)"
        " VALUES (gen_random_uuid(), 'here', 1, now() - make_interval(secs => $1))",
        float(seconds_ago),
    )


class Places:
    """The four places, and what each reports of a word."""

    def __init__(self, api, monkeypatch):
        self.api, self.monkeypatch = api, monkeypatch

    async def ready(self, word):
        answer = await self.api.get("/readyz")
        assert answer.status == 200
        lines = orjson.loads(await answer.read())["degraded"]
        return [line for line in lines if line.startswith(f"{word}: ")]

    async def doctor(self, word):
        settings = self.api.client.app[state.SETTINGS]
        self.monkeypatch.setenv("GATEWAY_DATABASE_URL", settings.database_url.get_secret_value())
        return [check.says for check in await examine(None, 1) if check.name == word]

    async def alert(self, word):
        rows = await self.api.pool.fetch(
            "SELECT title, detail FROM alerts WHERE kind = $1 AND cleared_at IS NULL", word
        )
        return [f"{row['title']} ({row['detail']})" for row in rows]

    def metric(self, name):
        text = generate_latest(self.api.client.app[state.METRICS].registry).decode()
        (line,) = (line for line in text.splitlines() if line.startswith(f"{name} "))
        return float(line.split()[1])


async def test_overdue_orders_and_a_missing_worker_are_reported_in_the_four_places(make_api, pool, monkeypatch):
    await seen_worker(pool, 75)
    await place_orders(pool, 3, due_seconds_ago=61)
    places = Places(await make_api(), monkeypatch)
    for word in ("orders_overdue", "no_worker"):
        for report in (places.ready, places.doctor, places.alert):
            await until(lambda report=report, word=word: report(word))
    assert "3 orders are overdue" in (await places.ready("orders_overdue"))[0]
    (told,) = await places.doctor("orders_overdue")
    assert all(f"ord_{n} since" in told for n in (1, 2, 3))
    (overdue,) = await places.alert("orders_overdue")
    assert all(f"ord_{n}" in overdue for n in (1, 2, 3))

    async def counted():
        return (
            places.metric('gateway_orders_overdue{mode="test"}') == 3
            and places.metric("gateway_worker_last_seen_seconds") > 75
        )

    await until(counted)
    # All of it ends when a worker is there again and the orders are processed.
    await seen_worker(pool, 0)
    await pool.execute("UPDATE orders SET next_poll_at = now() + interval '1 hour'")

    async def well():
        words = ("orders_overdue", "no_worker")
        return not any([await report(word) for word in words for report in (places.ready, places.doctor, places.alert)])

    await until(well)


async def test_a_worker_that_never_started_is_reported_once_that_was_watched_for_a_minute(make_api, pool, monkeypatch):
    places = Places(await make_api(), monkeypatch)
    monitor = places.api.client.app[state.HEALTH]
    await monitor.refresh()
    assert await places.ready("no_worker") == []
    assert await places.alert("no_worker") == []
    monitor._began -= 60  # a minute later
    for report in (places.ready, places.doctor, places.alert):
        await until(lambda report=report: report("no_worker"))
    assert "has ever been seen" in (await places.ready("no_worker"))[0]

    async def counted():
        return places.metric("gateway_worker_last_seen_seconds") >= 60

    await until(counted)


async def test_orders_that_are_due_or_a_little_late_are_not_reported(make_api, pool, monkeypatch):
    api = await make_api()
    await seen_worker(pool, 20)
    await place_orders(pool, 2, due_seconds_ago=30)
    monitor = api.client.app[state.HEALTH]
    await monitor.refresh()
    words = {degradation.word for degradation in monitor.degradations}
    assert (words & {"no_worker", "orders_overdue"}, monitor.orders_overdue) == (set(), {"live": 0, "test": 0})
    assert 20 <= monitor.worker_last_seen_seconds < 60


async def test_with_the_tables_of_the_queue_truncated_every_schedule_works_again(
    pool, database_url, tmp_path, monkeypatch
):
    async with worker(database_url, tmp_path, monkeypatch):

        async def registered():
            rows = await pool.fetch("SELECT entrypoint FROM pgqueuer_schedules WHERE last_run IS NOT NULL")
            return {row["entrypoint"] for row in rows} >= {"payments_left", "sync_if_due"}

        await until(registered)
        every = {row[0] for row in await pool.fetch("SELECT entrypoint FROM pgqueuer_schedules")}
        await pool.execute("TRUNCATE pgqueuer, pgqueuer_schedules")
        await until(registered)
        assert {row[0] for row in await pool.fetch("SELECT entrypoint FROM pgqueuer_schedules")} == every


async def test_a_worker_writes_its_heartbeat_while_its_queue_is_gone(pool, database_url, tmp_path, monkeypatch):
    async with worker(database_url, tmp_path, monkeypatch):
        assert await until(lambda: pool.fetchval("SELECT count(*) FROM workers"))
        await pool.execute("TRUNCATE pgqueuer, pgqueuer_schedules")
        await pool.execute("UPDATE workers SET seen_at = now() - interval '2 hours'")
        assert await until(lambda: pool.fetchval("SELECT count(*) FROM workers WHERE seen_at > now() - interval '1 m'"))


@asynccontextmanager
async def worker(database_url, tmp_path, monkeypatch):
    monkeypatch.setenv("GATEWAY_METRICS__WORKER_PORT", "0")
    stop = asyncio.Event()
    settings = load(state_dir=str(tmp_path), secret_key=[SECRET_KEY])
    task = asyncio.create_task(jobs.work(settings, database_url, stop, (sys.executable, "-c", "pass")))
    yield
    stop.set()
    await task


async def test_a_database_that_is_down_does_not_hang_readiness(make_api, monkeypatch):
    api = await make_api()
    monitor = api.client.app[state.HEALTH]

    async def silent(_):
        await asyncio.Event().wait()

    monkeypatch.setattr("gateway.orders.worker_rows.order_health", silent)
    refreshing = asyncio.create_task(monitor.refresh())
    answer = await asyncio.wait_for(api.get("/readyz"), PATIENCE)
    assert answer.status == 200
    refreshing.cancel()


async def test_reading_the_health_scans_no_orders(pool):
    await place_orders(pool, 3000, due_seconds_ago=61)
    await pool.execute("UPDATE orders SET status = 'fulfilled', next_poll_at = NULL WHERE id <> 'ord_7'")
    await pool.execute("VACUUM ANALYZE orders")
    plan = "\n".join(row[0] for row in await pool.fetch(f"EXPLAIN {worker_rows.ORDER_HEALTH}", 60.0, 10_000, 10))
    assert "orders_due" in plan
    assert "Seq Scan on orders" not in plan


async def test_one_process_judges_and_another_takes_over(pool):
    first, second = uuid4(), uuid4()
    assert await worker_rows.take_lease(pool, "x", first, 15)
    assert await worker_rows.take_lease(pool, "x", first, 15)
    assert not await worker_rows.take_lease(pool, "x", second, 15)
    await pool.execute("UPDATE leases SET held_until = now() - interval '1 second'")  # its holder died
    assert await worker_rows.take_lease(pool, "x", second, 15)
    assert not await worker_rows.take_lease(pool, "x", first, 15)
    await worker_rows.release_lease(pool, "x", second)
    assert await worker_rows.take_lease(pool, "x", first, 15)
