"""What a snapshot and its overlay are made from, read from PostgreSQL; and the row that says what was published."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import msgspec

from gateway.catalog.index.overlay import Mark, Overlay, SupplierState
from gateway.kit.pool import Connection, Pool
from gateway.suppliers import fund_rows
from gateway.suppliers.spendable_rules import Funds

MODES = ("live", "test")
_ROWS_AT_ONCE = 5000


class Published(msgspec.Struct, frozen=True):
    """What the newest snapshots are: the version of each mode, and digests of what they were made from."""

    basis: str
    versions: dict[str, str]
    rates: str = ""


class State(msgspec.Struct, frozen=True):
    """The counters of ``catalog_state``; ``newest`` is None before anything was published.

    ``rates`` is a digest of the exchange rates in force, "" before any were noted.
    """

    content: int
    overlay: int
    pricing: int
    published: int
    newest: Published | None
    rates: str = ""


async def state(connection: Connection | Pool) -> State:
    """Where the catalogue stands."""
    row = await connection.fetchrow("SELECT content, overlay, pricing, published, digest, rates FROM catalog_state")
    if row is None:
        raise LookupError("catalog_state has no row; the database was not migrated")
    newest = None
    if row["digest"] is not None:
        try:
            newest = msgspec.json.decode(row["digest"], type=Published)
        except msgspec.DecodeError:  # another release wrote it
            newest = None
    return State(row["content"], row["overlay"], row["pricing"], row["published"], newest, row["rates"] or "")


async def published(connection: Connection | Pool, content: int, newest: Published) -> None:
    """Write down what the newest snapshots hold, unless something newer was published meanwhile."""
    await connection.execute(
        "UPDATE catalog_state SET published = $1, published_at = now(), digest = $2 WHERE published <= $1",
        content,
        msgspec.json.encode(newest).decode(),
    )


async def supplier_modes(connection: Connection) -> dict[str, str]:
    """The mode of every supplier that was ever configured."""
    rows = await connection.fetch("SELECT name, mode FROM suppliers ORDER BY name")
    return {row["name"]: row["mode"] for row in rows}


async def offers(connection: Connection) -> AsyncIterator[list[tuple[Any, ...]]]:
    """Every offer that is not gone, in lots, within the caller's transaction.

    In the order of ``SnapshotBuilder.add``; coverage, JSON columns and cost are text.
    """
    cursor = await connection.cursor(
        """
        SELECT supplier, supplier_plan_id, name, plan_id, array_to_string(coverage, ',') AS coverage,
               data::text AS data, days, starts, networks::text AS networks, features::text AS features,
               cost::text AS cost, currency, stock, visible, suspect IS NOT NULL AS suspect
        FROM offers WHERE gone_at IS NULL
        """
    )
    while rows := await cursor.fetch(_ROWS_AT_ONCE):
        yield [tuple(row) for row in rows]


async def touched(connection: Connection) -> dict[str, int]:
    """When each plan was last touched, in microseconds since 1970."""
    rows = await connection.fetch("SELECT id, (extract(epoch FROM updated_at) * 1000000)::bigint AS at FROM plans")
    return {row["id"]: row["at"] for row in rows}


async def touched_since(pool: Pool, since: datetime) -> list[str]:
    """The plans that something happened to from this time on."""
    rows = await pool.fetch("SELECT id FROM plans WHERE updated_at >= $1 ORDER BY id", since)
    return [row["id"] for row in rows]


async def published_at(pool: Pool) -> datetime | None:
    """When the newest snapshots were published, None before the first time."""
    at: datetime | None = await pool.fetchval("SELECT published_at FROM catalog_state")
    return at


async def gone(connection: Connection, mode: str) -> dict[str, int]:
    """When each plan that has no offer left in this mode lost the last one, in microseconds since 1970."""
    rows = await connection.fetch(
        """
        SELECT o.plan_id AS id, (extract(epoch FROM max(o.gone_at)) * 1000000)::bigint AS at
        FROM offers o JOIN suppliers s ON s.name = o.supplier
        WHERE s.mode = $1 GROUP BY o.plan_id HAVING bool_and(o.gone_at IS NOT NULL)
        UNION ALL
        SELECT p.id, (extract(epoch FROM p.gone_at) * 1000000)::bigint FROM plans p
        WHERE p.gone_at IS NOT NULL AND NOT EXISTS (SELECT FROM offers o WHERE o.plan_id = p.id)
        """,
        mode,
    )
    return {row["id"]: row["at"] for row in rows}


async def overlay(connection: Connection | Pool) -> Overlay:
    """What keeps offers out of the selection between two snapshots."""
    suppliers = await connection.fetch(
        """
        SELECT name, mode, configured,
               CASE WHEN EXISTS (SELECT FROM selling_stops t WHERE t.supplier IN ('', s.name)) THEN 'stopped'
                    ELSE state END AS state,
               last_good_at, last_sync_state, CASE WHEN no_balance_until > now() THEN no_balance_until END
                   AS no_balance_until, quarantined IS NOT NULL AS quarantined
        FROM suppliers s ORDER BY name
        """
    )
    marks = await connection.fetch(
        """
        SELECT supplier, supplier_plan_id, why, until FROM offer_marks
        WHERE until IS NULL OR until > now() ORDER BY supplier, supplier_plan_id, why
        """
    )
    return Overlay(
        tuple(SupplierState(**row) for row in suppliers),
        tuple(Mark(**row) for row in marks),
        await money(connection),
    )


async def money(connection: Connection | Pool) -> tuple[Funds, ...]:
    """Our money at every supplier that ever told it. It changes with each purchase, so it is no part of the counter."""
    return tuple(sorted((await fund_rows.load_all(connection)).values()))
