"""What workers do for what was delivered: look at eSIMs at their suppliers."""

from __future__ import annotations

from gateway.inventory.esim_polls import keep_polling
from gateway.kit.worker_jobs import ContinuousJob, JobContext
from gateway.suppliers.deps import Deps


async def _poll_esims(context: JobContext[Deps]) -> None:
    await keep_polling(context.deps, context.stop)


CONTINUOUS_JOBS = (ContinuousJob("look at eSIMs", _poll_esims),)
