"""What a worker does: jobs out of the queue, a sync whenever one is due, and orders whenever theirs has come.

A sync runs in a process of its own: it takes a whole core for a while and gives its memory back at the
end, and whatever else the worker has to do must not wait for that. The schedule is no appointment but a
look every few seconds whether a sync is due, so a look that is missed costs time and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

import asyncpg
import msgspec
import structlog
from pgqueuer import PgQueuer
from pgqueuer.domain.errors import FailingListenerError
from pgqueuer.models import Job, Schedule
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from gateway.core.runs import EXIT_ALL, EXIT_NONE, EXIT_SOME
from gateway.flows.accounts import (
    check_accounts,
    close_accounts,
    connect_accounts,
    follow_keys,
    keep_following,
)
from gateway.flows.advance import begin, drain
from gateway.flows.alert_delivery import deliver_alerts
from gateway.flows.alerts import evaluate
from gateway.flows.balances import look_if_due
from gateway.flows.deliver import deliver
from gateway.flows.deps import Deps
from gateway.flows.erase import erase_old_emails
from gateway.flows.esim_looks import keep_looking
from gateway.flows.exchanges import forget_old
from gateway.flows.key_rotation import go_on_all
from gateway.flows.number_looks import look_if_due as look_at_numbers
from gateway.flows.payment_accounts import (
    check_payment_accounts,
    close_payment_accounts,
    connect_payment_accounts,
)
from gateway.flows.payments import look_at_links, settle_what_is_left
from gateway.flows.restore import poll_restored
from gateway.flows.supplier_books import read_if_due
from gateway.processes import die_with_parent
from gateway.sealing import Seal
from gateway.settings import Settings
from gateway.store import orders
from gateway.store.durability import require_durable
from gateway.store.jobs import ADVANCE, SYNC, AdvanceJob, SyncJob, enqueue_advance, enqueue_sync
from gateway.store.pool import DATABASE_DOWN, Connection, Pool, open_pool, server_settings
from gateway.tasks import end
from schemas.errors import ConfigurationError

log = structlog.get_logger(__name__)

LOOK = "* * * * * */5"  # every five seconds: the sixth field is seconds
LOOK_FOR_ORDERS = "* * * * * */2"
LOOK_FOR_BALANCES = "* * * * *"  # every minute; who was asked a short while ago is left alone
LOOK_FOR_NUMBERS = "* * * * *"  # as with balances
READ_BOOKS = "* * * * *"  # as with balances
LOOK_FOR_KEYS = "* * * * * */10"  # of suppliers that are turned over
ERASE = "7 * * * *"
LOOK_FOR_ALERTS = "* * * * *"  # and whenever a sync ended
FORGET = "37 * * * *"  # what was said to suppliers, when it is old
SYNCS_AT_ONCE = 2
ORDERS_AT_ONCE = 32
MOST_DUE = 500
HEARTBEAT = timedelta(seconds=30)
# What a running sync gets to end by itself when the worker is to stop.
DRAIN_SECONDS = 20.0
BACK_OFF_SECONDS = 2.0
# A sync that could not even begin (a wrong setting) is not tried again at once.
AFTER_A_FAULT_SECONDS = 30.0
QUEUE_LOST: tuple[type[Exception], ...] = (*DATABASE_DOWN, FailingListenerError)


class Figures:
    """What a worker counts, for Prometheus."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.syncs = Counter(
            "gateway_syncs", "Syncs that this worker ran, by exit code.", ["code"], registry=self.registry
        )
        self.seconds = Histogram(
            "gateway_sync_seconds",
            "How long a sync took.",
            buckets=(1, 5, 15, 60, 300, 900, 3600),
            registry=self.registry,
        )
        self.last_good = Gauge(
            "gateway_supplier_last_good_timestamp_seconds",
            "When the last accepted walk of a supplier began, Unix time.",
            ["supplier"],
            registry=self.registry,
        )

    def serve(self, settings: Settings) -> Callable[[], None]:
        """Serve the figures; call the result to end that. Raises ``ConfigurationError`` for a port in use."""
        port, host = settings.metrics.worker_port, settings.metrics.host
        if not port:
            return lambda: None
        try:
            server, thread = start_http_server(port, host, self.registry)
        except OSError as error:
            raise ConfigurationError(
                f"[metrics] worker_port: cannot listen on {host} port {port} ({error.strerror}); "
                "set GATEWAY_METRICS__WORKER_PORT to another, or to 0"
            ) from None

        def end() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return end


