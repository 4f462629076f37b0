"""Sync runs: what was asked for, what each supplier came to, and which run lives."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from typing import Any

from gateway.kit.pool import Connection, Pool
from gateway.sync.run_rules import RunState, SupplierRun, SyncRun, run_state
from schemas.api_changes import SyncProgress
from schemas.api_sync import SyncRunSupplier

_SUPPLIER_COLUMNS = (
    *("supplier", "state", "total", "mapped", "set_aside", "other_products", "new", "changed", "gone"),
    *("up", "down", "in_stock", "out_of_stock", "suspect", "warnings", "error", "ms"),
)


def new_id() -> str:
    """An id that sorts by time."""
    return f"sync_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(5)}"


async def insert(
    connection: Connection, run_id: str, suppliers: Sequence[str], accepts: Sequence[str], *, waiting: bool = False
) -> bool:
    """Note a run that begins, or one that waits for a worker (and then begins); False when it began before."""
    status = await connection.execute(
        """
        INSERT INTO sync_runs (id, suppliers, accepts, waiting) VALUES ($1, $2, $3, $4)
        ON CONFLICT (id) DO UPDATE SET suppliers = excluded.suppliers, waiting = false, started_at = now()
        WHERE sync_runs.waiting
        """,
        run_id,
        list(suppliers),
        list(accepts),
        waiting,
    )
    return status.endswith("1")


async def running(connection: Connection) -> list[dict[str, Any]]:
    """Runs that began and have not ended: id, suppliers, accepts. Their processes may be dead."""
    rows = await connection.fetch(
        "SELECT id, suppliers, accepts FROM sync_runs WHERE ended_at IS NULL AND NOT waiting ORDER BY started_at"
    )
    return [dict(row) for row in rows]


async def add_supplier(connection: Connection, run_id: str, part: SupplierRun) -> None:
    """Write what a supplier came to; the first word stands."""
    columns = ", ".join(_SUPPLIER_COLUMNS)
    values = ", ".join(f"${n}" for n in range(2, len(_SUPPLIER_COLUMNS) + 2))
    await connection.execute(
        f"INSERT INTO sync_run_suppliers (run_id, {columns}) VALUES ($1, {values}) ON CONFLICT DO NOTHING",  # noqa: S608 - our own columns
        run_id,
        *(getattr(part, column) for column in _SUPPLIER_COLUMNS),
    )


async def still_open(connection: Connection, run_id: str) -> bool:
    """Whether nobody has closed the run; it cannot be closed before this transaction ends."""
    found = await connection.fetchval("SELECT ended_at IS NULL FROM sync_runs WHERE id = $1 FOR SHARE", run_id)
    return bool(found)


async def part_of(connection: Connection | Pool, run_id: str, supplier: str) -> SupplierRun | None:
    """What a supplier came to in a run, None while it has not come to anything."""
    columns = ", ".join(_SUPPLIER_COLUMNS)
    row = await connection.fetchrow(
        f"SELECT {columns} FROM sync_run_suppliers WHERE run_id = $1 AND supplier = $2",  # noqa: S608 - as above
        run_id,
        supplier,
    )
    return SupplierRun(**row) if row else None


async def copy_parts(pool: Pool, from_run: str, to_run: str) -> None:
    """Let a run that joined another show what that one came to, as far as it asked for it."""
    columns = ", ".join(_SUPPLIER_COLUMNS)
    await pool.execute(
        f"""
        INSERT INTO sync_run_suppliers (run_id, {columns})
        SELECT $2, {columns} FROM sync_run_suppliers
        WHERE run_id = $1 AND supplier = ANY((SELECT suppliers FROM sync_runs WHERE id = $2)::text[])
        ON CONFLICT DO NOTHING
        """,  # noqa: S608 - our own columns
        from_run,
        to_run,
    )


async def close(connection: Connection, run_id: str, why_missing: str) -> RunState:
    """End a run; a supplier that came to nothing is failed with ``why_missing``."""
    rows = await connection.fetch("SELECT supplier, state FROM sync_run_suppliers WHERE run_id = $1", run_id)
    states = {row["supplier"]: row["state"] for row in rows}
    wanted = await connection.fetchval("SELECT suppliers FROM sync_runs WHERE id = $1", run_id)
    for supplier in sorted(set(wanted) - set(states)):
        await add_supplier(connection, run_id, SupplierRun(supplier=supplier, state="failed", error=why_missing))
        states[supplier] = "failed"
    state = run_state(list(states.values()))
    await connection.execute(
        "UPDATE sync_runs SET ended_at = now(), state = $2, waiting = false WHERE id = $1 AND ended_at IS NULL",
        run_id,
        state,
    )
    return state


async def set_suspect(connection: Connection, run_id: str, counts: dict[str, int]) -> None:
    """Correct how many suspect offers each supplier has, once all of a run were compared."""
    await connection.executemany(
        "UPDATE sync_run_suppliers SET suspect = $3 WHERE run_id = $1 AND supplier = $2 AND state = 'ok'",
        [(run_id, supplier, count) for supplier, count in counts.items()],
    )


async def replaced_in(connection: Connection, run_id: str) -> list[str]:
    """The suppliers whose offers this run has replaced."""
    rows = await connection.fetch(
        "SELECT supplier FROM sync_run_suppliers WHERE run_id = $1 AND state = 'ok' ORDER BY supplier", run_id
    )
    return [row["supplier"] for row in rows]


async def set_quarantined(connection: Connection, run_id: str, supplier: str, reason: str) -> None:
    """The offers that were replaced did not pass at the end of the run."""
    await connection.execute(
        "UPDATE sync_run_suppliers SET state = 'quarantined', error = $3 WHERE run_id = $1 AND supplier = $2",
        run_id,
        supplier,
        reason,
    )


async def read(connection: Connection | Pool, run_id: str) -> SyncRun | None:
    """A run with its suppliers by name, None when there is no such run."""
    row = await connection.fetchrow("SELECT id, started_at, ended_at, state FROM sync_runs WHERE id = $1", run_id)
    if row is None:
        return None
    columns = ", ".join(_SUPPLIER_COLUMNS)
    parts = await connection.fetch(
        f"SELECT {columns} FROM sync_run_suppliers WHERE run_id = $1 ORDER BY supplier",  # noqa: S608 - as above
        run_id,
    )
    return SyncRun(**row, suppliers=[SupplierRun(**part) for part in parts])


async def detail(pool: Pool, run_id: str) -> dict[str, Any] | None:
    """A run with its suppliers and how far those are that have not come to anything; None when there is none."""
    columns = ", ".join(_SUPPLIER_COLUMNS)
    row = await pool.fetchrow(
        "SELECT id, started_at, ended_at, state, waiting, suppliers AS asked, accepts FROM sync_runs WHERE id = $1",
        run_id,
    )
    if row is None:
        return None
    parts = await pool.fetch(
        f"SELECT {columns} FROM sync_run_suppliers WHERE run_id = $1 ORDER BY supplier",  # noqa: S608 - as above
        run_id,
    )
    ended = {part["supplier"] for part in parts}
    far = await pool.fetch(
        "SELECT supplier, items, claimed, at FROM sync_progress WHERE run_id = $1 ORDER BY supplier", run_id
    )
    return {
        **dict(row),
        "suppliers": [SyncRunSupplier(**part) for part in parts],
        "progress": [SyncProgress(**progress) for progress in far if progress["supplier"] not in ended],
    }


async def began_within(connection: Connection | Pool, suppliers: Sequence[str], seconds: int) -> bool:
    """Whether a sync of all these suppliers began within the last so many seconds."""
    found = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM sync_runs WHERE NOT waiting AND suppliers @> $1::text[]"
        " AND started_at > now() - make_interval(secs => $2))",
        suppliers,
        float(seconds),
    )
    return bool(found)
