"""Keys that were made at suppliers: one row each, moved on by whoever holds it as it was read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from gateway.kit.pool import Connection, Pool

State = Literal["asked", "kept", "known", "verified", "switched", "done", "undoing", "undone"]
OPEN: tuple[State, ...] = ("asked", "kept", "known", "verified", "switched", "undoing")


class KeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """One key and how far it is. ``secret`` is sealed."""

    id: str
    supplier: str
    name: str
    state: State
    in_force: bool
    secret: bytes | None
    prefix: str | None
    key_id: str | None
    replaces: str | None
    old_key_id: str | None
    started_by: str
    started_at: datetime
    deadline: datetime
    quiet_at: datetime
    revoke_at: datetime | None
    look_at: datetime
    failures: int
    error: str | None
    changed_at: datetime

    def __repr__(self) -> str:
        return f"KeyRow({self.id} {self.supplier} {self.state})"


class InForce(msgspec.Struct, frozen=True):
    """A stored key that lies over the configured one; ``secret`` is sealed."""

    supplier: str
    id: str
    secret: bytes

    def __repr__(self) -> str:
        return f"InForce({self.id} {self.supplier})"


async def in_force(pool: Pool, suppliers: Sequence[str]) -> dict[str, InForce]:
    """The stored keys in force of these suppliers, by name."""
    rows = await pool.fetch(
        "SELECT supplier, id, secret FROM supplier_keys WHERE in_force AND supplier = ANY($1)", suppliers
    )
    return {row["supplier"]: InForce(**dict(row)) for row in rows}


async def begin(
    connection: Connection,
    *,
    key_id: str,
    supplier: str,
    name: str,
    old_key_id: str | None,
    started_by: str,
    now: datetime,
    deadline: datetime,
    quiet_at: datetime,
) -> KeyRow:
    """The row of a key that is about to be asked for. Raises ``UniqueViolationError`` while another one is open."""
    row = await connection.fetchrow(
        """INSERT INTO supplier_keys (id, supplier, name, state, replaces, old_key_id, started_by, started_at, deadline,
                                      quiet_at, look_at, changed_at)
           VALUES ($1, $2, $3, 'asked', (SELECT id FROM supplier_keys WHERE supplier = $2 AND in_force),
                   $4, $5, $6, $7, $8, $6, $6) RETURNING *""",
        key_id,
        supplier,
        name,
        old_key_id,
        started_by,
        now,
        deadline,
        quiet_at,
    )
    return _row(row)


async def get(pool: Pool, key_id: str) -> KeyRow | None:
    """One key."""
    row = await pool.fetchrow("SELECT * FROM supplier_keys WHERE id = $1", key_id)
    return None if row is None else _row(row)


async def newest(pool: Pool, supplier: str) -> KeyRow | None:
    """The key that was begun last at a supplier."""
    row = await pool.fetchrow(
        "SELECT * FROM supplier_keys WHERE supplier = $1 ORDER BY started_at DESC, id DESC LIMIT 1", supplier
    )
    return None if row is None else _row(row)


async def open_one(pool: Pool | Connection, supplier: str) -> KeyRow | None:
    """The key of a supplier that is being rotated or undone."""
    row = await pool.fetchrow("SELECT * FROM supplier_keys WHERE supplier = $1 AND state = ANY($2)", supplier, OPEN)
    return None if row is None else _row(row)


async def due(pool: Pool, now: datetime) -> list[str]:
    """The suppliers with a key that is to go on now."""
    rows = await pool.fetch(
        "SELECT supplier FROM supplier_keys WHERE state = ANY($1) AND look_at <= $2 ORDER BY look_at", OPEN, now
    )
    return [row["supplier"] for row in rows]


async def keep(pool: Pool, row: KeyRow, secret: bytes, prefix: str, now: datetime) -> KeyRow | None:
    """The key is here. None when somebody undoes it already."""
    return await _move(pool, row, "kept", now, secret=secret, prefix=prefix)


async def know(pool: Pool, row: KeyRow, key_id: str, now: datetime) -> KeyRow | None:
    """Its id at the supplier is known. None when it moved meanwhile, as below."""
    return await _move(pool, row, "known", now, key_id=key_id)


async def verify(pool: Pool, row: KeyRow, now: datetime) -> KeyRow | None:
    """The supplier takes it."""
    return await _move(pool, row, "verified", now)


async def switch(connection: Connection, row: KeyRow, revoke_at: datetime, now: datetime) -> KeyRow | None:
    """Put it in force in the place of the one before; in the caller's transaction."""
    await connection.execute("UPDATE supplier_keys SET in_force = false WHERE supplier = $1 AND in_force", row.supplier)
    return await _move(connection, row, "switched", now, in_force=True, revoke_at=revoke_at, look_at=revoke_at)


