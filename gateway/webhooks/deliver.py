"""Delivering what was announced: claimed for a minute, sent once, written down, and sent again by the schedule.

A claim is a row's next time moved ahead, so a worker that is killed delays its deliveries by a minute and loses
none. One that freezes past its claim may send twice: the receiver sees the same ``webhook-id``.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import asyncpg
import structlog
from standardwebhooks import Webhook

from gateway.kit.guarded_http import TIMEOUT_SECONDS, GuardedHttpClient, Reply
from gateway.kit.pool import DATABASE_DOWN, Pool
from gateway.kit.sealing import Seal, Unsealable
from gateway.kit.settings import Settings
from gateway.kit.tasks import end, until_set
from gateway.webhooks import endpoint_rows, event_rows, webhook_rows
from gateway.webhooks.metrics import TryOutcome, count_try
from gateway.webhooks.redelivery_rules import meaning, wait_before_next
from gateway.webhooks.webhook_rows import Due, Try

log = structlog.get_logger(__name__)

AT_ONCE = 32
EVENTS_AT_ONCE = 500
AT_ONCE_PER_ENDPOINT = 4
AT_ONCE_PER_STOREFRONT = 8
PAUSE_SECONDS = 1.0
LEASE_SECONDS = 60.0  # four times what a send may take
BACK_OFF_SECONDS = 2.0
DRAIN_SECONDS = TIMEOUT_SECONDS + 5

AWAY: tuple[type[Exception], ...] = (*DATABASE_DOWN, asyncpg.PostgresError)
_AGENT = "esim-gateway webhooks"
_OUTCOMES: Mapping[str, TryOutcome] = {"delivered": "delivered", "pending": "retried", "failed": "given_up"}


async def deliver(settings: Settings, pool: Pool, stop: asyncio.Event) -> None:
    """Deliver in this process until ``stop`` is set."""
    async with GuardedHttpClient(settings.webhooks.allow_private) as outside:
        await Deliverer(pool, Seal.from_settings(settings), outside).run(stop)


class Deliverer:
    """Delivers in one process; any number of them share the work. ``draw`` gives numbers from 0 to 1."""

    def __init__(
        self, pool: Pool, seal: Seal, outside: GuardedHttpClient, *, draw: Callable[[], float] = random.random
    ) -> None:
        self._pool = pool
        self._seal = seal
        self._outside = outside
        self._draw = draw
        self._running: dict[asyncio.Task[None], Due] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until ``stop`` is set, then end what is on its way. A database that is away is waited for."""
        away = False
        while not stop.is_set():
            try:
                await event_rows.dispatch(self._pool, EVENTS_AT_ONCE)
                claimed = await self.start_due()
                away = False
            except AWAY as error:
                if not away:
                    log.warning("webhook_delivery_paused", error=type(error).__name__)
                away, claimed = True, 0
            if not claimed:
                await self._pause(stop, BACK_OFF_SECONDS if away else PAUSE_SECONDS)
        await self.drain()

    async def start_due(self) -> int:
        """Claim what is due and has room, and begin to send it; how many were begun."""
        busy = Counter(due.endpoint_id for due in self._running.values())
        busy_storefronts = Counter(due.storefront_id for due in self._running.values())
        free = AT_ONCE - len(self._running)
        if free <= 0:
            return 0
        claimed = await webhook_rows.claim_due(
            self._pool,
            most=free,
            most_per_endpoint=AT_ONCE_PER_ENDPOINT,
            most_per_storefront=AT_ONCE_PER_STOREFRONT,
            lease_seconds=LEASE_SECONDS,
            without=[endpoint for endpoint, sends in busy.items() if sends >= AT_ONCE_PER_ENDPOINT],
            without_storefronts=[
                storefront_id for storefront_id, sends in busy_storefronts.items() if sends >= AT_ONCE_PER_STOREFRONT
            ],
        )
        for due in claimed:
            task = asyncio.create_task(self._deliver(due), name=f"delivery {due.id}")
            self._running[task] = due
            task.add_done_callback(self._ended)
        return len(claimed)

    async def drain(self) -> None:
        """Wait until what was begun has ended, or for as long as a send may take."""
        if self._running:
            await asyncio.wait(list(self._running), timeout=DRAIN_SECONDS)
        await end(*self._running)

    async def _deliver(self, due: Due) -> None:
        if not due.enabled:
            await webhook_rows.call_off(self._pool, due.id)
            return
        at = datetime.now(UTC)
        began = time.monotonic()
        reply = await self._send(due, at)
        seconds = time.monotonic() - began
        made = Try(at, reply.status, reply.error, round(seconds * 1000))
        found = meaning(made.http_status)
        wait = wait_before_next(due.tries + 1, self._draw()) if found == "failed" else None
        stands = "delivered" if found == "delivered" else "failed" if wait is None else "pending"
        async with self._pool.acquire() as connection, connection.transaction():
            written = await webhook_rows.record_try(connection, due, made, stands, wait)
            if written and found == "gone":
                await endpoint_rows.disable(connection, due.endpoint_id, due.url)
        if written:
            count_try(_OUTCOMES[stands], seconds)
        if written and stands == "failed":
            log.warning("delivery_given_up", delivery=due.id, endpoint=due.endpoint_id, status=made.http_status)

    async def _send(self, due: Due, at: datetime) -> Reply:
        try:
            body = self._seal.open(due.body)
            keys = [self._seal.open_text(secret) for secret in due.secrets]
        except Unsealable as error:
            log.warning("delivery_unreadable", delivery=due.id, error=str(error))
            return Reply(None, "unreadable")
        return await self._outside.post(due.url, body, signed(due.event_id, body, keys, at))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            # The claim runs out and it is sent again, which is the best that can be done.
            log.warning("webhook_delivery_record_failed", task=task.get_name(), error=type(error).__name__)

    async def _pause(self, stop: asyncio.Event, seconds: float) -> None:
        """Until it is time to look again, a send has ended, or ``stop`` is set."""
        stopped = asyncio.create_task(until_set(stop))
        await asyncio.wait([stopped, *self._running], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        await end(stopped)


def signed(event_id: str, body: bytes, secrets: Sequence[str], at: datetime) -> dict[str, str]:
    """The headers of Standard Webhooks: one signature for each secret that is in force."""
    text = body.decode()
    return {
        "Content-Type": "application/json",
        "User-Agent": _AGENT,
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(event_id, at, text) for secret in secrets),
    }
