"""The worker: it syncs when one is due, runs what it is asked for, and lets go in good order."""

import asyncio
import socket
import sys
from contextlib import suppress
from datetime import timedelta

import asyncpg
import pytest
from aiohttp import ClientError, ClientSession
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import FailingListenerError

from gateway.kit.jobs import SyncJob, enqueue_sync
from gateway.kit.pool import open_pool
from gateway.kit.settings import load
from gateway.ledger import jobs as ledger_jobs
from gateway.migrations import upgrade
from gateway.pricing.rates import today
from gateway.suppliers import supplier_rows
from gateway.sync import sync_run_rows
from gateway.worker import jobs, sync_jobs
from providers.loader import load_manifests
from schemas.errors import ConfigurationError
from tests.kit.rate_source import rate_source
from tests.kit.rescheduled import EVERY_SECOND, NEVER, reschedule
from tests.kit.waiting import PATIENCE, until

SLOW_SECONDS = 0.5


def program(tmp_path, body="pass"):
    """A stand-in for the command line that notes how it was called, then does ``body``."""
    script = tmp_path / "program.py"
    script.write_text(
        "import sys, time, signal, pathlib\n"
        f"log = pathlib.Path({str(tmp_path / 'calls')!r})\n"
        "log.open('a').write(' '.join(sys.argv[1:]) + '\\n')\n" + body
    )
    return (sys.executable, str(script))


def calls(tmp_path):
    path = tmp_path / "calls"
    return path.read_text().splitlines() if path.exists() else []


@pytest.fixture(autouse=True)
def _no_metrics(monkeypatch):
    monkeypatch.setenv("GATEWAY_METRICS__WORKER_PORT", "0")


@pytest.fixture
def settings(tmp_path):
    here = load_manifests()["pikasim"].sandbox_settings
    supplier = {**here, "provider": "pikasim", "base_url": "http://127.0.0.1:1"}
    return load(state_dir=str(tmp_path), suppliers={"a": supplier, "b": supplier})


async def test_a_worker_runs_a_sync_that_was_asked_for_with_its_names(pool, database_url, tmp_path, monkeypatch):
    reschedule(monkeypatch, sync_if_due=NEVER)
    settings = load(state_dir=str(tmp_path))
    stop = asyncio.Event()
    worker = asyncio.create_task(jobs.work(settings, database_url, stop, program(tmp_path)))
    async with pool.acquire() as connection, connection.transaction():
        await enqueue_sync(connection, SyncJob(only=("a",), accept=("b",), run_id="sync_1"))
    await until(lambda: calls(tmp_path))
    stop.set()
    await worker
    assert calls(tmp_path) == ["sync --json --verbose --supplier a --accept b --run-id sync_1"]
    assert await pool.fetchval("SELECT count(*) FROM pgqueuer") == 0


async def test_a_worker_syncs_by_itself_when_one_is_due(database_url, settings, tmp_path, monkeypatch):
    reschedule(monkeypatch, sync_if_due=EVERY_SECOND)
    stop = asyncio.Event()
    worker = asyncio.create_task(jobs.work(settings, database_url, stop, program(tmp_path)))
    await until(lambda: calls(tmp_path))
    stop.set()
    await worker
    assert calls(tmp_path)[0] == "sync --json --verbose"


async def test_a_sync_is_due_when_none_of_all_suppliers_began_within_the_interval(pool):
    async with pool.acquire() as connection:
        assert await sync_jobs.is_due(connection, ["a", "b"], 900)
        assert not await sync_jobs.is_due(connection, [], 900)
        await sync_run_rows.insert(connection, "one", ["a"], [])
        assert await sync_jobs.is_due(connection, ["a", "b"], 900)
        await sync_run_rows.insert(connection, "asked", ["a", "b"], [], waiting=True)
        assert await sync_jobs.is_due(connection, ["a", "b"], 900)
        await sync_run_rows.insert(connection, "all", ["a", "b", "c"], [])
        assert not await sync_jobs.is_due(connection, ["a", "b"], 900)
        await connection.execute("UPDATE sync_runs SET started_at = now() - interval '20 minutes'")
        assert await sync_jobs.is_due(connection, ["a", "b"], 900)


async def test_the_same_sync_is_not_queued_twice_but_each_one_asked_for_is(pool):
    async with pool.acquire() as connection:
        for job in (SyncJob(), SyncJob(), SyncJob(run_id="x"), SyncJob(run_id="y"), SyncJob(run_id="y")):
            async with connection.transaction():
                await enqueue_sync(connection, job)
        keys = [row["dedupe_key"] for row in await connection.fetch("SELECT dedupe_key FROM pgqueuer ORDER BY id")]
        assert keys == ["sync", "sync:x", "sync:y"]


