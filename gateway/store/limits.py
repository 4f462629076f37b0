"""A supplier's rate and breaker as rows that every process shares.

The rate is GCRA: one row holds the theoretical arrival time, and one statement moves it on and says
how long to wait. The breaker's row is what people see; it opens after some outages in a row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import asyncpg

from gateway.store.pool import DATABASE_DOWN
from providers.gate import (
    BREAKER_FAILURES,
    BREAKER_MAX_SECONDS,
    BREAKER_SECONDS,
    RESERVED_SHARE,
    Priority,
    RateReport,
    is_outage,
    refuse_long_wait,
)
from schemas.errors import CircuitOpen, GateUnavailable, SupplierError

# After this long without a word a probe counts as lost: its process was killed.
PROBE_SECONDS = 120
# How long a lower limit that a supplier reported is believed.
REPORT_SECONDS = 600
_SHORTEST_WAIT = 0.005

# $1 supplier, $2 requests per minute or null, $3 share of the burst kept for others, $4 report seconds.
# The pace is that of providers.gate.Pace. No row comes back when there is none for the supplier.
_TAKE = """
WITH pace AS (
    SELECT supplier,
           CASE WHEN $2::int IS NULL THEN 0 ELSE 60.0 / greatest(1, rate - greatest(1, rate / 6)) END AS step,
           greatest(1, rate / 6) AS burst
    FROM (SELECT supplier, least($2::int,
                     CASE WHEN reported_at > now() - make_interval(secs => $4) THEN reported_limit END) AS rate
          FROM supplier_limits WHERE supplier = $1) AS limits
), room AS (
    SELECT supplier, step, make_interval(secs => (burst - 1 - floor(burst * $3::float8)) * step) AS ahead
    FROM pace
), taken AS (
    UPDATE supplier_limits AS l
    SET tat = greatest(l.tat, clock_timestamp()) + make_interval(secs => room.step)
    FROM room
    WHERE l.supplier = room.supplier
      AND (room.step = 0 OR l.tat <= clock_timestamp() + room.ahead)
      AND (l.blocked_until IS NULL OR l.blocked_until <= clock_timestamp())
    RETURNING 0::float8 AS wait
)
SELECT wait FROM taken
UNION ALL
SELECT greatest($5::float8, extract(epoch FROM greatest(
           CASE WHEN room.step > 0 THEN l.tat - room.ahead END, l.blocked_until) - clock_timestamp()))::float8
FROM supplier_limits AS l JOIN room USING (supplier)
WHERE NOT EXISTS (SELECT FROM taken)
"""

# Headers lower and never raise: a block only grows, and the lower of two limits is taken above.
_OBSERVE = """
UPDATE supplier_limits SET
    remaining = $2,
    reported_limit = coalesce($3, reported_limit),
    resets_at = now() + make_interval(secs => $4),
    reported_at = now(),
    blocked_until = greatest(blocked_until, now() + make_interval(secs => $5))
WHERE supplier = $1
"""

_BREAKER = """
SELECT state, failures, last_error,
       greatest(0, extract(epoch FROM retry_at - now()))::float8 AS wait,
       CASE state WHEN 'open' THEN retry_at <= now()
                  WHEN 'half_open' THEN changed_at < now() - make_interval(secs => $2) END AS may_probe
FROM supplier_breakers WHERE supplier = $1
"""

# One caller turns an open breaker into its probe; to the others nothing comes back.
_PROBE = """
UPDATE supplier_breakers
SET state = CASE state WHEN 'closed' THEN 'closed' ELSE 'half_open' END, changed_at = now()
WHERE supplier = $1
  AND (state IN ('closed', 'open') OR changed_at < now() - make_interval(secs => $2))
RETURNING true
"""

_FAIL = """
UPDATE supplier_breakers SET
    failures = failures + 1,
    last_error = $2,
    state = CASE WHEN state = 'half_open' OR failures + 1 >= $3 THEN 'open' ELSE state END,
    opened_at = CASE WHEN state = 'closed' AND failures + 1 >= $3 THEN now() ELSE opened_at END,
    retry_at = CASE
        WHEN state = 'open' THEN retry_at
        WHEN state = 'half_open' OR failures + 1 >= $3 THEN now() + make_interval(
            secs => least($5::float8, $4::float8 * 2 ^ least(greatest(failures + 1 - $3, 0), 10)))
    END,
    changed_at = CASE
        WHEN state = 'half_open' OR (state = 'closed' AND failures + 1 >= $3) THEN now()
        ELSE changed_at
    END