async def switch_back(connection: Connection, row: KeyRow, error: str, now: datetime) -> KeyRow | None:
    """Put the one before in force again and undo this one; in the caller's transaction."""
    moved = await _move(connection, row, "undoing", now, in_force=False, error=error)
    if moved is not None and row.replaces is not None:
        await connection.execute("UPDATE supplier_keys SET in_force = true WHERE id = $1", row.replaces)
    return moved


async def finish(connection: Connection, row: KeyRow, note: str | None, now: datetime) -> KeyRow | None:
    """The one before is revoked, and its secret forgotten; in the caller's transaction."""
    moved = await _move(connection, row, "done", now, error=note)
    if moved is not None and row.replaces is not None:
        await connection.execute("UPDATE supplier_keys SET secret = NULL WHERE id = $1 AND NOT in_force", row.replaces)
    return moved


async def undo(pool: Pool, row: KeyRow, error: str, now: datetime) -> KeyRow | None:
    """Begin to undo it: whatever of it is valid at the supplier must go."""
    return await _move(pool, row, "undoing", now, error=error)


async def begin_undo(connection: Connection, row: KeyRow, error: str, now: datetime) -> KeyRow | None:
    """Begin to undo it, in force or not; in the caller's transaction."""
    return await _move(connection, row, "undoing", now, in_force=False, error=error)


async def undone(pool: Pool, row: KeyRow, error: str | None, now: datetime) -> KeyRow | None:
    """Nothing of it is valid at the supplier."""
    return await _move(pool, row, "undone", now, secret=None, error=error)


async def put_off(pool: Pool, row: KeyRow, error: str | None, poll_at: datetime) -> None:
    """Go on later; ``error`` says what was in the way."""
    await pool.execute(
        """UPDATE supplier_keys SET look_at = $3, error = coalesce($4, error),
                                    failures = failures + ($4 IS NOT NULL)::int
           WHERE id = $1 AND state = $2""",
        row.id,
        row.state,
        poll_at,
        error,
    )


async def take_out_of_force(connection: Connection, supplier: str) -> str | None:
    """Let the configured key hold again: the stored one's id at the supplier, None when there is none in force."""
    found: str | None = await connection.fetchval(
        "UPDATE supplier_keys SET in_force = false, secret = NULL WHERE supplier = $1 AND in_force AND state = 'done'"
        " RETURNING key_id",
        supplier,
    )
    return found


async def _move(on: Pool | Connection, row: KeyRow, state: State, now: datetime, **changes: Any) -> KeyRow | None:
    """The row in another state, if it is still in the one that it was read in."""
    changes = {"look_at": now, "failures": 0, "error": None, **changes, "state": state, "changed_at": now}
    sets = ", ".join(f"{name} = ${place}" for place, name in enumerate(changes, start=3))
    found = await on.fetchrow(
        f"UPDATE supplier_keys SET {sets} WHERE id = $1 AND state = $2 RETURNING *",  # noqa: S608 - names of columns
        row.id,
        row.state,
        *changes.values(),
    )
    return None if found is None else _row(found)


def _row(row: Any) -> KeyRow:
    return KeyRow(**dict(row))
