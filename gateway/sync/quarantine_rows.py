"""Quarantined walks: how each differs from what stands, and what an operator decided.

Of a supplier at most one waits. Its largest differences are kept until it is decided or another overtakes
it; its counts, who decided and why stay. What an operator refused is not asked again while the supplier goes on
saying the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec

from gateway.catalog.offer_rows import WRITE_SECONDS
from gateway.kit.pool import Connection, Pool

# So many of each kind are kept to be shown.
MOST = {"moved": 2_000, "gone": 1_000, "new": 1_000}
LONGEST_NAME = 300

State = Literal["waiting", "accepted", "refused", "overtaken"]
KINDS = ("moved", "gone", "new")

_COLUMNS = (
    "q.run_id, q.supplier, q.at, q.reason, q.before, q.new, q.changed, q.gone, q.up, q.down, q.moved_far, q.state,"
    " q.decided_at, q.decided_by, q.why, q.accepted_run, q.difference = 'standing' AS standing"
)


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What a quarantined walk would change, counted: of ``before`` offers that stand."""

    run_id: str
    supplier: str
    at: datetime
    reason: str
    before: int
    new: int
    changed: int
    gone: int
    moved_far: int


class QuarantineRow(msgspec.Struct, frozen=True, kw_only=True):
    """A quarantined walk with what was decided of it."""

    run_id: str
    supplier: str
    at: datetime
    reason: str
    before: int
    new: int
    changed: int
    gone: int
    up: int
    down: int
    moved_far: int
    state: State
    decided_at: datetime | None
    decided_by: str | None
    why: str
    accepted_run: str | None
    standing: bool


async def keep(connection: Connection, found: Difference, gone: Sequence[str], rates: Mapping[str, Decimal]) -> None:
    """Keep a difference to be shown; after ``Staging.copy_to`` in the transaction that writes nothing else.

    ``gone`` are the ids of the offers that vanished, sorted; ``rates`` what a unit of each currency is worth.
    """
    staged = await connection.fetchval(
        "SELECT md5(string_agg(id || encode(substr(digest, 1, 16), 'hex'), '' ORDER BY id)) FROM incoming",
        timeout=WRITE_SECONDS,
    )
    digest = hashlib.blake2b(f"{staged} {' '.join(gone)}".encode(), digest_size=16).hexdigest()
    refused = await connection.fetchrow(
        """
        SELECT decided_by, why FROM (
            SELECT state, difference, decided_by, why FROM quarantines WHERE supplier = $1 ORDER BY at DESC LIMIT 1
        ) AS last WHERE state = 'refused' AND difference = $2
        """,
        found.supplier,
        digest,
    )
    await end_waiting(connection, found.supplier)
    ups, downs = await connection.fetchrow(
        """
        SELECT count(*) FILTER (WHERE i.cost > o.cost), count(*) FILTER (WHERE i.cost < o.cost)
        FROM incoming i JOIN offers o USING (id) WHERE o.gone_at IS NULL AND i.currency = o.currency
        """,
        timeout=WRITE_SECONDS,
    ) or (0, 0)
    await connection.execute(
        """
        INSERT INTO quarantines (run_id, supplier, at, reason, before, new, changed, gone, up, down, moved_far,
                                 difference, state, decided_at, decided_by, why)
        VALUES ($1, $2, $3::timestamptz, $4, $5, $6, $7, $8, $9, $10, $11, $12,
                CASE WHEN $13::text IS NULL THEN 'waiting'
                ELSE 'refused' END, CASE WHEN $13::text IS NOT NULL THEN $3::timestamptz END, $13, $14)
        """,
        found.run_id,
        found.supplier,
        found.at,
        found.reason,
        found.before,
        found.new,
        found.changed,
        found.gone,
        ups,
        downs,
        found.moved_far,
        digest,
        refused["decided_by"] if refused else None,
        refused["why"] if refused else "",
    )
    await _keep_rows(connection, found, gone, rates)


async def keep_standing(connection: Connection, run_id: str, supplier: str, at: datetime, reason: str) -> None:
    """A list that stands waits for an operator; nothing differs from it that could be shown."""
    await end_waiting(connection, supplier)
    await connection.execute(
        """
        INSERT INTO quarantines (run_id, supplier, at, reason, before, new, changed, gone, up, down, moved_far,
                                 difference)
        SELECT p.run_id, p.supplier, $3::timestamptz, $4::text,
               (SELECT count(*) FROM offers o WHERE o.supplier = p.supplier AND o.gone_at IS NULL),
               p.new, p.changed, p.gone, p.up, p.down, 0, 'standing'
        FROM sync_run_suppliers p WHERE p.run_id = $1 AND p.supplier = $2 ON CONFLICT DO NOTHING
        """,
        run_id,
        supplier,
        at,
        reason,
    )


