"""A worker and alerts: it looks when a sync has ended, sends what rose, and does not wait for the minute."""

import asyncio
import sys

from gateway.kit.jobs import SyncJob, enqueue_sync
from gateway.kit.settings import load
from gateway.worker import jobs
from tests.kit.mailbox import mail
from tests.kit.rescheduled import NEVER, reschedule
from tests.kit.secret_keys import SECRET_KEY
from tests.kit.waiting import until


async def test_workers_tell_what_rose_once_a_sync_has_ended(pool, database_url, tmp_path, monkeypatch):
    reschedule(monkeypatch, sync_if_due=NEVER, alerts=NEVER)
    monkeypatch.setenv("GATEWAY_METRICS__WORKER_PORT", "0")
    await pool.execute(
        "INSERT INTO suppliers (name, provider, mode) VALUES ('a', 'pikasim', 'test');"
        "INSERT INTO supplier_breakers (supplier, state, failures, last_error) VALUES ('a', 'open', 5, 'timeout');"
        "INSERT INTO alert_channels (id, name, kind, recipients) VALUES ('ach_1', 'm', 'email', '{ops@example.com}')"
    )
    async with mail() as box:
        smtp = {"host": "127.0.0.1", "port": box.port, "sender": "alerts@example.com", "starttls": False}
        settings = load(state_dir=str(tmp_path), secret_key=[SECRET_KEY], smtp=smtp)
        stop = asyncio.Event()
        program = (sys.executable, "-c", "pass")
        workers = [asyncio.create_task(jobs.work(settings, database_url, stop, program)) for _ in range(2)]
        for run_id in ("one", "two", "three"):
            async with pool.acquire() as connection, connection.transaction():
                await enqueue_sync(connection, SyncJob(run_id=run_id))
        await until(lambda: box.got and pool.fetchval("SELECT count(*) = 0 FROM pgqueuer"))
        stop.set()
        await asyncio.gather(*workers)
    assert box.subjects == ["[eSIM gateway] a is failing"]
