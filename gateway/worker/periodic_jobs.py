"""Periodic jobs: what the domains declare, registered with PgQueuer, and registered again when the rows are gone.

PgQueuer inserts the rows of its schedules once, when it starts, and never looks for them again. A worker whose rows
were deleted, by a TRUNCATE or a restored backup, would live on and do nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from pgqueuer import PgQueuer
from pgqueuer.models import Schedule

from gateway.features import domain_modules
from gateway.kit.jobs import SyncJob, enqueue_sync
from gateway.kit.worker_jobs import EVERY_5_SECONDS, EVERY_MINUTE, JobContext, PeriodicJob
from gateway.suppliers.deps import Deps
from gateway.worker.sync_jobs import Figures, is_due

log = structlog.get_logger(__name__)

REGISTERED_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Worker(JobContext[Deps]):
    """A worker: what jobs work with, what it counts, and how this program is called."""

    figures: Figures
    program: tuple[str, ...]


async def _sync_if_due(worker: Worker) -> None:
    async with worker.pool.acquire() as connection, connection.transaction():
        if await is_due(connection, sorted(worker.deps.accounts), worker.settings.sync.interval_seconds):
            await enqueue_sync(connection, SyncJob())


async def _shop_metrics(worker: Worker) -> None:
    await worker.figures.shop.read(worker.deps, worker.pool)


PERIODIC_JOBS: tuple[PeriodicJob, ...] = (
    PeriodicJob("sync_if_due", EVERY_5_SECONDS, _sync_if_due),
    PeriodicJob("shop_metrics", EVERY_MINUTE, _shop_metrics),
    *(job for module in domain_modules("jobs") for job in getattr(module, "PERIODIC_JOBS", ())),
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
