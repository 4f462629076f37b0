"""What workers do for orders: each is processed when its time has come."""

from __future__ import annotations

from gateway.kit.worker_jobs import EVERY_MINUTE, ContinuousJob, JobContext, PeriodicJob
from gateway.orders.number_polls import poll_if_due
from gateway.orders.restore import poll_restored
from gateway.orders.waker import OrderWaker
from gateway.suppliers.deps import Deps


async def _wake_orders(context: JobContext[Deps]) -> None:
    await OrderWaker(context.deps).run(context.stop, context.dsn)


async def _poll_restored(context: JobContext[Deps]) -> None:
    await poll_restored(context.deps, context.stop)


async def _numbers_if_due(context: JobContext[Deps]) -> None:
    await poll_if_due(context.deps)


CONTINUOUS_JOBS = (
    ContinuousJob("wake orders", _wake_orders),
    ContinuousJob("poll restored orders", _poll_restored),
)
PERIODIC_JOBS = (PeriodicJob("numbers_if_due", EVERY_MINUTE, _numbers_if_due),)
