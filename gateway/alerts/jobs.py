"""What workers do for alerts: evaluate their rules, send them, and tell that a worker lives."""

from __future__ import annotations

import structlog

from gateway.alerts.alerts import evaluate, evaluate_health
from gateway.alerts.delivery import deliver_alerts
from gateway.alerts.order_health import keep_heartbeat
from gateway.kit.worker_jobs import EVERY_MINUTE, ContinuousJob, JobContext, PeriodicJob
from gateway.suppliers.deps import Deps

log = structlog.get_logger(__name__)


async def look_at_alerts(deps: Deps) -> None:
    """Evaluate the rules of alerts. A fault is logged: the next look is a minute away."""
    try:
        await evaluate(deps)
        await evaluate_health(deps, 0.0)  # as the processes that serve do: one of either kind may be away
    except Exception as error:  # noqa: BLE001 - neither a sync that ended nor the schedule may suffer from it
        log.warning("alert_evaluation_failed", error=f"{type(error).__name__}: {error}")


async def _alerts(context: JobContext[Deps]) -> None:
    await look_at_alerts(context.deps)


async def _heartbeat(context: JobContext[Deps]) -> None:
    await keep_heartbeat(context.pool, context.stop)


async def _deliver_alerts(context: JobContext[Deps]) -> None:
    await deliver_alerts(context.settings, context.pool, context.stop)


CONTINUOUS_JOBS = (ContinuousJob("heartbeat", _heartbeat), ContinuousJob("deliver alerts", _deliver_alerts))
PERIODIC_JOBS = (PeriodicJob("alerts", EVERY_MINUTE, _alerts),)  # and whenever a sync ended
