"""Watching whether orders are processed: from memory for who asks often, and as alerts by one serving process.

A worker that died cannot tell of it, so the processes that serve do. Each reads two indexes every few seconds; one of
them, which holds a lease, evaluates the alert rules on health and delivers what waits to be sent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from uuid import uuid4

import structlog

from gateway.access.key_rows import Mode
from gateway.alerts.alerts import evaluate_health
from gateway.alerts.delivery import Sender
from gateway.kit.guarded_http import GuardedHttpClient
from gateway.kit.pool import Pool
from gateway.kit.settings import Settings
from gateway.orders import worker_rows
from gateway.orders.health_rules import Degradation, OrderHealth, degradations, seconds_without_worker
from gateway.pricing.rates import stale_rates
from gateway.suppliers.deps import Deps

log = structlog.get_logger(__name__)

REFRESH_SECONDS = 3.0
REFRESH_TIMEOUT = 5.0
RATES_SECONDS = 15.0  # rates grow old by days
JUDGE_SECONDS = 5.0
LEASE_SECONDS = 15.0  # with JUDGE_SECONDS: 20 seconds after its holder died another process judges
HEARTBEAT_SECONDS = 10.0
_LEASE = "health_alerts"


class HealthMonitor:
    """The health of order processing and the age of exchange rates, refreshed in the background and read from memory.

    While the database cannot be read the last reading stands: what is unknown is neither degraded nor well.
    """

    def __init__(self, pool: Pool, settings: Settings) -> None:
        self._pool = pool
        self._settings = settings
        self._stale_rates: str | None = None
        self._rates_read_at = float("-inf")
        self._began = time.monotonic()
        self._health: OrderHealth | None = None
        self._failing = False

    @property
    def watched_seconds(self) -> float:
        """How long this process has watched."""
        return time.monotonic() - self._began

    @property
    def degradations(self) -> list[Degradation]:
        """What is degraded by the last reading."""
        found = [] if self._health is None else degradations(self._health, self.watched_seconds)
        return found if self._stale_rates is None else [*found, Degradation("stale_rates", self._stale_rates)]

    @property
    def orders_overdue(self) -> Mapping[Mode, int] | None:
        """How many orders of each mode are overdue; None before the first reading."""
        if self._health is None:
            return None
        return {"live": self._health.overdue - self._health.overdue_test, "test": self._health.overdue_test}

    @property
    def worker_last_seen_seconds(self) -> float | None:
        """How long ago a worker was seen by the last reading (since the watch began, if never); None before it."""
        return None if self._health is None else seconds_without_worker(self._health, self.watched_seconds)

    async def refresh(self) -> None:
        """Read it now. A fault of the database is logged, once while it lasts."""
        try:
            async with asyncio.timeout(REFRESH_TIMEOUT):
                self._health = await worker_rows.order_health(self._pool)
                if time.monotonic() - self._rates_read_at > RATES_SECONDS:
                    self._stale_rates = await stale_rates(self._pool, self._settings)
                    self._rates_read_at = time.monotonic()
        except Exception as error:  # noqa: BLE001 - whatever it is, the next reading is seconds away
            if not self._failing:
                log.warning("health_read_failed", error=type(error).__name__)
            self._failing = True
        else:
            self._failing = False

    async def keep_refreshing(self) -> None:
        """Read it every few seconds until cancelled."""
        while True:
            await self.refresh()
            await asyncio.sleep(REFRESH_SECONDS)


async def judge_health(deps: Deps, monitor: HealthMonitor, stop: asyncio.Event) -> None:
    """Evaluate the alert rules on health and deliver alerts until ``stop`` is set, while this process has the lease."""
    lease_holder, failing = uuid4(), False
    async with GuardedHttpClient(deps.settings.webhooks.allow_private) as outside:
        sender = Sender(deps.settings, deps.pool, deps.seal, outside)
        while not await _stopped_within(stop, JUDGE_SECONDS):
            try:
                if await worker_rows.take_lease(deps.pool, _LEASE, lease_holder, LEASE_SECONDS):
                    await evaluate_health(deps, monitor.watched_seconds)
                    await sender.start_due()
                failing = False
            except Exception as error:  # noqa: BLE001 - whatever it is, the next evaluation is seconds away
                if not failing:
                    log.warning("health_alerts_failed", error=f"{type(error).__name__}: {error}")
                failing = True
        if not failing:  # else it ends by the clock
            await worker_rows.release_lease(deps.pool, _LEASE, lease_holder)
        await sender.drain()


async def keep_heartbeat(pool: Pool, stop: asyncio.Event) -> None:
    """Write this worker's heartbeat until ``stop`` is set. A database that is away is waited for."""
    worker_id, failing = uuid4(), False
    while True:
        try:
            async with asyncio.timeout(REFRESH_TIMEOUT):
                await worker_rows.record_heartbeat(pool, worker_id)
            failing = False
        except Exception as error:  # noqa: BLE001 - whatever it is, the next heartbeat is seconds away
            if not failing:
                log.warning("heartbeat_write_failed", error=type(error).__name__)
            failing = True
        if await _stopped_within(stop, HEARTBEAT_SECONDS):
            return


async def _stopped_within(stop: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return stop.is_set()
