"""How suppliers did lately: attempts and how long their answers took, syncs, what is open, what stops them.

Each figure is of the last so many rows at most, so that a page costs the same however much was sold.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from gateway.kit.pool import Pool

MOST_ATTEMPTS = 1_000
MOST_SYNCS = 50


class Attempts(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the attempts since a moment. Milliseconds are of calls that ended, from sending to their end."""

    supplier: str
    attempts: int
    succeeded: int
    failed: int
    open: int
    p50_ms: int | None
    p95_ms: int | None


class Syncs(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the last syncs; milliseconds are of those that were taken over."""

    supplier: str
    syncs: int
    ok: int
    p50_ms: int | None
    p95_ms: int | None


class OpenAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt of which it is not known how it ends."""

    id: str
    order_id: str
    kind: str
    state: str
    started_at: datetime
    error_code: str | None


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """A switch that keeps a supplier, or all ("") of them, from selling."""

    supplier: str
    reason: str
    note: str
    created_at: datetime


class LastSync(msgspec.Struct, frozen=True, kw_only=True):
    """One sync of a supplier."""

    run_id: str
    started_at: datetime
    state: str
    total: int
    mapped: int
    other_products: int
    new: int
    changed: int
    gone: int
    error: str | None
    ms: int | None


async def attempts(pool: Pool, suppliers: Sequence[str], since: datetime) -> dict[str, Attempts]:
    """Purchases and top-ups of each of these, the last ``MOST_ATTEMPTS`` since then."""
    rows = await pool.fetch(
        """SELECT n.name AS supplier, count(a.state)::int AS attempts,
                  (count(*) FILTER (WHERE a.state = 'succeeded'))::int AS succeeded,
                  (count(*) FILTER (WHERE a.state IN ('failed', 'charged_undeliverable')))::int AS failed,
                  (count(*) FILTER (WHERE a.state IN ('sending', 'accepted', 'unknown')))::int AS open,
                  round(percentile_cont(0.5) WITHIN GROUP (ORDER BY a.ms))::int AS p50_ms,
                  round(percentile_cont(0.95) WITHIN GROUP (ORDER BY a.ms))::int AS p95_ms
           FROM unnest($1::text[]) AS n (name)
           LEFT JOIN LATERAL (
               SELECT state, extract(epoch FROM call_ended_at - started_at) * 1000 AS ms
               FROM attempts WHERE supplier = n.name AND started_at >= $2 AND kind IN ('purchase', 'topup')
               ORDER BY started_at DESC LIMIT $3) AS a ON true
           GROUP BY n.name""",
        suppliers,
        since,
        MOST_ATTEMPTS,
    )
    return {row["supplier"]: Attempts(**dict(row)) for row in rows}


async def syncs(pool: Pool, suppliers: Sequence[str]) -> dict[str, Syncs]:
    """The last ``MOST_SYNCS`` of each of these."""
    rows = await pool.fetch(
        """SELECT n.name AS supplier, count(r.state)::int AS syncs,
                  (count(*) FILTER (WHERE r.state = 'ok'))::int AS ok,
                  round(percentile_cont(0.5) WITHIN GROUP (ORDER BY r.ms) FILTER (WHERE r.state = 'ok'))::int AS p50_ms,
                  round(percentile_cont(0.95) WITHIN GROUP (ORDER BY r.ms) FILTER (WHERE r.state = 'ok'))::int AS p95_ms
           FROM unnest($1::text[]) AS n (name)
           LEFT JOIN LATERAL (SELECT state, ms FROM sync_run_suppliers WHERE supplier = n.name
                              ORDER BY run_id DESC LIMIT $2) AS r ON true
           GROUP BY n.name""",
        suppliers,
        MOST_SYNCS,
    )
    return {row["supplier"]: Syncs(**dict(row)) for row in rows}


async def last_syncs(pool: Pool, supplier: str, limit: int) -> list[LastSync]:
    """The last syncs of one supplier, the newest first."""
    rows = await pool.fetch(
        """SELECT p.run_id, r.started_at, p.state, p.total, p.mapped, p.other_products, p.new, p.changed, p.gone,
                  p.error, p.ms
           FROM sync_run_suppliers p JOIN sync_runs r ON r.id = p.run_id
           WHERE p.supplier = $1 ORDER BY p.run_id DESC LIMIT $2""",
        supplier,
        limit,
    )
    return [LastSync(**dict(row)) for row in rows]


async def open_counts(pool: Pool, suppliers: Sequence[str]) -> dict[str, int]:
    """How many attempts of each of these are open."""
    rows = await pool.fetch(
        """SELECT supplier, count(*)::int AS n FROM attempts
           WHERE state IN ('sending', 'accepted', 'unknown') AND supplier = ANY($1) GROUP BY supplier""",
        suppliers,
    )
    return {row["supplier"]: row["n"] for row in rows}


async def open_attempts(pool: Pool, supplier: str, limit: int) -> list[OpenAttempt]:
    """The attempts at a supplier that are open, the oldest first."""
    rows = await pool.fetch(
        """SELECT id, order_id, kind, state, started_at, error_code FROM attempts
           WHERE state IN ('sending', 'accepted', 'unknown') AND supplier = $1 ORDER BY started_at LIMIT $2""",
        supplier,
        limit,
    )
    return [OpenAttempt(**dict(row)) for row in rows]


async def stops(pool: Pool) -> list[Stop]:
    """Every stop in force."""
    rows = await pool.fetch("SELECT supplier, reason, note, created_at FROM selling_stops ORDER BY 1, 2")
    return [Stop(**dict(row)) for row in rows]
