"""Supplier accounts as operators see them, and switching one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg

from gateway.kit.pages import PageRequest, columns
from gateway.kit.pool import Connection, Pool
from gateway.suppliers.state_rules import UNKNOWN, SupplierState
from schemas.api_suppliers import Breaker, LastSync, Supplier, SupplierRateLimit
from schemas.page import Page


@dataclass(frozen=True, slots=True)
class SupplierContext:
    """What a supplier's row does not say, by name: its capabilities, calls a minute, and its state.

    A state that is not there stands for none that is known: ok.
    """

    capabilities: Mapping[str, Sequence[str]] = field(default_factory=dict)
    per_minute: Mapping[str, int | None] = field(default_factory=dict)
    states: Mapping[str, SupplierState] = field(default_factory=dict)


_SUPPLIERS = """
    SELECT s.name, s.provider, s.mode, s.configured, s.last_sync_at, s.last_good_at, s.last_sync_state,
           coalesce(o.offers, 0) AS offers,
           (SELECT count(*)::int FROM set_aside a WHERE a.supplier = s.name) AS set_aside,
           coalesce(b.state, 'closed') AS breaker, coalesce(b.failures, 0) AS failures, b.retry_at, b.last_error,
           l.reported_limit, l.remaining, l.resets_at, l.blocked_until
    FROM suppliers s
    LEFT JOIN supplier_breakers b ON b.supplier = s.name
    LEFT JOIN supplier_limits l ON l.supplier = s.name
    LEFT JOIN (SELECT supplier, count(*)::int AS offers FROM offers WHERE gone_at IS NULL GROUP BY supplier) AS o
        ON o.supplier = s.name
"""


async def suppliers(
    pool: Pool, page_request: PageRequest, context: SupplierContext, mode: str | None = None
) -> Page[Supplier]:
    """Supplier accounts by name, those of a mode; those that are configured no longer stay while they have offers."""
    rows = await pool.fetch(
        _SUPPLIERS
        + """WHERE s.name > $1 AND (s.configured OR o.offers > 0)
                 AND ($3::text IS NULL OR s.mode = $3)
             ORDER BY s.name LIMIT $2""",
        *page_request.after(str),
        page_request.fetch,
        mode,
    )
    return page_request.page(rows, columns("name")).map(lambda row: _supplier(row, context))


async def supplier(pool: Pool, name: str, context: SupplierContext) -> Supplier | None:
    """One supplier account, None when there is none of that name."""
    row = await pool.fetchrow(_SUPPLIERS + "WHERE s.name = $1", name)
    return None if row is None else _supplier(row, context)


async def is_supplier(connection: Connection | Pool, name: str) -> bool:
    """Whether there is an account of that name, configured or not."""
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM suppliers WHERE name = $1)", name))


async def paused(connection: Connection | Pool) -> list[str]:
    """The configured suppliers that an operator paused, by name."""
    rows = await connection.fetch("SELECT name FROM suppliers WHERE configured AND state = 'paused' ORDER BY name")
    return [row["name"] for row in rows]


async def set_supplier_state(pool: Connection | Pool, name: str, state: str) -> bool:
    """Set "active" or "paused"; False when there is no such supplier. A change tells every process to look again."""
    row = await pool.fetchrow(
        """WITH changed AS (UPDATE suppliers SET state = $2 WHERE name = $1 AND state <> $2)
           SELECT name FROM suppliers WHERE name = $1""",
        name,
        state,
    )
    return row is not None


def _supplier(row: asyncpg.Record, context: SupplierContext) -> Supplier:
    name = row["name"]
    judged = context.states.get(name, UNKNOWN)
    last = LastSync(row["last_sync_state"], row["last_sync_at"], row["last_good_at"]) if row["last_sync_at"] else None
    return Supplier(
        name=name,
        provider=row["provider"],
        mode=row["mode"],
        state=judged.state,
        configured=row["configured"],
        capabilities=list(context.capabilities.get(name, ())),
        last_sync=last,
        offers=row["offers"],
        set_aside=row["set_aside"],
        balance=None,
        breaker=Breaker(row["breaker"], row["failures"], row["retry_at"], row["last_error"]),
        rate_limit=SupplierRateLimit(
            context.per_minute.get(name),
            row["reported_limit"],
            row["remaining"],
            row["resets_at"],
            row["blocked_until"],
        ),
        problems=judged.problems,
    )
