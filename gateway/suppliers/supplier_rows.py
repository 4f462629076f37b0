"""Supplier accounts in the database: which are configured, and what is known of each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from gateway.kit.pool import Connection, Pool


class Configured(msgspec.Struct, frozen=True):
    """An account as the settings name it."""

    name: str
    provider: str
    mode: str


class SupplierRow(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of one configured account. ``breaker`` is closed, open or half_open."""

    name: str
    provider: str
    mode: Literal["live", "test"]
    state: Literal["active", "paused", "stopped"]
    last_sync_at: datetime | None
    last_good_at: datetime | None
    last_sync_state: Literal["ok", "failed", "quarantined"] | None
    offers: int
    set_aside: int
    suspect: int
    breaker: str
    retry_at: datetime | None
    last_error: str | None


async def register(pool: Pool, accounts: Sequence[Configured]) -> None:
    """Make the rows agree with the settings; an account that is no longer named stays, unconfigured.

    Nothing is written when nothing differs: each write tells the serving processes to look again.
    """
    rows = [(a.name, a.provider, a.mode) for a in accounts]
    stored = await pool.fetch("SELECT name, provider, mode FROM suppliers WHERE configured ORDER BY name")
    if [tuple(row) for row in stored] == sorted(rows):
        return
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "UPDATE suppliers SET configured = false WHERE configured AND name <> ALL($1::text[])",
            [name for name, _, _ in rows],
        )
        await connection.executemany(
            """
            INSERT INTO suppliers AS s (name, provider, mode) VALUES ($1, $2, $3)
            ON CONFLICT (name) DO UPDATE SET provider = excluded.provider, mode = excluded.mode, configured = true
            WHERE (s.provider, s.mode, s.configured) IS DISTINCT FROM (excluded.provider, excluded.mode, true)
            """,
            sorted(rows),
        )
        # Which suppliers there are, and in which mode, decides what a snapshot holds.
        await connection.execute("UPDATE catalog_state SET content = content + 1")


async def register_new(connection: Connection, accounts: Sequence[Configured]) -> None:
    """Add the accounts that have no row yet; what stands of the others stays, whatever these settings say."""
    added = await connection.fetch(
        """INSERT INTO suppliers (name, provider, mode)
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) ON CONFLICT (name) DO NOTHING RETURNING name""",
        [account.name for account in accounts],
        [account.provider for account in accounts],
        [account.mode for account in accounts],
    )
    if added:
        await connection.execute("UPDATE catalog_state SET content = content + 1")


# What a first list waits for: nothing of it is sold before it was judged beside the others.
UNJUDGED = "its first sync has not been judged beside the other suppliers yet"


async def synced(connection: Connection, name: str, started_at: datetime, mapping: str) -> None:
    """A whole walk replaced the offers: they count as observed when it began, and were mapped by ``mapping``.

    A supplier that is quarantined stays so until ``passed``, and so does one of which no sync has passed yet.
    """
    await connection.execute(
        """
        UPDATE suppliers SET last_sync_at = $2, last_good_at = $2, mapping = $3,
               last_sync_state = CASE WHEN coalesce(quarantined, $4) = $4 THEN 'ok' ELSE 'quarantined' END,
               quarantined = CASE WHEN passed_at IS NULL THEN coalesce(quarantined, $4) ELSE quarantined END
        WHERE name = $1
        """,
        name,
        started_at,
        mapping,
        UNJUDGED,
    )


async def passed(connection: Connection, name: str, accepted_faults: Sequence[str], at: datetime) -> bool:
    """The list that stands may be sold, whatever faults of it an operator accepted; whether that is new."""
    status = await connection.execute(
        """
        UPDATE suppliers SET quarantined = NULL, passed_at = coalesce(passed_at, $3), accepted_faults = $2,
               last_sync_state = 'ok'
        WHERE name = $1 AND (quarantined IS NOT NULL OR passed_at IS NULL OR accepted_faults <> $2)
        """,
        name,
        list(accepted_faults),
        at,
    )
    return status.endswith("1")


async def quarantined(connection: Connection, name: str) -> str | None:
    """Why nothing is sold of the list that stands; None when it may be."""
    reason: str | None = await connection.fetchval("SELECT quarantined FROM suppliers WHERE name = $1", name)
    return reason


async def quarantine(connection: Connection, name: str, reason: str) -> None:
    """Sell nothing of the list that stands, until a sync passes or an operator lets it through."""
    await connection.execute(
        "UPDATE suppliers SET quarantined = $2, last_sync_state = 'quarantined' WHERE name = $1", name, reason
    )


async def never_synced(connection: Connection, name: str) -> bool:
    """Whether no walk of this account was ever accepted, and no offer of it is stored, not even one that is gone."""
    return bool(
        await connection.fetchval(
            "SELECT last_good_at IS NULL AND NOT EXISTS (SELECT FROM offers WHERE supplier = $1)"
            " FROM suppliers WHERE name = $1",
            name,
        )
    )


async def mapping_of(pool: Pool, name: str) -> str | None:
    """What mapped the offers that stand of a supplier, as ``synced`` noted it."""
    mapping: str | None = await pool.fetchval("SELECT mapping FROM suppliers WHERE name = $1", name)
    return mapping


async def not_synced(connection: Connection, name: str, started_at: datetime, state: str) -> None:
    """A sync came to nothing (``failed``, ``quarantined``): the old offers stand, and are stale."""
    await connection.execute(
        "UPDATE suppliers SET last_sync_at = $2, last_sync_state = $3 WHERE name = $1", name, started_at, state
    )


async def all_configured(pool: Pool) -> list[SupplierRow]:
    """Every configured account with its last sync, its counts and its breaker, by name."""
    rows = await pool.fetch(
        """
        SELECT s.name, s.provider, s.mode, s.state, s.last_sync_at, s.last_good_at, s.last_sync_state,
               o.offers, o.suspect, a.set_aside, coalesce(b.state, 'closed') AS breaker, b.retry_at, b.last_error
        FROM suppliers s
        LEFT JOIN supplier_breakers b ON b.supplier = s.name
        CROSS JOIN LATERAL (
            SELECT count(*)::int AS offers, (count(*) FILTER (WHERE suspect IS NOT NULL))::int AS suspect
            FROM offers WHERE supplier = s.name AND gone_at IS NULL) AS o
        CROSS JOIN LATERAL (SELECT count(*)::int AS set_aside FROM set_aside WHERE supplier = s.name) AS a
        WHERE s.configured ORDER BY s.name
        """
    )
    return [SupplierRow(**row) for row in rows]


async def last_good(connection: Connection | Pool) -> dict[str, datetime | None]:
    """The configured accounts by name, with when each was last synced well."""
    rows = await connection.fetch("SELECT name, last_good_at FROM suppliers WHERE configured ORDER BY name")
    return {row["name"]: row["last_good_at"] for row in rows}


async def synced_within(connection: Connection | Pool, seconds: int) -> set[str]:
    """The accounts that were synced well within the last so many seconds."""
    rows = await connection.fetch(
        "SELECT name FROM suppliers WHERE last_good_at > now() - make_interval(secs => $1)", float(seconds)
    )
    return {row["name"] for row in rows}
