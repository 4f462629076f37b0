"""The audit log: log-ins, and what somebody changed; one row each, in the transaction of the change itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from gateway.access.user_rows import Visitor
from gateway.kit.log import redact
from gateway.kit.pages import FIRST_PAGE, PageRequest, SortKey, SortOrders
from gateway.kit.pool import Connection, Pool
from schemas.page import Page

_BY_ID = SortKey("id", int)
SORTS = SortOrders(
    at=(SortKey("id", int, descending=True),),
    actor=(SortKey("actor", str), _BY_ID),
    action=(SortKey("action", str), _BY_ID),
    object=(SortKey("object", str), _BY_ID),
)


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
    connection: Connection, visitor: Visitor | str, action: str, what: str, detail: Mapping[str, Any] | None = None
) -> None:
    """Write one change down, in the transaction that ``connection`` is in.

    ``visitor`` is a visitor of the console, or what else it was ("command line", "key key_1f…"). ``action`` reads
    "rule.changed", ``what`` "rule:12". Secrets in ``detail`` are taken out before it is kept.
    """
    user_id, actor = (visitor.user_id, visitor.name) if isinstance(visitor, Visitor) else (None, visitor)
    await connection.execute(
        "INSERT INTO audit_log (user_id, actor, action, object, detail) VALUES ($1, $2, $3, $4, $5)",
        user_id,
        actor,
        action,
        what,
        redact(msgspec.to_builtins(dict(detail or {}), str_keys=True)),
    )


async def newest(
    pool: Pool,
    page_request: PageRequest = FIRST_PAGE,
    *,
    actor: str | None = None,
    action: str | None = None,
    what: str | None = None,
) -> Page[Entry]:
    """A page of the log, the newest first or as it is sorted; ``action`` may be the beginning of one."""
    arguments: list[Any] = [actor, action, what]
    keyset = SORTS.keyset(page_request, arguments)
    rows = await pool.fetch(
        f"""SELECT * FROM audit_log
            WHERE ($1::text IS NULL OR actor = $1) AND ($2::text IS NULL OR starts_with(action, $2))
              AND ($3::text IS NULL OR object = $3) AND {keyset.condition}
            ORDER BY {keyset.order} LIMIT ${len(arguments) + 1}""",  # noqa: S608 - our own words
        *arguments,
        page_request.fetch,
    )
    return page_request.page(rows, keyset.key).map(lambda row: Entry(**dict(row)))
