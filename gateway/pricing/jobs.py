"""What workers do for prices: they fetch exchange rates each day, and let in force what a new day brings."""

from __future__ import annotations

import structlog

from gateway.kit.worker_jobs import EVERY_MINUTE, JobContext, PeriodicJob
from gateway.pricing.fetch_rates import update_if_due

log = structlog.get_logger(__name__)


async def _rates_if_due(context: JobContext[object]) -> None:
    try:
        await update_if_due(context.pool, context.settings)
    except Exception:
        log.exception("rates_update_failed")


PERIODIC_JOBS = (PeriodicJob("rates_if_due", EVERY_MINUTE, _rates_if_due),)