WHERE supplier = $1
"""

_SUCCEED = """
UPDATE supplier_breakers SET
    state = 'closed', failures = 0, opened_at = NULL, retry_at = NULL,
    changed_at = CASE WHEN state = 'closed' THEN changed_at ELSE now() END
WHERE supplier = $1 AND (failures > 0 OR state <> 'closed')
"""


class SupplierGate:
    """The gate of one supplier account, shared through PostgreSQL by all processes.

    ``requests_per_minute`` None means that only what the supplier itself says in its headers holds.
    """

    def __init__(self, pool: asyncpg.Pool[Any], supplier: str, requests_per_minute: int | None) -> None:
        self._pool = pool
        self._supplier = supplier
        self._per_minute = requests_per_minute
        self._forced = False
        self._clean = False
        # Callers of one priority queue here in order, so that one of them asks the database and not all.
        self._turns = {priority: asyncio.Lock() for priority in Priority}

    async def admit(self, priority: Priority) -> None:
        """Wait for a place under the rate.

        Raises ``CircuitOpen`` while the breaker is open, ``RateLimited`` when the supplier told us to
        stay away for longer than this priority waits.
        A purchase that cannot be counted because the database is away was not sent: ``GateUnavailable``.
        """
        if priority is not Priority.PURCHASE:
            await self._admit(priority)
            return
        try:
            await self._admit(priority)
        except DATABASE_DOWN as error:
            detail = f"not called, its rate could not be counted: {type(error).__name__}"
            raise GateUnavailable(detail, supplier=self._supplier) from None

    async def _admit(self, priority: Priority) -> None:
        closed = await self._look_at_breaker()
        async with self._turns[priority]:
            while (wait := await self._take(priority)) > 0:
                refuse_long_wait(self._supplier, priority, wait)
                await asyncio.sleep(wait)
        if not closed and not await self._pool.fetchval(_PROBE, self._supplier, PROBE_SECONDS):
            raise CircuitOpen("not called: another call is trying whether it is back", supplier=self._supplier)

    async def observed(self, headers: Mapping[str, str], status: int) -> None:
        """Take over what an answer says of the rate; it can lower ours and never raise it."""
        report = RateReport.of(headers, datetime.now(UTC))
        blocked = report.blocks(status)
        if blocked is None and report.limit is None and report.remaining is None:
            return
        await self._pool.execute(_OBSERVE, self._supplier, report.remaining, report.limit, report.resets_in, blocked)

    async def succeeded(self) -> None:
        """Close the breaker; nothing is written when it was closed and clean."""
        if not self._clean:
            await self._pool.execute(_SUCCEED, self._supplier)

    async def failed(self, error: SupplierError) -> None:
        """Count an outage; enough of them in a row open the breaker, for longer each time."""
        if is_outage(error):
            await self._pool.execute(
                _FAIL, self._supplier, f"{error.code}: {error}", BREAKER_FAILURES, BREAKER_SECONDS, BREAKER_MAX_SECONDS
            )

    async def probe(self) -> None:
        """Let the next call look at a supplier whose breaker is open, once."""
        self._forced = True

    async def _look_at_breaker(self) -> bool:
        """Whether the breaker is closed; False when this call is to try a supplier that was down."""
        forced, self._forced = self._forced, False
        row = await self._pool.fetchrow(_BREAKER, self._supplier, PROBE_SECONDS)
        self._clean = row is not None and row["state"] == "closed" and row["failures"] == 0
        if row is None:
            await self._make_rows()
            return True
        if row["state"] != "closed" and not row["may_probe"] and not (forced and row["state"] == "open"):
            raise CircuitOpen(
                f"not called, its breaker is open after: {row['last_error']}",
                supplier=self._supplier,
                retry_after=row["wait"],
            )
        return bool(row["state"] == "closed")

    async def _take(self, priority: Priority) -> float:
        wait = await self._pool.fetchval(
            _TAKE, self._supplier, self._per_minute, RESERVED_SHARE[priority], REPORT_SECONDS, _SHORTEST_WAIT
        )
        if wait is None:
            await self._make_rows()
            return _SHORTEST_WAIT
        return float(wait)

    async def _make_rows(self) -> None:
        for table in ("supplier_limits", "supplier_breakers"):
            await self._pool.execute(
                f"INSERT INTO {table} (supplier) VALUES ($1) ON CONFLICT DO NOTHING",  # noqa: S608 - the two names above
                self._supplier,
            )
