"""How far a running sync is with each supplier, for those who watch it from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.kit.pool import Connection, Pool


async def write(connection: Connection | Pool, run_id: str, seen: Mapping[str, tuple[int, int | None]]) -> None:
    """Write down items met and items claimed, by supplier."""
    await connection.execute(
        """
        INSERT INTO sync_progress AS p (run_id, supplier, items, claimed)
        SELECT $1, * FROM unnest($2::text[], $3::integer[], $4::integer[])
        ON CONFLICT (run_id, supplier) DO UPDATE SET items = excluded.items, claimed = excluded.claimed, at = now()
        """,
        run_id,
        list(seen),
        [min(items, 2**31 - 1) for items, _ in seen.values()],
        [None if claimed is None else min(max(claimed, 0), 2**31 - 1) for _, claimed in seen.values()],
    )


async def forget(connection: Connection | Pool, run_id: str) -> None:
    """The run has ended; so has what is left of runs that died."""
    await connection.execute(
        "DELETE FROM sync_progress WHERE run_id = $1 OR at < now() - interval '1 day'",
        run_id,
    )
