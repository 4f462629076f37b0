"""What was said between us and suppliers about attempts, scrubbed. Kept beside the orders: nothing depends on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from gateway.kit.pool import Connection, Pool

# Of an attempt the first ones stay (what was sent, and how it was answered), and the latest looks.
FIRST = 6
LATEST = 14


class KeptExchange(msgspec.Struct, frozen=True):
    """One request and its answer. ``status`` None: there was none; ``error`` is then the code of what broke."""

    attempt_id: str
    at: datetime
    method: str
    path: str
    status: int | None
    ms: int
    error: str | None
    request: str | None
    answer: str | None


async def write(connection: Connection | Pool, rows: Sequence[KeptExchange]) -> None:
    """Keep some, at most ``FIRST + LATEST`` of each attempt."""
    ids = list({row.attempt_id for row in rows})
    there: int = await connection.fetchval(
        """WITH kept AS (
               INSERT INTO exchanges (attempt_id, at, method, path, status, ms, error, request, answer)
               SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::int[], $6::int[],
                                    $7::text[], $8::text[], $9::text[])
           )
           SELECT coalesce(max(n), 0) FROM (
               SELECT count(*) AS n FROM exchanges WHERE attempt_id = ANY($10::text[]) GROUP BY attempt_id
           ) AS before""",
        *([getattr(row, name) for row in rows] for name in KeptExchange.__struct_fields__),
        ids,
    )
    if there + len(rows) <= FIRST + LATEST:
        return
    await connection.execute(
        """DELETE FROM exchanges WHERE id IN (
               SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY attempt_id ORDER BY id) AS first,
                                      row_number() OVER (PARTITION BY attempt_id ORDER BY id DESC) AS latest
                               FROM exchanges WHERE attempt_id = ANY($1)) AS placed
               WHERE first > $2 AND latest > $3)""",
        ids,
        FIRST,
        LATEST,
    )


async def of_attempts(pool: Pool | Connection, attempt_ids: Sequence[str]) -> list[KeptExchange]:
    """What was said about these attempts, the oldest first."""
    rows = await pool.fetch(
        """SELECT attempt_id, at, method, path, status, ms, error, request, answer
           FROM exchanges WHERE attempt_id = ANY($1) ORDER BY at, id""",
        list(attempt_ids),
    )
    return [KeptExchange(**dict(row)) for row in rows]