async def work(settings: Settings, dsn: str, stop: asyncio.Event, command: Sequence[str] = ()) -> None:
    """Work until ``stop`` is set, then end what runs and return. A database that is away is waited for.

    ``command`` is how to call this program's command line; the running interpreter's by default. Raises
    ``ConfigurationError`` when the port for metrics is in use, and for a database that could lose what it committed.
    """
    figures = Figures()
    end_serving = figures.serve(settings)
    program = tuple(command) or (sys.executable, "-m", "gateway")
    pool = await open_pool(dsn, max_size=4, name="esim-gateway worker")
    orders_pool = await open_pool(dsn, max_size=16, name="esim-gateway orders")
    try:
        await _database_there(orders_pool, stop)
    except ConfigurationError:
        await _close(orders_pool, pool)
        end_serving()
        raise
    accounts = await connect_accounts(check_accounts(settings), orders_pool)
    payments = await connect_payment_accounts(check_payment_accounts(settings), orders_pool)
    deps = Deps(orders_pool, accounts, settings, Seal.from_settings(settings), inline=False, payments=payments)
    tasks = (
        asyncio.create_task(deliver(settings, pool, stop), name="deliver"),
        asyncio.create_task(keep_looking(deps, stop), name="look at eSIMs"),
        asyncio.create_task(deliver_alerts(settings, pool, stop), name="deliver alerts"),
        asyncio.create_task(poll_restored(deps, stop), name="poll restored orders"),
    )
    following = asyncio.create_task(keep_following(accounts, orders_pool, deps.seal), name="follow keys")
    try:
        with contextlib.suppress(*DATABASE_DOWN):
            await follow_keys(accounts, orders_pool, deps.seal)
        while not stop.is_set():
            try:
                await _work(settings, pool, dsn, stop, program, figures, deps)
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


async def _database_there(pool: Pool, stop: asyncio.Event) -> None:
    """Wait for the database, and refuse one that could lose what it committed."""
    while not stop.is_set():
        try:
            await require_durable(pool)
        except DATABASE_DOWN as error:
            log.warning("database_waited_for", error=type(error).__name__)
            await _sleep(stop, BACK_OFF_SECONDS)
        else:
            return


async def _close(*pools: Pool) -> None:
    for pool in pools:
        await pool.close()


async def _work(  # noqa: C901 - one small function for each thing that comes round
    settings: Settings,
    pool: Pool,
    dsn: str,
    stop: asyncio.Event,
    program: tuple[str, ...],
    figures: Figures,
    deps: Deps,
) -> None:
    # PgQueuer's own pool: its jsonb is text, ours is Python objects.
    queue_pool = await asyncpg.create_pool(
        dsn, min_size=0, max_size=6, timeout=5, server_settings=server_settings(30, "esim-gateway queue")
    )
    queue = PgQueuer.from_asyncpg_pool(queue_pool)

    @queue.entrypoint(SYNC, concurrency_limit=SYNCS_AT_ONCE)
    async def sync(job: Job) -> None:
        wanted = msgspec.json.decode(job.payload or b"{}", type=SyncJob)
        with figures.seconds.time():
            code = await run_child((*program, *sync_arguments(wanted)), stop)
        figures.syncs.labels(code=str(code)).inc()
        await look_at_alerts(deps)
        if code not in {EXIT_ALL, EXIT_SOME, EXIT_NONE}:
            await _sleep(stop, AFTER_A_FAULT_SECONDS)

    @queue.entrypoint(ADVANCE, concurrency_limit=ORDERS_AT_ONCE)
    async def advance_order(job: Job) -> None:
        wanted = msgspec.json.decode(job.payload or b"{}", type=AdvanceJob)
        # Whatever becomes of this job, the run goes on to its end; if it fails the schedule comes back to the order.
        await asyncio.shield(begin(deps, wanted.order_id, look=wanted.look))

    @queue.schedule("orders_due", LOOK_FOR_ORDERS)
    async def look_for_orders(_: Schedule) -> None:
        await enqueue_due(deps)

    @queue.schedule("payments_left", LOOK_FOR_ORDERS)
    async def look_for_payments(_: Schedule) -> None:
        await settle_what_is_left(deps)

    @queue.schedule("payment_links_due", LOOK)
    async def look_for_links(_: Schedule) -> None:
        await look_at_links(deps)

    @queue.schedule("balances_if_due", LOOK_FOR_BALANCES)
    async def look_for_balances(_: Schedule) -> None:
        await look_if_due(deps.pool, deps.accounts, deps.clock())

    @queue.schedule("numbers_if_due", LOOK_FOR_NUMBERS)
    async def look_for_numbers(_: Schedule) -> None:
        await look_at_numbers(deps)

    @queue.schedule("supplier_keys_due", LOOK_FOR_KEYS)
    async def look_for_keys(_: Schedule) -> None:
        await go_on_all(deps)

    @queue.schedule("books_if_due", READ_BOOKS)
    async def read_books(_: Schedule) -> None:
        # The first time this is a month of books, which no shutdown waits for: what was read is kept.
        reading, stopped = asyncio.create_task(_read_books(deps)), asyncio.create_task(_until(stop))
        await asyncio.wait([reading, stopped], return_when=asyncio.FIRST_COMPLETED)
        await end(reading, stopped)

    @queue.schedule("erase_old_emails", ERASE)
    async def forget(_: Schedule) -> None:
        await erase_old_emails(deps)

    @queue.schedule("alerts", LOOK_FOR_ALERTS)
    async def look_for_alerts(_: Schedule) -> None:
        await look_at_alerts(deps)

    @queue.schedule("forget_exchanges", FORGET)
    async def forget_exchanges(_: Schedule) -> None:
        await forget_old(deps)

    @queue.schedule("sync_if_due", LOOK)
    async def look(_: Schedule) -> None:
        async with pool.acquire() as connection, connection.transaction():
            if await is_due(connection, sorted(deps.accounts), settings.sync.interval_seconds):
                await enqueue_sync(connection, SyncJob())
            for name, at in await connection.fetch("SELECT name, last_good_at FROM suppliers WHERE configured"):
                figures.last_good.labels(supplier=name).set(at.timestamp() if at else 0)

    ending = asyncio.create_task(_end(queue, stop))
    try:
        await queue.run(
            dequeue_timeout=timedelta(seconds=1), heartbeat_timeout=HEARTBEAT, shutdown_on_listener_failure=True
        )
    finally:
        await end(ending)
        queue_pool.terminate()


