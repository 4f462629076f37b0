"""What workers do for checkouts."""

from __future__ import annotations

from gateway.checkouts.payments import poll_links, settle_what_is_left
from gateway.kit.worker_jobs import EVERY_2_SECONDS, EVERY_5_SECONDS, JobContext, PeriodicJob
from gateway.suppliers.deps import Deps


async def _payments_left(context: JobContext[Deps]) -> None:
    await settle_what_is_left(context.deps)


async def _payment_links_due(context: JobContext[Deps]) -> None:
    await poll_links(context.deps)


PERIODIC_JOBS = (
    PeriodicJob("payments_left", EVERY_2_SECONDS, _payments_left),
    PeriodicJob("payment_links_due", EVERY_5_SECONDS, _payment_links_due),
)
