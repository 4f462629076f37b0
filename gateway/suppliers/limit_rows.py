"""A supplier's rate and breaker as rows that every process shares.

The rate is GCRA: one row holds the theoretical arrival time, and one call of ``lease_supplier_tokens`` takes tokens
for at most a second. While they are short it deals them out in turn over the storefronts of all processes. The
breaker's row is what operators see; a process answers from its memory of it, which it updates by its own calls and
reads again about once a second while it is used. All of it is written with asynchronous commit: what a crash of the
server forgets here is out of date a second later anyway.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from contextvars import Context
from datetime import datetime
from typing import Any
from uuid import uuid4

import asyncpg
import structlog

from gateway.kit.pool import DATABASE_DOWN
from providers.kit import breaker
from providers.kit.breaker import BreakerRow, BreakerState, described, is_read_failure
from providers.kit.rate_limiter import Lease, Pause, QueuedRateLimiter, wait_until_set
from providers.kit.supplier_rate import RESERVED_SHARE, Priority, RateReport, is_outage
from schemas.errors import CircuitOpen, RateLimiterUnavailable, SupplierError

_log = structlog.get_logger(__name__)

# How long a lower limit that a supplier reported is believed.
REPORT_SECONDS = 600
# The rows are read again in the background when they were read longer ago than this ...
REFRESH_SECONDS = 1.0
# ... and before a call goes when it was longer ago than this: nobody has used this supplier meanwhile.
STALE_SECONDS = 2.0
# A call waits so long for that at most, when it has read the rows before.
REFRESH_WAIT_SECONDS = 2.0
# So many waiting purchases of a storefront are told to the other processes: more are not due at once while it is short.
ANNOUNCED = 8

_BREAKER_COLUMNS = """
    state, failures, read_failures, last_error,
    extract(epoch FROM retry_at - now())::float8 AS retry_in,
    greatest(0, extract(epoch FROM now() - changed_at))::float8 AS changed_ago
"""
# Settles for asynchronous commit for the statement that it stands in.
_QUICK = "quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))"

_LEASE = f"""
SELECT lease.granted, lease.wait, lease.turns, b.*
FROM lease_supplier_tokens($1, $2, $3, $4, $5, $6, $7, $8, $9) AS lease
LEFT JOIN (SELECT {_BREAKER_COLUMNS} FROM supplier_breakers WHERE supplier = $1) AS b ON true
"""  # noqa: S608 - the columns above

_REFRESH = f"""
SELECT l.supplier IS NOT NULL AND b.state IS NOT NULL AS rows_exist,
       extract(epoch FROM l.blocked_until - now())::float8 AS blocked_for,
       CASE WHEN l.reported_at > now() - make_interval(secs => $2) THEN l.reported_limit END AS reported_limit,
       b.*
FROM (SELECT $1::text AS supplier) AS account
LEFT JOIN supplier_limits l USING (supplier)
LEFT JOIN (SELECT {_BREAKER_COLUMNS} FROM supplier_breakers WHERE supplier = $1) AS b ON true
"""  # noqa: S608 - the columns above

_MAKE_ROWS = """
WITH limits AS (INSERT INTO supplier_limits (supplier) VALUES ($1) ON CONFLICT DO NOTHING)
INSERT INTO supplier_breakers (supplier) VALUES ($1) ON CONFLICT DO NOTHING
"""

# Headers lower and never raise: a block only grows, and the lower of two limits is taken at a lease.
_REPORT = f"""
WITH {_QUICK}
INSERT INTO supplier_limits AS l (supplier, remaining, reported_limit, resets_at, reported_at, blocked_until)
SELECT $1, $2, $3, now() + make_interval(secs => $4), now(), now() + make_interval(secs => $5) FROM quick
ON CONFLICT (supplier) DO UPDATE SET
    remaining = excluded.remaining,
    reported_limit = coalesce(excluded.reported_limit, l.reported_limit),
    resets_at = excluded.resets_at,
    reported_at = excluded.reported_at,
    blocked_until = greatest(l.blocked_until, excluded.blocked_until)
"""  # noqa: S608 - the common table above

# One caller turns an open breaker into its probe; to the others nothing comes back.
_PROBE = f"""
WITH {_QUICK}
UPDATE supplier_breakers
SET state = CASE state WHEN 'closed' THEN 'closed' ELSE 'half_open' END, changed_at = now()
FROM quick
WHERE supplier = $1
  AND (state IN ('closed', 'open') OR changed_at < now() - make_interval(secs => $2))
