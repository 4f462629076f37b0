"""The suppliers' own books as they were read: what moved our balance, each line once, and how far they were read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from gateway.kit.pages import PageRequest
from gateway.kit.pool import Connection, Pool
from gateway.suppliers.balance_rows import DEPOSIT_WATCHED
from schemas.page import Page

_COLUMNS = "id, supplier, kind, amount, currency, at, supplier_order_id, transaction_id, reference, seen_at"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line to be kept; ``amount`` is signed. ``key`` is equal for the same line whenever it is read.

    ``former_key`` is what the line was called before the balance after it was part of its key.
    """

    key: str
    kind: str
    amount: Decimal
    currency: str
    at: datetime
    supplier_order_id: str | None
    transaction_id: str | None
    reference: str | None = None
    former_key: str | None = None


class StoredStatementLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line that is kept."""

    id: int
    supplier: str
    kind: str
    amount: Decimal
    currency: str
    at: datetime
    supplier_order_id: str | None
    transaction_id: str | None
    reference: str | None
    seen_at: datetime


class Walk(msgspec.Struct, frozen=True):
    """How far a supplier's books were read: whole between these, and what the last look said."""

    supplier: str
    asked_at: datetime
    whole_from: datetime | None
    whole_to: datetime | None
    error: str | None


async def claim(pool: Pool, suppliers: Sequence[str], now: datetime, every: timedelta, watched: timedelta) -> list[str]:
    """Those whose books nobody read within ``every``, or ``watched`` where a deposit is waited for.

    They count as read from now on.
    """
    rows = await pool.fetch(
        """INSERT INTO supplier_book_walks AS w (supplier, asked_at) SELECT name, $2 FROM unnest($1::text[]) name
           ON CONFLICT (supplier) DO UPDATE SET asked_at = excluded.asked_at
           WHERE w.asked_at <= CASE WHEN EXISTS (SELECT FROM deposits d WHERE d.supplier = w.supplier
                                                 AND d.state = 'begun' AND d.begun_at > $5)
                                 THEN $4::timestamptz ELSE $3::timestamptz END
           RETURNING supplier""",
        suppliers,
        now,
        now - every,
        now - watched,
        now - DEPOSIT_WATCHED,
    )
    return sorted(row["supplier"] for row in rows)


async def walks(pool: Pool, suppliers: Sequence[str]) -> dict[str, Walk]:
    """How far the books of each of these were read; those that never were are left out."""
    rows = await pool.fetch(
        "SELECT supplier, asked_at, whole_from, whole_to, error FROM supplier_book_walks WHERE supplier = ANY($1)",
        suppliers,
    )
    return {row["supplier"]: Walk(**dict(row)) for row in rows}


async def whole(pool: Pool, supplier: str, began: datetime, since: datetime) -> None:
    """Everything from ``since`` to ``began`` was read."""
    await pool.execute(
        """INSERT INTO supplier_book_walks AS w (supplier, asked_at, whole_to, whole_from) VALUES ($1, $2, $2, $3)
           ON CONFLICT (supplier) DO UPDATE SET
               asked_at = greatest(w.asked_at, excluded.asked_at), error = NULL,
               whole_to = greatest(w.whole_to, excluded.whole_to),
               whole_from = least(w.whole_from, excluded.whole_from)""",
        supplier,
        began,
        since,
    )


async def broken(pool: Pool, supplier: str, began: datetime, error: str) -> None:
    """The books could not be read to their end, and why; what came stays."""
    await pool.execute(
        """INSERT INTO supplier_book_walks AS w (supplier, asked_at, error) VALUES ($1, $2, $3)
           ON CONFLICT (supplier) DO UPDATE SET error = excluded.error""",
        supplier,
        began,
        error[:300],
    )


async def keep(pool: Pool, supplier: str, entries: Sequence[Entry], now: datetime) -> list[Entry]:
    """Keep those that are not there yet; those that are new."""
    if not entries:
        return []
    await _rename(pool, supplier, [(entry.former_key, entry.key) for entry in entries if entry.former_key is not None])
    rows = await pool.fetch(
        """INSERT INTO supplier_transactions
               (supplier, key, kind, amount, currency, at, supplier_order_id, transaction_id, reference, seen_at)
           SELECT $1, e.*, $2 FROM unnest($3::text[], $4::text[], $5::numeric[], $6::text[], $7::timestamptz[],
                                          $8::text[], $9::text[], $10::text[]) AS e
           ON CONFLICT (supplier, key) DO NOTHING RETURNING key""",
        supplier,
        now,
        *(
            [getattr(entry, name) for entry in entries]
            for name in (
                "key", "kind", "amount", "currency", "at", "supplier_order_id", "transaction_id", "reference",
            )
        ),
    )  # fmt: skip
    new = {row["key"] for row in rows}
    return [entry for entry in entries if entry.key in new]


async def without_owner(pool: Pool, supplier: str, since: datetime) -> list[str]:
    """The supplier's orders in its books since then that no attempt of ours is known to have made."""
    rows = await pool.fetch(
        """SELECT DISTINCT t.supplier_order_id FROM supplier_transactions t
           WHERE t.supplier = $1 AND t.at >= $2 AND t.supplier_order_id IS NOT NULL AND t.reference IS NULL
             AND NOT EXISTS (SELECT FROM attempts a
                             WHERE a.supplier = $1 AND a.supplier_order_id = t.supplier_order_id)""",
        supplier,
        since,
    )
    return [row["supplier_order_id"] for row in rows]


