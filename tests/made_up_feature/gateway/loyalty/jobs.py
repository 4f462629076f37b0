"""What workers do for loyalty."""

from __future__ import annotations

from gateway.loyalty import point_rows

from gateway.kit.worker_jobs import EVERY_MINUTE, JobContext, PeriodicJob
from gateway.suppliers.deps import Deps


async def _grant(context: JobContext[Deps]) -> None:
    await point_rows.grant(context.pool)


PERIODIC_JOBS = (PeriodicJob("points_due", EVERY_MINUTE, _grant),)