async def _keep_rows(
    connection: Connection, found: Difference, gone: Sequence[str], rates: Mapping[str, Decimal]
) -> None:
    await connection.execute(
        """
        INSERT INTO quarantine_rows
        SELECT $1, $2, 'moved', row_number() OVER (ORDER BY abs(moved) DESC NULLS LAST, id), supplier_plan_id,
               plan_id, left(name, $3), old, old_currency, cost, currency, moved
        FROM (
            SELECT i.id, i.supplier_plan_id, i.plan_id, i.name, i.cost, i.currency, o.cost AS old,
                   o.currency AS old_currency,
                   (i.cost * new.rate / nullif(o.cost * was.rate, 0) - 1)::double precision AS moved
            FROM incoming i JOIN offers o USING (id)
            LEFT JOIN unnest($5::text[], $6::numeric[]) AS was (currency, rate) ON was.currency = o.currency
            LEFT JOIN unnest($5::text[], $6::numeric[]) AS new (currency, rate) ON new.currency = i.currency
            WHERE o.gone_at IS NULL AND (i.cost, i.currency) IS DISTINCT FROM (o.cost, o.currency)
            ORDER BY abs(i.cost * new.rate / nullif(o.cost * was.rate, 0) - 1) DESC NULLS LAST, i.id LIMIT $4
        ) AS largest
        """,
        found.run_id,
        found.supplier,
        LONGEST_NAME,
        MOST["moved"],
        list(rates),
        list(rates.values()),
        timeout=WRITE_SECONDS,
    )
    await connection.execute(
        """
        INSERT INTO quarantine_rows
        SELECT $1, $2, 'gone', row_number() OVER (ORDER BY plan_id, id), supplier_plan_id, plan_id, left(name, $3),
               cost, currency, NULL, NULL, NULL
        FROM (SELECT * FROM offers WHERE id = ANY($5::text[]) ORDER BY plan_id, id LIMIT $4) AS parted
        """,
        found.run_id,
        found.supplier,
        LONGEST_NAME,
        MOST["gone"],
        gone,
        timeout=WRITE_SECONDS,
    )
    await connection.execute(
        """
        INSERT INTO quarantine_rows
        SELECT $1, $2, 'new', row_number() OVER (ORDER BY plan_id, id), supplier_plan_id, plan_id, left(name, $3),
               NULL, NULL, cost, currency, NULL
        FROM (
            SELECT i.* FROM incoming i
            WHERE NOT EXISTS (SELECT FROM offers o WHERE o.id = i.id AND o.gone_at IS NULL)
            ORDER BY i.plan_id, i.id LIMIT $4
        ) AS added
        """,
        found.run_id,
        found.supplier,
        LONGEST_NAME,
        MOST["new"],
        timeout=WRITE_SECONDS,
    )


async def end_waiting(connection: Connection, supplier: str, *, accepted: bool = False) -> None:
    """Nothing of this supplier waits any more: a later walk has taken its place, or was accepted as it came.

    The rows of what a later walk overtook go.
    """
    ended = await connection.fetchval(
        """
        UPDATE quarantines SET state = CASE WHEN $2::boolean THEN 'accepted' ELSE 'overtaken' END, decided_at = now(),
               decided_by = CASE WHEN $2::boolean THEN 'sync --accept' END
        WHERE supplier = $1 AND state = 'waiting' RETURNING run_id
        """,
        supplier,
        accepted,
    )
    if ended is not None and not accepted:
        await connection.execute("DELETE FROM quarantine_rows WHERE run_id = $1 AND supplier = $2", ended, supplier)


async def decide(
    connection: Connection, run_id: str, supplier: str, state: State, by: str, why: str, accepted_run: str | None = None
) -> bool:
    """Accept or refuse what waits, or accept what was refused; False when there is nothing of the kind."""
    status = await connection.execute(
        """
        UPDATE quarantines SET state = $3, decided_at = now(), decided_by = $4, why = $5, accepted_run = $6
        WHERE run_id = $1 AND supplier = $2 AND (state = 'waiting' OR state = 'refused' AND $3 = 'accepted')
        """,
        run_id,
        supplier,
        state,
        by,
        why,
        accepted_run,
    )
    return status.endswith("1")


async def of_run(connection: Connection | Pool, run_id: str) -> list[QuarantineRow]:
    """The quarantined walks of one run, by supplier."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM quarantines q WHERE q.run_id = $1 ORDER BY q.supplier",  # noqa: S608 - our own columns
        run_id,
    )
    return [QuarantineRow(**row) for row in rows]


async def find(connection: Connection | Pool, run_id: str, supplier: str) -> QuarantineRow | None:
    """One quarantined walk, None when there is none."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM quarantines q WHERE q.run_id = $1 AND q.supplier = $2",  # noqa: S608 - as above
        run_id,
        supplier,
    )
    return QuarantineRow(**row) if row else None


async def waiting(connection: Connection | Pool, mode: str | None = None) -> list[QuarantineRow]:
    """What waits for an operator, the oldest first; of suppliers of one mode when one is named."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM quarantines q JOIN suppliers s ON s.name = q.supplier"  # noqa: S608 - as above
        " WHERE q.state = 'waiting' AND ($1::text IS NULL OR s.mode = $1) ORDER BY q.at, q.supplier",
        mode,
    )
    return [QuarantineRow(**row) for row in rows]


async def rows(
    connection: Connection | Pool, run_id: str, supplier: str, kinds: Sequence[str], after: int, limit: int
) -> list[dict[str, Any]]:
    """The differences of these kinds, one kind after the other, each the largest first.

    Of the first kind those behind the ``after``-th.
    """
    found = await connection.fetch(
        """
        SELECT r.kind, r.n, r.supplier_plan_id, r.plan_id, r.name, r.old, r.old_currency, r.new, r.new_currency,
               r.moved, o.id AS offer_id
        FROM (
            SELECT *, array_position($3::text[], kind) AS place FROM quarantine_rows
            WHERE run_id = $1 AND supplier = $2 AND kind = ANY($3::text[])
              AND (kind <> ($3::text[])[1] OR n > $4::bigint) ORDER BY place, n LIMIT $5
        ) AS r LEFT JOIN offers o USING (supplier, supplier_plan_id)
        ORDER BY r.place, r.n
        """,
        run_id,
        supplier,
        list(kinds),
        after,
        limit,
    )
    return [dict(row) for row in found]