# Each part begins at what is rare, refunds and failures, and finds the other side by an index.
_UNBOOKED = """
    SELECT id FROM (
        SELECT a.id, t.at FROM supplier_transactions t
        JOIN attempts a ON a.supplier = t.supplier AND {owner} AND a.kind <> 'cancel'
        WHERE t.supplier = $1 AND t.at >= $2
          AND (t.kind = 'refund' OR t.kind IN ('adjustment', 'other') AND t.amount > 0)
          AND NOT EXISTS (SELECT FROM ledger l WHERE l.supplier = t.supplier AND l.transaction_key = t.key)
        UNION ALL
        SELECT a.id, t.at FROM attempts a JOIN supplier_transactions t ON t.supplier = a.supplier AND {owner}
        WHERE a.supplier = $1 AND a.started_at >= $2 AND a.state = 'failed' AND a.kind <> 'cancel'
          AND (t.kind = 'charge' OR t.kind IN ('adjustment', 'other') AND t.amount < 0)
          AND NOT EXISTS (SELECT FROM ledger l WHERE l.attempt_id = a.id AND l.kind = 'charge')
    ) AS u GROUP BY id ORDER BY max(at) DESC LIMIT $3
"""
_UNBOOKED_BY_ORDER = _UNBOOKED.format(owner="a.supplier_order_id = t.supplier_order_id")
_UNBOOKED_BY_REFERENCE = _UNBOOKED.format(owner="a.id = t.reference")
MOST_UNBOOKED = 1_000


async def unbooked(pool: Pool, supplier: str, since: datetime) -> list[str]:
    """Attempts with a refund line since then that the ledger lacks, and failed ones with a charge; the newest first."""
    found: dict[str, None] = {}
    for query in (_UNBOOKED_BY_ORDER, _UNBOOKED_BY_REFERENCE):
        rows = await pool.fetch(query, supplier, since, MOST_UNBOOKED)
        found |= dict.fromkeys(row["id"] for row in rows)
    return list(found)


async def of_attempt(
    connection: Connection, supplier: str, attempt_id: str, supplier_order_id: str | None
) -> list[tuple[str, StoredStatementLine]]:
    """All lines of an attempt's order with their keys, the oldest first."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS}, key FROM supplier_transactions"  # noqa: S608 - the words above
        " WHERE supplier = $1 AND (supplier_order_id = $2 OR reference = $3) ORDER BY at, id",
        supplier,
        supplier_order_id,
        attempt_id,
    )
    return [
        (key, StoredStatementLine(**kept)) for kept, key in ((dict(row), row["key"]) for row in rows) if kept.pop("key")
    ]


async def note_differences(pool: Pool, supplier: str, differences: int, first: str | None) -> None:
    """Keep how many lines of the last days differ from the ledger, and the newest of them in words, for the alert."""
    await pool.execute(
        "UPDATE supplier_book_walks SET differences = $2, difference = $3 WHERE supplier = $1",
        supplier,
        differences,
        first and first[:300],
    )


async def differing(pool: Pool) -> dict[str, tuple[int, str]]:
    """The suppliers whose statements differ from the ledger: how many lines, and the newest in words."""
    rows = await pool.fetch("SELECT supplier, differences, difference FROM supplier_book_walks WHERE differences > 0")
    return {row["supplier"]: (row["differences"], row["difference"] or "") for row in rows}


async def name_orders(pool: Pool, supplier: str, references: dict[str, str]) -> None:
    """Note what we called these orders of the supplier."""
    await pool.execute(
        """UPDATE supplier_transactions t SET reference = n.reference
           FROM unnest($2::text[], $3::text[]) AS n (order_id, reference)
           WHERE t.supplier = $1 AND t.supplier_order_id = n.order_id AND t.reference IS NULL""",
        supplier,
        list(references),
        list(references.values()),
    )


async def by_id(pool: Pool, ids: Sequence[int]) -> list[StoredStatementLine]:
    """These lines, the oldest first."""
    rows = await pool.fetch(
        f"SELECT {_COLUMNS} FROM supplier_transactions WHERE id = ANY($1) ORDER BY at, id",  # noqa: S608 - the words above
        ids,
    )
    return [StoredStatementLine(**dict(row)) for row in rows]


async def listed(
    pool: Pool | Connection,
    page_request: PageRequest,
    *,
    supplier: str | None = None,
    kind: str | None = None,
    since: datetime | None = None,
    mode: str | None = None,
) -> Page[StoredStatementLine]:
    """Lines of all suppliers, the newest first."""
    rows = await pool.fetch(
        f"""SELECT {_COLUMNS} FROM supplier_transactions
            WHERE ($1::text IS NULL OR supplier = $1) AND ($2::text IS NULL OR kind = $2)
              AND ($3::timestamptz IS NULL OR at >= $3)
              AND (at, id) < ($4, $5)
              AND ($6::text IS NULL OR supplier IN (SELECT name FROM suppliers WHERE mode = $6))
            ORDER BY at DESC, id DESC LIMIT $7""",  # noqa: S608 - the words above
        supplier,
        kind,
        since,
        *page_request.before(datetime, int),
        mode,
        page_request.fetch,
    )
    return page_request.page([StoredStatementLine(**dict(row)) for row in rows], lambda line: (line.at, line.id))


async def _rename(pool: Pool, supplier: str, keys: Sequence[tuple[str, str]]) -> None:
    """Give lines that were kept under a former key their present one, so that none is kept twice."""
    if keys:
        await pool.execute(
            """UPDATE supplier_transactions t SET key = n.key FROM unnest($2::text[], $3::text[]) AS n (former, key)
               WHERE t.supplier = $1 AND t.key = n.former
                 AND NOT EXISTS (SELECT FROM supplier_transactions o WHERE o.supplier = $1 AND o.key = n.key)""",
            supplier,
            [former for former, _ in keys],
            [key for _, key in keys],
        )
