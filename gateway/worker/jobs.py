"""A worker process: jobs out of the queue, periodic jobs, and what is delivered; started and ended in good order."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from datetime import timedelta

import asyncpg
import msgspec
import structlog
from pgqueuer import PgQueuer
from pgqueuer.domain.errors import FailingListenerError
from pgqueuer.models import Job

from gateway.alerts.jobs import look_at_alerts
from gateway.features import domain_modules
from gateway.inventory import esim_rows
from gateway.kit.durability import require_durable
from gateway.kit.jobs import SYNC, SyncJob
from gateway.kit.pool import DATABASE_DOWN, Pool, open_pool, server_settings
from gateway.kit.sealing import Seal
from gateway.kit.settings import Settings
from gateway.kit.tasks import end
from gateway.migrations.queue_schema import require_schema
from gateway.orders.process import drain
from gateway.suppliers.accounts import check_accounts, close_accounts, connect_accounts, follow_keys, keep_following
from gateway.suppliers.deps import Deps
from gateway.suppliers.payment_accounts import check_payment_accounts, close_payment_accounts, connect_payment_accounts
from gateway.sync.run_rules import EXIT_ALL, EXIT_NONE, EXIT_SOME
from gateway.worker.periodic_jobs import Worker, keep_registered, register
from gateway.worker.sync_jobs import DRAIN_SECONDS, Figures, run_child, sync_arguments
from schemas.errors import ConfigurationError

log = structlog.get_logger(__name__)

SYNCS_AT_ONCE = 2
HEARTBEAT = timedelta(seconds=30)
BACK_OFF_SECONDS = 2.0
# A sync that could not even begin (a wrong setting) is not tried again at once.
AFTER_A_FAULT_SECONDS = 30.0
QUEUE_LOST: tuple[type[Exception], ...] = (*DATABASE_DOWN, FailingListenerError)


async def work(settings: Settings, dsn: str, stop: asyncio.Event, command: Sequence[str] = ()) -> None:
    """Work until ``stop`` is set, then end what runs and return. A database that is away is waited for.

    ``dsn`` is the database itself; what is short goes through the pooler where the settings have one.
    ``command`` is how to call this program's command line; the running interpreter's by default. Raises
    ``ConfigurationError`` when the port for metrics is in use, for a database that could lose what it committed, and
    for one whose schema does not fit this release or the installed PgQueuer.
    """
    figures = Figures()
    end_serving = figures.serve(settings)
    program = tuple(command) or (sys.executable, "-m", "gateway")
    pool = await _open_pool(settings, dsn, 4, "esim-gateway worker")
    orders_pool = await _open_pool(settings, dsn, 16, "esim-gateway orders")
    try:
        await _database_there(orders_pool, dsn, stop)
    except ConfigurationError:
        await _close(orders_pool, pool)
        end_serving()
        raise
    accounts = await connect_accounts(check_accounts(settings), orders_pool)
    payments = await connect_payment_accounts(check_payment_accounts(settings), orders_pool)
    deps = Deps(orders_pool, accounts, settings, Seal.from_settings(settings), inline=False, payments=payments)
    worker = Worker(deps, settings, pool, dsn, stop, figures, program)
    tasks = [
        asyncio.create_task(job.run(worker), name=job.name)
        for module in domain_modules("jobs")
        for job in getattr(module, "CONTINUOUS_JOBS", ())
    ]
    following = asyncio.create_task(keep_following(accounts, orders_pool, deps.seal), name="follow keys")
    try:
        with contextlib.suppress(*DATABASE_DOWN):
            await follow_keys(accounts, orders_pool, deps.seal)
            await esim_rows.fill_code_digests(orders_pool, deps.seal)
        while not stop.is_set():
            try:
                await _run_queue(worker, dsn)
            except QUEUE_LOST as error:
                log.warning("queue_lost", error=f"{type(error).__name__}: {error}")
                await _sleep(stop, BACK_OFF_SECONDS)
        await asyncio.gather(*tasks)
    finally:
        await end(*tasks, following)
        # What was sent is recorded before the process goes.
        await drain(deps, DRAIN_SECONDS * 2)
        await close_accounts(accounts.values())
        await close_payment_accounts(payments.values())
        await _close(orders_pool, pool)
        end_serving()


async def _open_pool(settings: Settings, dsn: str, max_size: int, name: str) -> Pool:
    if settings.database_url is None or not settings.has_pooler:
        return await open_pool(dsn, max_size=max_size, name=name)
    return await open_pool(settings.database_url.get_secret_value(), max_size=max_size, name=name, through_pooler=True)


async def _database_there(pool: Pool, dsn: str, stop: asyncio.Event) -> None:
    """Wait for the database; refuse one that could lose what it committed, and one with a schema that does not fit."""
    while not stop.is_set():
        try:
            await require_durable(pool)
            await require_schema(dsn)
        except DATABASE_DOWN as error:
            log.warning("database_waited_for", error=type(error).__name__)
            await _sleep(stop, BACK_OFF_SECONDS)
        else:
            return


async def _close(*pools: Pool) -> None:
    for pool in pools:
        await pool.close()


async def _run_queue(worker: Worker, dsn: str) -> None:
    """Run what is queued and what is scheduled, until the worker is to stop or the queue is lost."""
    # PgQueuer's own pool: its jsonb is text, ours is Python objects.
    queue_pool = await asyncpg.create_pool(
        dsn, min_size=0, max_size=6, timeout=5, server_settings=server_settings(30, "esim-gateway queue")
    )
    queue = PgQueuer.from_asyncpg_pool(queue_pool)
    _take_jobs(queue, worker)
    register(queue, worker)
    ending = asyncio.create_task(_end(queue, worker.stop))
    registering = asyncio.create_task(keep_registered(queue), name="register schedules")
    try:
        # PgQueuer probes its listener while it begins to listen. A probe that comes first is lost, and the queue would
        # start anew ten seconds later (seen with 1.6.0 on a busy machine), so listening begins before.
        await queue.connection.add_listener(queue.channel, lambda _: None)
        await queue.run(
            dequeue_timeout=timedelta(seconds=1), heartbeat_timeout=HEARTBEAT, shutdown_on_listener_failure=True
        )
    finally:
        await end(ending, registering)
        queue_pool.terminate()


def _take_jobs(queue: PgQueuer, worker: Worker) -> None:
    @queue.entrypoint(SYNC, concurrency_limit=SYNCS_AT_ONCE)
    async def sync(job: Job) -> None:
        await _run_sync(worker, msgspec.json.decode(job.payload or b"{}", type=SyncJob))


async def _run_sync(worker: Worker, job: SyncJob) -> None:
    figures = worker.figures
    with figures.seconds.time():
        code = await run_child((*worker.program, *sync_arguments(job)), worker.stop)
    figures.syncs.labels(code=str(code)).inc()
    await look_at_alerts(worker.deps)
    if code not in {EXIT_ALL, EXIT_SOME, EXIT_NONE}:
        await _sleep(worker.stop, AFTER_A_FAULT_SECONDS)


async def _end(queue: PgQueuer, stop: asyncio.Event) -> None:
    await stop.wait()
    queue.shutdown.set()


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
