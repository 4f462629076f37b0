"""What workers do for the house: what is kept for a time only is deleted."""

from __future__ import annotations

from gateway.kit.worker_jobs import EVERY_10_MINUTES, JobContext, PeriodicJob
from gateway.operations.retention import delete_expired
from gateway.suppliers.deps import Deps


async def _retention(context: JobContext[Deps]) -> None:
    await delete_expired(context.deps, context.stop)


PERIODIC_JOBS = (PeriodicJob("retention", EVERY_10_MINUTES, _retention),)
