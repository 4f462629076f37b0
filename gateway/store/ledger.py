"""What moved between us and the suppliers: one charge and one refund at most for an attempt, each written once."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

from gateway.store.order_rows import AttemptRow
from gateway.store.pool import Connection
from schemas.money import Money


async def charge(
    connection: Connection, attempt: AttemptRow, amount: Money, now: datetime, *, correct: bool
) -> Literal["new", "changed", "same"]:
    """The supplier took this for the attempt.

    With ``correct`` its later word on the sum takes the place of the earlier one.
    """
    before = await charged(connection, attempt.id)
    if before is None:
        return "new" if await _write(connection, attempt, "charge", amount, now) else "same"
    if not correct or before == amount or amount.amount <= 0:
        return "same"
    await connection.execute(
        "UPDATE ledger SET amount = $2, currency = $3 WHERE attempt_id = $1 AND kind = 'charge'",
        attempt.id,
        amount.amount,
        amount.currency,
    )
    return "changed"


async def refund(connection: Connection, attempt: AttemptRow, amount: Money, now: datetime) -> bool:
    """The supplier gave this back, in its own amount; False when that is written already."""
    return await _write(connection, attempt, "refund", amount, now)


async def charged(connection: Connection, attempt_id: str) -> Money | None:
    """What the ledger says was taken for an attempt."""
    row = await connection.fetchrow(
        "SELECT amount, currency FROM ledger WHERE attempt_id = $1 AND kind = 'charge'", attempt_id
    )
    return None if row is None else Money(row["amount"], row["currency"])


async def _write(connection: Connection, attempt: AttemptRow, kind: str, amount: Money, now: datetime) -> bool:
    if amount.amount <= Decimal(0):
        return False
    return bool(
        await connection.fetchval(
            """
            INSERT INTO ledger (at, supplier, attempt_id, order_id, kind, amount, currency)
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (attempt_id, kind) DO NOTHING RETURNING true
            """,
            now,
            attempt.supplier,
            attempt.id,
            attempt.order_id,
            kind,
            amount.amount,
            amount.currency,
        )
    )
