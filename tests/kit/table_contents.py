"""Everything that a database holds, to be compared with what it holds later."""

from __future__ import annotations

from collections.abc import Collection

from gateway.kit.pool import Pool


async def table_contents(pool: Pool, without: Collection[str] = ()) -> dict[str, list[str]]:
    """The rows of every table but those named, and how far every sequence is, as texts by name."""
    tables = await pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    found = {}
    for name in sorted(row["tablename"] for row in tables if row["tablename"] not in without):
        rows = await pool.fetch(f'SELECT to_jsonb(t)::text AS row FROM "{name}" t')
        found[name] = sorted(row["row"] for row in rows)
    sequences = await pool.fetch("SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'")
    return found | {row["sequencename"]: [str(row["last_value"])] for row in sequences}
