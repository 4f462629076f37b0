"""What workers do for travellers: send e-mails."""

from __future__ import annotations

from gateway.kit.worker_jobs import ContinuousJob, JobContext
from gateway.suppliers.deps import Deps
from gateway.travellers.emails import keep_sending


async def _send_emails(context: JobContext[Deps]) -> None:
    await keep_sending(context.deps, context.pool, context.stop)


CONTINUOUS_JOBS = (ContinuousJob("send e-mails to travellers", _send_emails),)