async def _read_books(deps: Deps) -> None:
    try:
        await read_if_due(deps)
    except Exception:
        log.exception("books_not_read")


async def look_at_alerts(deps: Deps) -> None:
    """Evaluate the rules of alerts. A fault is logged: the next look is a minute away."""
    try:
        await evaluate(deps)
    except Exception as error:  # noqa: BLE001 - neither a sync that ended nor the schedule may suffer from it
        log.warning("alerts_not_evaluated", error=f"{type(error).__name__}: {error}")


async def enqueue_due(deps: Deps) -> int:
    """Put every order whose time has come into the queue, whatever jobs or events were lost; how many were due."""
    now = deps.clock()
    # A moment is left to the timer that was set with the order itself.
    due = await orders.due(deps.pool, now - timedelta(seconds=2), MOST_DUE)
    async with deps.pool.acquire() as connection:
        for order_id, step, looks in due:
            await enqueue_advance(connection, order_id, f"{step}:{looks}:due")
    return len(due)


async def is_due(connection: Connection, names: Sequence[str], seconds: int) -> bool:
    """Whether no sync of all these suppliers began within the interval. Without suppliers none ever is."""
    if not names:
        return False
    recent = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM sync_runs WHERE NOT waiting AND suppliers @> $1::text[]"
        " AND started_at > now() - make_interval(secs => $2))",
        names,
        float(seconds),
    )
    return not recent


def sync_arguments(job: SyncJob) -> tuple[str, ...]:
    """The command line that runs a sync job."""
    words = ["sync", "--json"]
    for option, names in (("--supplier", job.only), ("--accept", job.accept)):
        for name in names:
            words += [option, name]
    if job.run_id is not None:
        words += ["--run-id", job.run_id]
    return tuple(words)


async def run_child(command: Sequence[str], stop: asyncio.Event) -> int:
    """Run a command to its end and return its exit code; when ``stop`` is set it is asked to end, then made to."""
    began = time.monotonic()
    child = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        preexec_fn=die_with_parent(signal.SIGTERM),
    )
    ended = asyncio.create_task(child.wait())
    stopped = asyncio.create_task(_until(stop))
    try:
        await asyncio.wait([ended, stopped], return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            await asyncio.wait([ended], timeout=DRAIN_SECONDS)
        if not ended.done():
            child.terminate()
            await asyncio.wait([ended], timeout=DRAIN_SECONDS)
        if not ended.done():
            child.kill()
        code = await ended
    finally:
        await end(stopped)
        if child.returncode is None:
            child.kill()
            await child.wait()
    log.info("child_ended", command=" ".join(command[-6:]), code=code, seconds=_since(began))
    return code


async def _end(queue: PgQueuer, stop: asyncio.Event) -> None:
    await stop.wait()
    queue.shutdown.set()


async def _until(stop: asyncio.Event) -> None:
    await stop.wait()


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


def _since(began: float) -> float:
    return round(time.monotonic() - began, 2)
