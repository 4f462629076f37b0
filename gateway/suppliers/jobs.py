"""What workers do for accounts at suppliers."""

from __future__ import annotations

from gateway.kit.worker_jobs import EVERY_10_SECONDS, EVERY_MINUTE, JobContext, PeriodicJob
from gateway.suppliers.balances import poll_if_due
from gateway.suppliers.deps import Deps
from gateway.suppliers.key_rotation import go_on_all


async def _supplier_keys_due(context: JobContext[Deps]) -> None:
    await go_on_all(context.deps)


async def _balances_if_due(context: JobContext[Deps]) -> None:
    deps = context.deps
    await poll_if_due(deps.pool, deps.accounts, deps.clock())


PERIODIC_JOBS = (
    PeriodicJob("supplier_keys_due", EVERY_10_SECONDS, _supplier_keys_due),
    PeriodicJob("balances_if_due", EVERY_MINUTE, _balances_if_due),
)
