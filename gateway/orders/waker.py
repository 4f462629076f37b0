"""The one waker of orders: a worker claims those whose time has come and processes them.

The order's row is its queue. Woken by NOTIFY, and looking by itself every second, so that a notification that was
lost costs a second; whatever else is lost (a schedule, an event, a process) costs nothing.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from gateway.kit.listening import listen
from gateway.kit.pool import DATABASE_DOWN
from gateway.kit.tasks import end, until_set
from gateway.orders import order_state_rows
from gateway.orders.process import start
from gateway.suppliers.deps import Deps

log = structlog.get_logger(__name__)

DUE = "orders_due"
ANSWERED = "orders_answered"
CATALOG = "catalog_changed"
PAUSE_SECONDS = 1.0
# Whoever claims an order and is killed leaves it to others after this; a step of its own that takes longer moves it on.
# Two who are killed over it one after the other still leave it less than ten seconds late.
LEASE = timedelta(seconds=3)
AT_ONCE = 64
MOST = 512  # with those that wait for a supplier's rate


class OrderWaker:
    """Claims due orders until it is stopped."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._woken = asyncio.Event()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()

    async def run(self, stop: asyncio.Event, dsn: str) -> None:
        """Claim and process until ``stop`` is set. A database that is away is waited for."""
        listening = asyncio.create_task(
            listen(dsn, {DUE: lambda _: self._woken.set()}, lambda _: self._woken.set(), "esim-gateway waker"),
            name="listen for due orders",
        )
        stopping = asyncio.create_task(until_set(stop), name="waker stops")
        try:
            while not stop.is_set():
                self._woken.clear()
                if not await self._claim():
                    woken = asyncio.create_task(until_set(self._woken))
                    await asyncio.wait([woken, stopping], timeout=PAUSE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                    await end(woken)
        finally:
            await end(listening, stopping)

    async def claim_once(self) -> int:
        """Claim what is due and begin to process it; how many orders that were."""
        # One that only waits for its supplier's turn takes no place from the others.
        free = min(AT_ONCE - len(self._running) + len(self._deps.waiting), MOST - len(self._running))
        if free <= 0:
            return 0
        claimed = await order_state_rows.claim_due(self._deps.pool, self._deps.clock(), LEASE, free)
        for order_id in claimed:
            self._begin(order_id)
        return len(claimed)

    async def _claim(self) -> bool:
        """Whether there may be more to claim at once."""
        try:
            return await self.claim_once() >= AT_ONCE
        except DATABASE_DOWN as error:
            log.warning("order_claim_failed", error=type(error).__name__)
        except Exception:
            log.exception("order_claim_failed")
        return False

    def _begin(self, order_id: str) -> None:
        if order_id in self._running:
            # News of an order that is being processed right now: it is looked at once more after that.
            self._again.add(order_id)
            return
        task = self._running[order_id] = start(self._deps, order_id, poll=True)
        task.add_done_callback(lambda _: self._ended(order_id))

    def _ended(self, order_id: str) -> None:
        del self._running[order_id]
        if order_id in self._again:
            self._again.discard(order_id)
            self._begin(order_id)