async def test_a_job_is_queued_with_the_transaction_or_not_at_all(pool):
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await enqueue_sync(connection, SyncJob())
        await transaction.rollback()
    assert await pool.fetchval("SELECT count(*) FROM pgqueuer") == 0


async def test_a_worker_that_is_stopped_ends_its_sync_by_a_signal_and_waits_for_it(
    pool, database_url, tmp_path, monkeypatch
):
    reschedule(monkeypatch, sync_if_due=NEVER)
    monkeypatch.setattr(sync_jobs, "DRAIN_SECONDS", 0.2)
    body = (
        "def end(*_):\n    log.open('a').write('ended\\n'); sys.exit(4)\n"
        "signal.signal(signal.SIGTERM, end)\nlog.open('a').write('ready\\n')\ntime.sleep(60)\n"
    )
    stop = asyncio.Event()
    settings = load(state_dir=str(tmp_path))
    worker = asyncio.create_task(jobs.work(settings, database_url, stop, program(tmp_path, body)))
    async with pool.acquire() as connection, connection.transaction():
        await enqueue_sync(connection, SyncJob())
    await until(lambda: "ready" in calls(tmp_path))
    stop.set()
    await asyncio.wait_for(worker, PATIENCE)
    assert calls(tmp_path) == ["sync --json --verbose", "ready", "ended"]


async def test_a_worker_that_is_stopped_waits_for_no_books(database_url, tmp_path, monkeypatch):
    reschedule(monkeypatch, sync_if_due=NEVER)
    reschedule(monkeypatch, books_if_due=EVERY_SECOND)
    reading, cut = asyncio.Event(), asyncio.Event()

    async def a_month_of_books(_):
        reading.set()
        try:
            await asyncio.Event().wait()
        finally:
            cut.set()

    monkeypatch.setattr(ledger_jobs, "read_if_due", a_month_of_books)
    stop = asyncio.Event()
    worker = asyncio.create_task(jobs.work(load(state_dir=str(tmp_path)), database_url, stop, program(tmp_path)))
    await asyncio.wait_for(reading.wait(), PATIENCE)
    stop.set()
    await asyncio.wait_for(worker, PATIENCE)
    assert cut.is_set()


async def test_a_worker_fetches_exchange_rates_that_are_due(pool, database_url, tmp_path, monkeypatch):
    reschedule(monkeypatch, sync_if_due=NEVER)
    reschedule(monkeypatch, rates_if_due=EVERY_SECOND)
    stop = asyncio.Event()
    async with rate_source() as source:
        source.publishes(today(), USD="1.08")
        settings = load(state_dir=str(tmp_path), rates=source.settings())
        worker = asyncio.create_task(jobs.work(settings, database_url, stop, program(tmp_path)))
        await until(lambda: pool.fetchval("SELECT EXISTS (SELECT FROM fx_rates WHERE kind = 'fetched')"))
        stop.set()
        await asyncio.wait_for(worker, PATIENCE)
    assert len(source.asked) == 1


async def queue_is_empty(url):
    pool = await open_pool(url)
    while await pool.fetchval("SELECT count(*) FROM pgqueuer"):  # noqa: ASYNC110 - the worker writes it
        await asyncio.sleep(0.05)
    await pool.close()


async def test_a_worker_goes_on_after_a_restart_of_postgresql(own_servers, tmp_path, monkeypatch):
    reschedule(monkeypatch, sync_if_due=NEVER)
    monkeypatch.setattr(jobs, "BACK_OFF_SECONDS", 0.2)
    url = own_servers.postgres.url("postgres")
    await upgrade(url)
    stop = asyncio.Event()
    worker = asyncio.create_task(jobs.work(load(state_dir=str(tmp_path)), url, stop, program(tmp_path)))

    async def ask():
        pool = await open_pool(url)
        async with pool.acquire() as connection, connection.transaction():
            await enqueue_sync(connection, SyncJob())
        await pool.close()

    await ask()
    await until(lambda: len(calls(tmp_path)) == 1)
    await queue_is_empty(url)  # else it still holds the first one, and runs it again half a minute later
    own_servers.postgres.stop()
    own_servers.postgres.start()
    await ask()
    await until(lambda: len(calls(tmp_path)) == 2)
    stop.set()
    await asyncio.wait_for(worker, PATIENCE)