RETURNING true
"""  # noqa: S608 - the common table above

# As Breaker.fail. $3 is 1 for a read or no connection, else 0; $4 whether it may be a probe's answer; $5 the failures
# that open it; $6 and $7 its seconds at first and at most.
_FAIL = f"""
WITH {_QUICK}
INSERT INTO supplier_breakers AS b (supplier, failures, read_failures, last_error) SELECT $1, 1, $3::int, $2 FROM quick
ON CONFLICT (supplier) DO UPDATE SET
    failures = b.failures + 1,
    read_failures = b.read_failures + $3,
    last_error = $2,
    state = CASE WHEN b.state <> 'closed' OR b.failures + 1 >= $5 THEN 'open' ELSE 'closed' END,
    opened_at = CASE WHEN b.state = 'closed' AND b.failures + 1 >= $5 THEN now() ELSE b.opened_at END,
    retry_at = CASE WHEN b.state <> 'closed' OR b.failures + 1 >= $5 THEN now() + make_interval(
        secs => least($7::float8, $6::float8 * 2 ^ least(greatest(b.read_failures + $3 - $5, 0), 10))) END,
    changed_at = CASE WHEN b.state <> 'closed' OR b.failures + 1 >= $5 THEN now() ELSE b.changed_at END
WHERE b.state = 'closed' OR ($4 AND (b.state = 'half_open' OR b.retry_at <= now()))
RETURNING {_BREAKER_COLUMNS}
"""  # noqa: S608 - the common table and columns above

_SUCCEED = f"""
WITH {_QUICK}
UPDATE supplier_breakers SET
    state = 'closed', failures = 0, read_failures = 0, opened_at = NULL, retry_at = NULL,
    changed_at = CASE WHEN state = 'closed' THEN changed_at ELSE now() END
