"""What workers do for storefronts' webhooks: deliver events."""

from __future__ import annotations

from typing import Any

from gateway.kit.worker_jobs import ContinuousJob, JobContext
from gateway.webhooks.deliver import deliver


async def _deliver(context: JobContext[Any]) -> None:
    await deliver(context.settings, context.pool, context.stop)


CONTINUOUS_JOBS = (ContinuousJob("deliver", _deliver),)