async def test_a_job_of_a_killed_worker_is_run_by_the_next(database_url, pool, tmp_path, monkeypatch):
    reschedule(monkeypatch, sync_if_due=NEVER)
    async with pool.acquire() as connection, connection.transaction():
        await enqueue_sync(connection, SyncJob())
    # As a worker leaves it that was killed a minute ago.
    await pool.execute(
        "UPDATE pgqueuer SET status = 'picked', heartbeat = now() - interval '1 minute',"
        " queue_manager_id = gen_random_uuid()"
    )
    stop = asyncio.Event()
    worker = asyncio.create_task(jobs.work(load(state_dir=str(tmp_path)), database_url, stop, program(tmp_path)))
    await until(lambda: calls(tmp_path))
    stop.set()
    await worker


_NEVER_SYNCED = 'gateway_supplier_last_good_timestamp_seconds{mode="test",supplier="a"} 0.0'


async def test_a_workers_figures_are_served_and_a_port_in_use_is_a_wrong_configuration(
    pool, database_url, settings, tmp_path, monkeypatch
):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("GATEWAY_METRICS__WORKER_PORT", str(port))
        with pytest.raises(ConfigurationError, match="worker_port"):
            await jobs.work(load(), database_url, asyncio.Event())
    reschedule(monkeypatch, sync_if_due=EVERY_SECOND, shop_metrics=EVERY_SECOND)
    await supplier_rows.register(pool, [supplier_rows.Configured("a", "x", "test")])
    stop = asyncio.Event()
    served = load(state_dir=str(tmp_path), suppliers=settings.suppliers)
    worker = asyncio.create_task(jobs.work(served, database_url, stop, program(tmp_path)))
    told = ""
    async with ClientSession() as session, asyncio.timeout(PATIENCE):
        while 'gateway_syncs_total{code="0"}' not in told or _NEVER_SYNCED not in told:
            await asyncio.sleep(0.1)
            with suppress(ClientError):
                async with session.get(f"http://127.0.0.1:{port}/metrics") as answer:
                    told = await answer.text()
    stop.set()
    await worker


async def test_a_child_gets_its_exit_code_through(tmp_path):
    code = await sync_jobs.run_child((*program(tmp_path, "sys.exit(3)"), "x"), asyncio.Event())
    assert code == 3


def test_the_queue_is_lost_only_by_faults_of_the_database():
    assert issubclass(asyncpg.ConnectionDoesNotExistError, jobs.QUEUE_LOST)
    assert not issubclass(ValueError, jobs.QUEUE_LOST)


async def test_a_worker_asks_suppliers_for_our_money_and_keeps_what_it_hears(
    pool, database_url, tmp_path, sandbox, monkeypatch
):
    reschedule(monkeypatch, sync_if_due=NEVER)
    reschedule(monkeypatch, balances_if_due=EVERY_SECOND)
    here = {**load_manifests()["pikasim"].sandbox_settings, "provider": "pikasim", "mode": "test"}
    supplier = {**here, "base_url": sandbox.urls["pikasim"]}
    settings = load(state_dir=str(tmp_path), suppliers={"a": supplier})
    stop = asyncio.Event()
    worker = asyncio.create_task(jobs.work(settings, database_url, stop, program(tmp_path)))
    await until(lambda: pool.fetchval("SELECT count(*) FROM supplier_balances WHERE supplier = 'a'"))
    stop.set()
    await worker
    assert await pool.fetchval("SELECT spendable > 0 FROM supplier_balances WHERE supplier = 'a'")


async def test_the_queue_hears_its_first_probe_although_listening_begins_slowly(
    database_url, tmp_path, monkeypatch, pool
):
    listen, probe, heard = AsyncpgPoolDriver.add_listener, QueueManager.listener_healthy, asyncio.Queue()

    async def slowly(self, *args):
        if self._listener_connection is None:  # connecting takes time, and listening on what is connected none
            await asyncio.sleep(SLOW_SECONDS)
        await listen(self, *args)

    async def probed(self, timeout):  # noqa: ASYNC109 - as PgQueuer calls it
        try:
            event = await probe(self, timeout=timedelta(seconds=10 * SLOW_SECONDS))
        except FailingListenerError:
            heard.put_nowait("lost")
            raise
        heard.put_nowait("heard")
        return event

    monkeypatch.setattr(AsyncpgPoolDriver, "add_listener", slowly)
    monkeypatch.setattr(QueueManager, "listener_healthy", probed)
    reschedule(monkeypatch, sync_if_due=NEVER)
    stop = asyncio.Event()
    worker = asyncio.create_task(jobs.work(load(state_dir=str(tmp_path)), database_url, stop, program(tmp_path)))
    async with asyncio.timeout(120):
        assert await heard.get() == "heard"
    stop.set()
    await worker