FROM quick
WHERE supplier = $1 AND (failures > 0 OR state <> 'closed')
"""  # noqa: S608 - the common table above


class SharedRateLimiter(QueuedRateLimiter):
    """The rate limiter of one supplier account, shared through PostgreSQL by all processes.

    ``requests_per_minute`` None means that only what the supplier itself says in its headers holds.
    ``database_clock`` stands for the database's clock in tests.
    """

    def __init__(
        self,
        pool: asyncpg.Pool[Any],
        supplier: str,
        requests_per_minute: int | None,
        *,
        writes_may_probe: bool = False,
        clock: Callable[[], float] = time.monotonic,
        pause: Pause = wait_until_set,
        database_clock: Callable[[], datetime] | None = None,
    ) -> None:
        super().__init__(supplier, requests_per_minute, writes_may_probe=writes_may_probe, clock=clock, pause=pause)
        self._pool = pool
        self._database_clock = database_clock
        self._process = uuid4().hex  # a limiter stands for its process
        self._seen_at = -math.inf  # when the rows were read last
        self._asked_at = -math.inf  # when that was tried last
        self._refreshing: asyncio.Task[None] | None = None
        self._breaker_writes = 0  # under way: what is read meanwhile of the breaker is out of date
        self._reported_limit: int | None = None
        self._report: RateReport | None = None  # the newest, not written yet
        self._report_blocked: float | None = None  # the longest block of those not written, in seconds
        self._report_lock = asyncio.Lock()
        self._reported_at = -math.inf
        self._reporting: asyncio.Task[None] | None = None

    async def admit(self, priority: Priority, *, write: bool = False) -> None:
        """As ``SupplierRateLimiter.admit``. Raises what the database raises, but for purchases."""
        if priority is not Priority.PURCHASE:
            await super().admit(priority, write=write)
            return
        try:
            await super().admit(priority, write=write)
        except DATABASE_DOWN as error:
            detail = f"not called, its rate could not be counted: {type(error).__name__}"
            raise RateLimiterUnavailable(detail, supplier=self.supplier) from None

    async def succeeded(self) -> None:
        """Close the breaker; nothing is written when it was closed and counted no failure."""
        if self.breaker.succeed(self._clock()):
            await self._write_breaker(_SUCCEED)

    async def failed(self, error: SupplierError, *, write: bool = False) -> None:
        """Count an outage; enough of them in a row open the breaker, for all processes."""
        if is_outage(error) and self.breaker.fail(self._clock(), error, write=write):
            await self._write_breaker(
                _FAIL,
                described(error),
                int(is_read_failure(error, write=write)),
                not write or self.breaker.writes_may_probe,
                breaker.BREAKER_FAILURES,
                breaker.BREAKER_SECONDS,
                breaker.BREAKER_MAX_SECONDS,
            )

    async def refresh(self) -> None:
        """Read both rows now. Raises what the database raises."""
        self._asked_at = self._clock()
        version = self.breaker.version
        [row] = await self._pool.fetch(_REFRESH, self.supplier, REPORT_SECONDS)
        if not row["rows_exist"]:
            await self._pool.execute(_MAKE_ROWS, self.supplier)
        if row["blocked_for"] is not None and row["blocked_for"] > self._blocked_for():
            self._block(row["blocked_for"])
        self._reported_limit = row["reported_limit"]
        self._take_over(row, version)

    async def close(self) -> None:
        """As ``SupplierRateLimiter.close``. What cannot be written then is dropped: it is only what headers said."""
        await super().close()
        tasks = [task for task in (self._refreshing, self._reporting) if task is not None and not task.done()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if self._report is not None:
            try:
                async with asyncio.timeout(REFRESH_WAIT_SECONDS):
                    await self._write_report()
            except DATABASE_DOWN as error:
                _log.info("supplier_rate_record_failed", supplier=self.supplier, error=type(error).__name__)

    # --- what QueuedRateLimiter asks for ------------------------------------------------------------

    async def _lease(self, priority: Priority, wanted: int) -> Lease:
        self._asked_at = self._clock()
        version = self.breaker.version
        at = None if self._database_clock is None else self._database_clock()
        waiting = self._queue.oldest_purchases(ANNOUNCED) if priority is Priority.PURCHASE else []
        [row] = await self._pool.fetch(
            _LEASE, self.supplier, self.per_minute, wanted, RESERVED_SHARE[priority], REPORT_SECONDS, at,
            self._process, [storefront_id for storefront_id, _ in waiting], [since for _, since in waiting],
        )  # fmt: skip
        self._take_over(row, version)
        return Lease(row["granted"], row["wait"], tuple(row["turns"]))

    async def _record_report(self, report: RateReport, blocked: float | None) -> None:
        if blocked is None and report.limit is None and report.remaining is None:
            return
        known = [limit for limit in (self._reported_limit, self.per_minute) if limit is not None]
        lowered = report.limit is not None and self.per_minute is not None and report.limit < min(known)
        if report.limit is not None:
            self._reported_limit = report.limit
        if lowered:
            self._drop_tokens()  # they were taken at the higher rate
        self._report = report
        if blocked is not None:
            self._report_blocked = max(blocked, self._report_blocked or 0.0)
        if blocked or lowered:
            await self._write_report()
        elif self._reporting is None or self._reporting.done():
            # Every answer of some suppliers carries these headers: one statement a second is enough to show them.
            self._reporting = asyncio.create_task(self._report_soon(), context=Context())

    async def _claim_probe(self) -> None:
        self.breaker.start_probe(self._clock())
        claimed = await self._pool.fetchval(_PROBE, self.supplier, breaker.PROBE_SECONDS)
        if not claimed:
            raise CircuitOpen("not called: another call is trying whether it is back", supplier=self.supplier)

    async def _know_state(self, *, leasing: bool) -> None:
        if leasing and self.breaker.is_clean:
            return
        age = self._clock() - self._seen_at
        if math.isinf(age):
            await self.refresh()
            return
        if age <= STALE_SECONDS:
            self._refresh_soon()
            return
        self._refresh_soon()
        if self._refreshing is not None:
            await asyncio.wait((self._refreshing,), timeout=REFRESH_WAIT_SECONDS)

    def _refresh_soon(self) -> None:
        if self._clock() - max(self._seen_at, self._asked_at) < REFRESH_SECONDS:
            return
        if self._refreshing is None or self._refreshing.done():
            self._asked_at = self._clock()
            self._refreshing = asyncio.create_task(self._refresh_quietly(), context=Context())

    # --- the rows -----------------------------------------------------------------------------------

    async def _refresh_quietly(self) -> None:
        try:
            await self.refresh()
        except DATABASE_DOWN as error:
            _log.debug("supplier_state_read_failed", supplier=self.supplier, error=type(error).__name__)

    async def _report_soon(self) -> None:
        await asyncio.sleep(max(0.0, self._reported_at + REFRESH_SECONDS - self._clock()))
        try:
            await self._write_report()
        except DATABASE_DOWN as error:
            _log.debug("supplier_rate_record_failed", supplier=self.supplier, error=type(error).__name__)

    async def _write_report(self) -> None:
        async with self._report_lock:  # one after the other: an older report that comes late would undo a newer one
            report, self._report = self._report, None
            blocked, self._report_blocked = self._report_blocked, None
            if report is None:
                return
            self._reported_at = self._clock()
            await self._pool.execute(_REPORT, self.supplier, report.remaining, report.limit, report.resets_in, blocked)

    async def _write_breaker(self, statement: str, *values: object) -> None:
        self._breaker_writes += 1
        version = self.breaker.version
        try:
            row = await self._pool.fetchrow(statement, self.supplier, *values)
        finally:
            self._breaker_writes -= 1
        if row is not None:
            self._take_over(row, version)
        elif statement is _FAIL:  # another process opened it before
            self._asked_at = self._seen_at = -math.inf

    def _take_over(self, row: asyncpg.Record, version: int) -> None:
        """Take over what the breaker's row said, unless this process knows something newer."""
        self._seen_at = self._clock()
        if version != self.breaker.version or self._breaker_writes:
            return
        if row["state"] is None:
            self.breaker.load(self._clock(), BreakerRow())
            return
        self.breaker.load(
            self._clock(),
            BreakerRow(
                state=BreakerState(row["state"]),
                failures=row["failures"],
                read_failures=row["read_failures"],
                retry_in=row["retry_in"],
                changed_ago=row["changed_ago"],
                last_error=row["last_error"],
            ),
        )
