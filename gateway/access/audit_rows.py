"""The audit log: log-ins, and what somebody changed; one row each, in the transaction of the change itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from gateway.access.user_rows import Visitor
from gateway.kit.log import redact
from gateway.kit.pages import Position, Rows
from gateway.kit.pool import Connection, Pool
from schemas.api_audit import AuditEntry

_MOST_DIGITS = 18  # of a bigint


class Entry(msgspec.Struct, frozen=True):
    """One change. ``user_id`` is None when it was no person at the console; ``actor`` then says what it was."""

    id: int
    at: datetime
    user_id: str | None
    actor: str
    action: str
    object: str
    detail: dict[str, Any]


async def record(
    connection: Connection, who: Visitor | str, action: str, what: str, detail: Mapping[str, Any] | None = None
) -> None:
    """Write one change down, in the transaction that ``connection`` is in.

    ``who`` is a visitor of the console, or what else it was ("command line", "key key_1f…"). ``action`` reads
    "rule.changed", ``what`` "rule:12". Secrets in ``detail`` are taken out before it is kept.
    """
    user_id, actor = (who.user_id, who.name) if isinstance(who, Visitor) else (None, who)
    await connection.execute(
        "INSERT INTO audit_log (user_id, actor, action, object, detail) VALUES ($1, $2, $3, $4, $5)",
        user_id,
        actor,
        action,
        what,
        redact(msgspec.to_builtins(dict(detail or {}), str_keys=True)),
    )


async def entries(
    pool: Pool,
    *,
    before: int | None = None,
    actor: str | None = None,
    action: str | None = None,
    what: str | None = None,
    limit: int = 50,
) -> list[Entry]:
    """The newest changes first, those older than the id ``before``; ``action`` may be the beginning of one."""
    rows = await pool.fetch(
        """SELECT * FROM audit_log
           WHERE ($1::bigint IS NULL OR id < $1) AND ($2::text IS NULL OR actor = $2)
             AND ($3::text IS NULL OR starts_with(action, $3)) AND ($4::text IS NULL OR object = $4)
           ORDER BY id DESC LIMIT $5""",
        before,
        actor,
        action,
        what,
        limit,
    )
    return [Entry(**dict(row)) for row in rows]


async def newest(
    pool: Pool, limit: int, after: Position | None, *, actor: str | None, action: str | None, what: str | None
) -> Rows[AuditEntry]:
    """A page of the log, the newest first. Any text is a position: one that is no id has nothing after it."""
    before = None
    if after is not None:
        before = int(after[0]) if after[0].isascii() and after[0].isdecimal() and len(after[0]) <= _MOST_DIGITS else 0
    found = await entries(pool, before=before, actor=actor, action=action, what=what, limit=limit + 1)
    shown = [
        AuditEntry(f"aud_{row.id}", row.at, row.user_id, row.actor, row.action, row.object, row.detail)
        for row in found[:limit]
    ]
    return Rows(shown, (str(found[limit - 1].id),) if len(found) > limit else None)
