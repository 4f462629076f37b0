"""What both rate limiters share: leased tokens in memory, the fair queue in front of them, the breaker.

``QueuedRateLimiter`` hands out tokens and serves the queue; where the tokens come from (``_lease``) and who else
knows of the breaker is up to the subclass. ``MemoryRateLimiter`` serves one process (tests, tools).
"""

from __future__ import annotations

import asyncio
import math
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass
from datetime import UTC, datetime

from providers.kit.breaker import Breaker, Passage
from providers.kit.fair_queue import FairQueue, Waiter
from providers.kit.supplier_rate import (
    LEASE_SECONDS,
    LEASE_TOKENS,
    Pace,
    Priority,
    RateReport,
    held_token,
    is_outage,
    refuse_long_wait,
)
from providers.kit.token_stock import TokenStock
from schemas.errors import CircuitOpen, RateLimited, RateLimiterUnavailable, SupplierError

# A storefront of its own for purchases that do not name theirs: tools and tests.
NO_STOREFRONT = ""
# No wait is shorter: a database is not asked again and again within a millisecond.
SHORTEST_WAIT = 0.005
_CLOCK_NOISE = 1e-6  # sums of floats are a little off

Pause = Callable[[asyncio.Event, float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Lease:
    """``granted`` tokens, and ``wait`` seconds until it is worth asking for another one.

    ``turns`` names the storefront of each token where turns were decided over all processes; else it is empty.
    """

    granted: int
    wait: float = 0.0
    turns: tuple[str, ...] = ()


async def wait_until_set(event: asyncio.Event, seconds: float) -> None:
    """Return when the event is set, or after so many seconds."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)


class QueuedRateLimiter(ABC):
    """``SupplierRateLimiter`` but for the source of its tokens.

    ``requests_per_minute`` None means no limit of our own: only what the supplier asks for (429) holds calls back.
    ``writes_may_probe`` is for accounts where nobody reads while the breaker is open. ``clock`` gives seconds and
    ``pause`` waits for them; a test may drive both.
    """

    def __init__(
        self,
        supplier: str,
        requests_per_minute: int | None,
        *,
        writes_may_probe: bool = False,
        clock: Callable[[], float] = time.monotonic,
        pause: Pause = wait_until_set,
    ) -> None:
        self.supplier = supplier
        self.per_minute = requests_per_minute
        self.breaker = Breaker(writes_may_probe=writes_may_probe)
        self._clock = clock
        self._pause = pause
        self._queue = FairQueue()
        self._stock = TokenStock()
        self._handed: deque[float] = deque()  # expiries of tokens that purchases acquired and have not sent with
        self._blocked_until = -math.inf
        self._not_before: dict[Priority, float] = {}  # when a lease for this priority may find a token
        self._newcomer = False  # a storefront began to wait after the latest lease was asked for
        self._changed = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None

    # --- tokens of purchases ------------------------------------------------------------------------

    def try_acquire(self, storefront_id: str) -> bool:  # noqa: ARG002 - nobody waits, so whose turn it is does not matter
        """As ``SupplierRateLimiter.try_acquire``."""
        expiry = None if self._queue.count(Priority.PURCHASE) else self._take(Priority.PURCHASE)
        if expiry is None:
            return False
        self._refresh_soon()
        self._remember_handed(expiry)
        return True

    async def acquire(self, storefront_id: str, since: datetime, timeout: float) -> bool:  # noqa: ASYNC109 - as the protocol
        """As ``SupplierRateLimiter.acquire``."""
        if self.try_acquire(storefront_id):
            return True
        expiry = await self._wait_turn(Priority.PURCHASE, storefront_id, since, timeout)
        if expiry is None:
            return False
        self._remember_handed(expiry)
        return True

    def release(self) -> None:
        """As ``SupplierRateLimiter.release``."""
        expiry = self._forget_handed()
        if expiry is not None:
            self._restore(Priority.PURCHASE, expiry)

    def purchase_blocked_for(self) -> float:
        """As ``SupplierRateLimiter.purchase_blocked_for``."""
        if not (self.breaker.is_clean and self._must_lease(Priority.PURCHASE)):  # else a lease brings the news
            self._refresh_soon()
        return max(self._blocked_for(), self.breaker.purchase_blocked_for(self._clock()))

    def probe_due(self) -> bool:
        """As ``SupplierRateLimiter.probe_due``."""
        self._refresh_soon()
        return self.breaker.probe_due(self._clock())

    # --- calls --------------------------------------------------------------------------------------

    async def admit(self, priority: Priority, *, write: bool = False) -> None:
        """As ``SupplierRateLimiter.admit``."""
        token = held_token() if priority is Priority.PURCHASE and self._blocked_for() <= 0 else None
        await self._know_state(leasing=token is None and self._must_lease(priority))
        passage = self._check_breaker(priority, write=write)
        if token is not None:
            token.used = True
            self._forget_handed()
        elif self._waiting_before(priority) or self._take(priority) is None:
            expiry = await self._wait_turn(priority, NO_STOREFRONT, datetime.now(UTC), None)
            try:
                passage = self._check_breaker(priority, write=write)  # it may have opened meanwhile
            except CircuitOpen:
                self._restore(priority, expiry)
                raise
        if passage is Passage.PROBE:
            await self._claim_probe()

    async def observed(self, headers: Mapping[str, str], status: int) -> None:
        """As ``SupplierRateLimiter.observed``."""
        report = RateReport.of(headers, datetime.now(UTC))
        blocked = report.blocks(status)
        if blocked:
            self._block(blocked)
        await self._record_report(report, blocked)

    async def succeeded(self) -> None:
        """As ``SupplierRateLimiter.succeeded``."""
        self.breaker.succeed(self._clock())

    async def failed(self, error: SupplierError, *, write: bool = False) -> None:
        """As ``SupplierRateLimiter.failed``."""
        if is_outage(error):
            self.breaker.fail(self._clock(), error, write=write)

    async def probe(self) -> None:
        """As ``SupplierRateLimiter.probe``."""
        self.breaker.request_probe()

    @abstractmethod
    async def refresh(self) -> None:
        """As ``SupplierRateLimiter.refresh``."""

    async def close(self) -> None:
        """As ``SupplierRateLimiter.close``."""
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.wait((self._serving,))
        self._fail_waiters(RateLimiterUnavailable("not called: the gateway is shutting down", supplier=self.supplier))

    # --- what a subclass decides --------------------------------------------------------------------

    @abstractmethod
    async def _lease(self, priority: Priority, wanted: int) -> Lease:
        """Take up to ``wanted`` tokens for calls of this priority."""

    @abstractmethod
    async def _record_report(self, report: RateReport, blocked: float | None) -> None:
        """Keep what an answer's headers said; ``blocked`` is in seconds."""

    async def _claim_probe(self) -> None:
        """Make the caller the one probe. Raises ``CircuitOpen`` when another one is."""
        self.breaker.start_probe(self._clock())

    @abstractmethod
    async def _know_state(self, *, leasing: bool) -> None:
        """Have the breaker's state at hand; with ``leasing`` a lease that follows brings it."""

    @abstractmethod
    def _refresh_soon(self) -> None:
        """Have the shared state read in the background when it is old."""

    # --- the queue ----------------------------------------------------------------------------------

    def _check_breaker(self, priority: Priority, *, write: bool) -> Passage:
        passage = self.breaker.passage(self._clock(), priority, write=write)
        if passage is Passage.REFUSED:
            raise CircuitOpen(
                f"not called, its breaker is open after: {self.breaker.last_error}",
                supplier=self.supplier,
                retry_after=self.breaker.retry_in(self._clock()),
            )
        return passage

    def _blocked_for(self) -> float:
        return max(0.0, self._blocked_until - self._clock())

    def _block(self, seconds: float) -> None:
        self._blocked_until = max(self._blocked_until, self._clock() + seconds)
        self._drop_tokens()

    def _drop_tokens(self) -> None:
        self._stock.clear()
        self._handed.clear()

    def _take(self, priority: Priority) -> float | None:
        """The expiry of a token that may be used now; None when there is none in memory."""
        if self._blocked_for() > 0:
            return None
        if self.per_minute is None:
            return math.inf
        return self._stock.take(priority, self._clock())

    def _must_lease(self, priority: Priority) -> bool:
        return self.per_minute is not None and not self._stock.has(priority, self._clock())

    def _waiting_before(self, priority: Priority) -> bool:
        first = self._queue.first_priority()
        return first is not None and first <= priority

    def _remember_handed(self, expiry: float) -> None:
        if not math.isinf(expiry):  # without a limit there is nothing to give back
            self._handed.append(expiry)

    def _forget_handed(self) -> float | None:
        now = self._clock()
        while self._handed and self._handed[0] <= now:
            self._handed.popleft()
        return self._handed.popleft() if self._handed else None

    def _restore(self, priority: Priority, expiry: float | None) -> None:
        if expiry is None or math.isinf(expiry) or self._blocked_for() > 0:
            return
        self._stock.put_back(priority, expiry)
        self._changed.set()

    async def _wait_turn(
        self,
        priority: Priority,
        storefront_id: str,
        since: datetime,
        timeout: float | None,  # noqa: ASYNC109 - not an error
    ) -> float | None:
        """The expiry of the token that this call gets; None after ``timeout`` seconds."""
        waiter = self._queue.push(priority, storefront_id, since, has_timeout=timeout is not None)
        if priority is Priority.PURCHASE and self._queue.purchases_of(storefront_id) == 1:
            # Its turn may come before that of those who wait already: a lease must name it soon.
            self._not_before.pop(priority, None)
            self._newcomer = True
        self._changed.set()
        if self._serving is None or self._serving.done():
            # Without the caller's context: this task outlives it and works for others too.
            self._serving = asyncio.create_task(self._serve(), name=f"rate {self.supplier}", context=Context())
        try:
            await asyncio.wait((waiter.turn,), timeout=timeout)
        except asyncio.CancelledError:
            if waiter.turn.done() and waiter.turn.exception() is None:
                self._restore(priority, waiter.turn.result())
            raise
        finally:
            self._queue.discard(waiter)
            if self._queue.first_priority() is None:
                self._changed.set()  # the serving task has nothing left to wait for
        return waiter.turn.result() if waiter.turn.done() else None

    async def _serve(self) -> None:
        """Serve the queue until it is empty: the most urgent priority first, each from tokens leased for it."""
        try:
            while (priority := self._queue.first_priority()) is not None:
                self._changed.clear()
                if self._hand_out(priority):
                    continue
                wait = max(self._blocked_for(), self._not_before.get(priority, 0.0) - self._clock())
                if wait <= 0:
                    wait = await self._lease_for(priority)
                if wait > 0:
                    self._refuse(wait)
                    await self._pause(self._changed, wait)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            self._fail_waiters(error)

    async def _lease_for(self, priority: Priority) -> float:
        """Lease tokens and hand out those that belong to a storefront; the seconds to wait when there were none."""
        leased_at = self._clock()  # before the lease, so that no token lives longer than it may
        wanted = max(self._queue.count(priority), self._stock.expected_demand(priority, leased_at))
        self._newcomer = False
        lease = await self._lease(priority, min(LEASE_TOKENS, wanted))
        if lease.granted > 0:
            self._stock.add(priority, lease.granted, leased_at, leased_at + LEASE_SECONDS)
            for storefront_id in lease.turns:
                self._hand_one(priority, storefront_id)
            if lease.wait == 0:
                return 0.0
        if self._newcomer and priority is Priority.PURCHASE:
            return 0.0
        wait = max(SHORTEST_WAIT, lease.wait)
        self._not_before[priority] = self._clock() + wait
        return 0.0 if lease.granted > 0 else wait

    def _hand_out(self, priority: Priority) -> bool:
        handed = False
        while self._hand_one(priority):
            handed = True
        return handed

    def _hand_one(self, priority: Priority, storefront_id: str | None = None) -> bool:
        if not self._queue.count(priority) or (expiry := self._take(priority)) is None:
            return False
        waiter = self._queue.pop(priority, storefront_id)
        if waiter is not None and not waiter.turn.done():
            waiter.turn.set_result(expiry)
        return True

    def _refuse(self, wait: float) -> None:
        """Refuse those who do not wait that long and have no time-out of their own."""
        for waiter in self._queue:
            if waiter.has_timeout:
                continue
            try:
                refuse_long_wait(self.supplier, waiter.priority, wait)
            except RateLimited as error:
                self._fail(waiter, error)

    def _fail_waiters(self, error: Exception) -> None:
        for waiter in self._queue:
            self._fail(waiter, error)

    def _fail(self, waiter: Waiter, error: Exception) -> None:
        self._queue.discard(waiter)
        if not waiter.turn.done():
            waiter.turn.set_exception(error)


class MemoryRateLimiter(QueuedRateLimiter):
    """The limiter of one process. It leases one token at a time, so that none is lost."""

    def __init__(
        self,
        supplier: str = "",
        requests_per_minute: int | None = None,
        *,
        writes_may_probe: bool = False,
        clock: Callable[[], float] = time.monotonic,
        pause: Pause = wait_until_set,
    ) -> None:
        super().__init__(supplier, requests_per_minute, writes_may_probe=writes_may_probe, clock=clock, pause=pause)
        self._arrival = clock()

    async def _lease(self, priority: Priority, wanted: int) -> Lease:  # noqa: ARG002 - one at a time
        assert self.per_minute is not None  # noqa: S101 - else no token is needed
        now, pace = self._clock(), Pace.of(self.per_minute)
        wait = self._arrival - pace.tolerance(priority) - now
        if wait > _CLOCK_NOISE:
            return Lease(0, wait)
        self._arrival = max(self._arrival, now) + pace.interval
        return Lease(1)

    async def _record_report(self, report: RateReport, blocked: float | None) -> None:  # noqa: ARG002 - kept by the base
        if report.limit is not None and self.per_minute is not None:
            self.per_minute = min(self.per_minute, report.limit)

    async def refresh(self) -> None:
        """As ``SupplierRateLimiter.refresh``: nobody else knows of this limiter."""

    async def _know_state(self, *, leasing: bool) -> None:
        """The state is in this process."""

    def _refresh_soon(self) -> None:
        """There is nothing to read."""
