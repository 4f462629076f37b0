"""Periodic jobs: declared in one list, registered with PgQueuer, and registered again when their rows are gone.

A schedule is a frequent question whether something is due, not an appointment: a run that was missed costs time and
nothing else. PgQueuer inserts the rows of its schedules once, when it starts, and never looks for them again. A worker
whose rows were deleted, by a TRUNCATE or a restored backup, would live on and do nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple

import structlog
from pgqueuer import PgQueuer
from pgqueuer.models import Schedule

from gateway.alerts.alerts import evaluate, evaluate_health
from gateway.checkouts.payments import look_at_links, settle_what_is_left
from gateway.kit.jobs import SyncJob, enqueue_sync
from gateway.kit.pool import Pool
from gateway.kit.tasks import end
from gateway.ledger.supplier_statements import read_if_due
from gateway.operations.retention import delete_expired
from gateway.orders.number_polls import look_if_due as look_at_numbers
from gateway.suppliers import supplier_rows
from gateway.suppliers.balances import look_if_due
from gateway.suppliers.deps import Deps
from gateway.suppliers.key_rotation import go_on_all
from gateway.worker.sync_jobs import Figures, is_due, until_set

log = structlog.get_logger(__name__)

# PgQueuer's cron: the sixth field is seconds.
EVERY_2_SECONDS = "* * * * * */2"
EVERY_5_SECONDS = "* * * * * */5"
EVERY_10_SECONDS = "* * * * * */10"
EVERY_MINUTE = "* * * * *"
EVERY_10_MINUTES = "*/10 * * * *"
REGISTERED_SECONDS = 3.0
MOST_DUE = 500


@dataclass(frozen=True, slots=True)
class Worker:
    """What periodic jobs work with. ``pool`` is for what is short and must not wait for orders."""

    deps: Deps
    pool: Pool
    stop: asyncio.Event
    figures: Figures
    program: tuple[str, ...]


class PeriodicJob(NamedTuple):
    """Something that a worker does again and again. Of several workers one runs it at a time."""

    name: str
    cron: str
    run: Callable[[Worker], Awaitable[object]]


async def _payments_left(worker: Worker) -> None:
    await settle_what_is_left(worker.deps)


async def _payment_links_due(worker: Worker) -> None:
    await look_at_links(worker.deps)


async def _balances_if_due(worker: Worker) -> None:
    await look_if_due(worker.deps.pool, worker.deps.accounts, worker.deps.clock())


async def _numbers_if_due(worker: Worker) -> None:
    await look_at_numbers(worker.deps)


async def _supplier_keys_due(worker: Worker) -> None:
    await go_on_all(worker.deps)


async def _books_if_due(worker: Worker) -> None:
    # The first time this is a month of statements, which no shutdown waits for: what was read is kept.
    reading = asyncio.create_task(_read_books(worker.deps))
    stopped = asyncio.create_task(until_set(worker.stop))
    await asyncio.wait([reading, stopped], return_when=asyncio.FIRST_COMPLETED)
    await end(reading, stopped)


async def _read_books(deps: Deps) -> None:
    try:
        await read_if_due(deps)
    except Exception:
        log.exception("books_not_read")


async def _alerts(worker: Worker) -> None:
    await look_at_alerts(worker.deps)


async def _retention(worker: Worker) -> None:
    await delete_expired(worker.deps, worker.stop)


async def _sync_if_due(worker: Worker) -> None:
    settings, deps = worker.deps.settings, worker.deps
    async with worker.pool.acquire() as connection, connection.transaction():
        if await is_due(connection, sorted(deps.accounts), settings.sync.interval_seconds):
            await enqueue_sync(connection, SyncJob())
        for name, at in (await supplier_rows.last_good(connection)).items():
            worker.figures.last_good.labels(supplier=name).set(at.timestamp() if at else 0)


# Where the name says "if due", who was asked a short while ago is left alone.
PERIODIC_JOBS: tuple[PeriodicJob, ...] = (
    PeriodicJob("payments_left", EVERY_2_SECONDS, _payments_left),
    PeriodicJob("payment_links_due", EVERY_5_SECONDS, _payment_links_due),
    PeriodicJob("sync_if_due", EVERY_5_SECONDS, _sync_if_due),
    PeriodicJob("supplier_keys_due", EVERY_10_SECONDS, _supplier_keys_due),
    PeriodicJob("balances_if_due", EVERY_MINUTE, _balances_if_due),
    PeriodicJob("numbers_if_due", EVERY_MINUTE, _numbers_if_due),
    PeriodicJob("books_if_due", EVERY_MINUTE, _books_if_due),
    PeriodicJob("alerts", EVERY_MINUTE, _alerts),  # and whenever a sync ended
    PeriodicJob("retention", EVERY_10_MINUTES, _retention),
)


def register(queue: PgQueuer, worker: Worker) -> None:
    """Have PgQueuer run each of the periodic jobs at its times."""
    for job in PERIODIC_JOBS:
        queue.schedule(job.name, job.cron)(_scheduled(job, worker))


def _scheduled(job: PeriodicJob, worker: Worker) -> Callable[[Schedule], Awaitable[None]]:
    async def run(_: Schedule) -> None:
        await job.run(worker)

    return run


async def keep_registered(queue: PgQueuer) -> None:
    """Insert the rows of schedules that are missing, until cancelled. A fault waits for the next look."""
    while True:
        await asyncio.sleep(REGISTERED_SECONDS)
        try:
            missing = await register_missing(queue)
        except Exception as error:  # noqa: BLE001 - the queue itself notices a database that is gone
            log.warning("schedules_not_read", error=type(error).__name__)
            continue
        if missing:
            log.warning("schedules_registered_again", names=missing)


async def register_missing(queue: PgQueuer) -> list[str]:
    """Insert the rows of schedules that are missing now; their names."""
    schedules, queries = queue.sm.registry, queue.sm.queries
    there = {(row.entrypoint, row.expression) for row in await queries.peek_schedule()}
    missing = {key: job for key, job in schedules.items() if (key.entrypoint, key.expression) not in there}
    if missing:
        await queries.insert_schedule({key: job.next_in() for key, job in missing.items()})
    return sorted(key.entrypoint for key in missing)


async def look_at_alerts(deps: Deps) -> None:
    """Evaluate the rules of alerts. A fault is logged: the next look is a minute away."""
    try:
        await evaluate(deps)
        await evaluate_health(deps, 0.0)  # as the processes that serve do: one of either kind may be away
    except Exception as error:  # noqa: BLE001 - neither a sync that ended nor the schedule may suffer from it
        log.warning("alerts_not_evaluated", error=f"{type(error).__name__}: {error}")
