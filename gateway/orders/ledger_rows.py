"""What moved between us and the suppliers: one charge of an attempt, and its refunds, each written once."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

from gateway.kit.pool import Connection
from gateway.orders.order_rows import AttemptRow
from gateway.orders.statement_booking_rules import LedgerRow
from schemas.money import Money


async def charge(
    connection: Connection, attempt: AttemptRow, amount: Money, now: datetime, *, correct: bool
) -> Literal["new", "changed", "same"]:
    """The supplier took this for the attempt.

    With ``correct`` its later word on the sum takes the place of the earlier one.
    """
    before = await charged(connection, attempt.id)
    if before is None:
        return "new" if await _write_charge(connection, attempt, amount, now) else "same"
    if not correct or before == amount or amount.amount <= 0:
        return "same"
    await connection.execute(
        "UPDATE ledger SET amount = $2, currency = $3 WHERE attempt_id = $1 AND kind = 'charge'",
        attempt.id,
        amount.amount,
        amount.currency,
    )
    return "changed"


async def refund(
    connection: Connection, attempt: AttemptRow, amount: Money, now: datetime, transaction: str | None = None
) -> bool:
    """The supplier gave this back, in its own amount; False when that is written already.

    ``transaction`` is the key of the statement line with it, by which each refund is written once; a refund of the
    same amount that an answer stated before is that line. Without a line, a refund beside others is written only when
    it is none of them and the charge covers it: the statement tells the rest.
    """
    if amount.amount <= Decimal(0):
        return False
    if transaction is not None:
        return await _write_statement_refund(connection, attempt, amount, now, transaction)
    return bool(
        await connection.fetchval(
            """
            INSERT INTO ledger (at, supplier, attempt_id, order_id, kind, amount, currency)
            SELECT $1, $2, $3, $4, 'refund', $5, $6 FROM (
                SELECT count(*) FILTER (WHERE kind = 'refund') AS refunds,
                       count(*) FILTER (WHERE kind = 'refund' AND amount = $5 AND currency = $6) AS same,
                       sum(CASE kind WHEN 'charge' THEN amount ELSE -amount END) FILTER (WHERE currency = $6) AS held
                FROM ledger WHERE attempt_id = $3
            ) AS l WHERE l.refunds = 0 OR (l.same = 0 AND l.held >= $5)
            ON CONFLICT (attempt_id) WHERE kind = 'refund' AND transaction_key IS NULL DO NOTHING RETURNING true
            """,
            now,
            attempt.supplier,
            attempt.id,
            attempt.order_id,
            amount.amount,
            amount.currency,
        )
    )


async def charged(connection: Connection, attempt_id: str) -> Money | None:
    """What the ledger says was taken for an attempt."""
    row = await connection.fetchrow(
        "SELECT amount, currency FROM ledger WHERE attempt_id = $1 AND kind = 'charge'", attempt_id
    )
    return None if row is None else Money(row["amount"], row["currency"])


async def net_charge(connection: Connection, attempt_id: str) -> Money | None:
    """What the supplier still holds for an attempt: its charge less its refunds; None without a charge."""
    row = await connection.fetchrow(
        """SELECT c.currency, c.amount - coalesce((SELECT sum(r.amount) FROM ledger r WHERE r.attempt_id = c.attempt_id
                                                   AND r.kind = 'refund' AND r.currency = c.currency), 0) AS amount
           FROM ledger c WHERE c.attempt_id = $1 AND c.kind = 'charge'""",
        attempt_id,
    )
    return None if row is None else Money(row["amount"], row["currency"])


async def stands_unreported(connection: Connection, attempt: AttemptRow) -> bool:
    """Whether the supplier holds a charge for an attempt that failed, and its order's timeline does not say so yet."""
    left = await net_charge(connection, attempt.id)
    return (left is None or left.amount > 0) and not await connection.fetchval(
        "SELECT EXISTS (SELECT FROM order_events WHERE order_id = $1 AND type = 'charged_after_failure'"
        " AND (detail->'ops'->>'n')::int = $2)",
        attempt.order_id,
        attempt.n,
    )


async def rows_of(connection: Connection, attempt_id: str) -> list[LedgerRow]:
    """An attempt's charge and refunds, the first first."""
    rows = await connection.fetch(
        "SELECT kind, amount, currency, transaction_key FROM ledger WHERE attempt_id = $1 ORDER BY id", attempt_id
    )
    return [LedgerRow(row["kind"], Money(row["amount"], row["currency"]), row["transaction_key"]) for row in rows]


async def _write_charge(connection: Connection, attempt: AttemptRow, amount: Money, now: datetime) -> bool:
    if amount.amount <= Decimal(0):
        return False
    return bool(
        await connection.fetchval(
            """
            INSERT INTO ledger (at, supplier, attempt_id, order_id, kind, amount, currency)
            VALUES ($1, $2, $3, $4, 'charge', $5, $6) ON CONFLICT (attempt_id) WHERE kind = 'charge' DO NOTHING
            RETURNING true
            """,
            now,
            attempt.supplier,
            attempt.id,
            attempt.order_id,
            amount.amount,
            amount.currency,
        )
    )


async def _write_statement_refund(
    connection: Connection, attempt: AttemptRow, amount: Money, now: datetime, transaction: str
) -> bool:
    values = (attempt.supplier, attempt.id, amount.amount, amount.currency, transaction)
    matched = await connection.fetchval(
        """UPDATE ledger SET transaction_key = $5 WHERE attempt_id = $2 AND kind = 'refund' AND transaction_key IS NULL
             AND amount = $3 AND currency = $4
             AND NOT EXISTS (SELECT FROM ledger WHERE supplier = $1 AND transaction_key = $5) RETURNING true""",
        *values,
    )
    if matched:
        return False
    return bool(
        await connection.fetchval(
            """INSERT INTO ledger (supplier, attempt_id, kind, amount, currency, transaction_key, order_id, at)
               VALUES ($1, $2, 'refund', $3, $4, $5, $6, $7)
               ON CONFLICT (supplier, transaction_key) WHERE transaction_key IS NOT NULL DO NOTHING RETURNING true""",
            *values,
            attempt.order_id,
            now,
        )
    )
