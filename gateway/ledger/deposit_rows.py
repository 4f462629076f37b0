"""Deposits that somebody began: where they are paid, who began them, and whether the money was seen."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from gateway.kit.pages import PageRequest
from gateway.kit.pool import Connection, Pool
from schemas.money import Money
from schemas.page import Page

_COLUMNS = "id, supplier, way, amount, currency, state, session_id, url, error, begun_by, begun_at, arrived_at"
# Their clock may be behind ours.
_CLOCKS_APART = timedelta(minutes=15)


class Deposit(msgspec.Struct, frozen=True, kw_only=True):
    """One deposit. "asked": the supplier has not answered; "begun": it can be paid; "arrived": its line was seen."""

    id: str
    supplier: str
    way: str
    amount: Decimal
    currency: str
    state: str
    session_id: str | None
    url: str | None
    error: str | None
    begun_by: str
    begun_at: datetime
    arrived_at: datetime | None


async def ask(
    connection: Connection, deposit_id: str, supplier: str, way: str, amount: Money, by: str, now: datetime
) -> None:
    """Note that somebody is about to ask the supplier for it."""
    await connection.execute(
        """INSERT INTO deposits (id, supplier, way, amount, currency, state, begun_by, begun_at)
           VALUES ($1, $2, $3, $4, $5, 'asked', $6, $7)""",
        deposit_id,
        supplier,
        way,
        amount.amount,
        amount.currency,
        by,
        now,
    )


async def begun(pool: Pool, deposit_id: str, session_id: str | None, url: str) -> None:
    """It can be paid there."""
    await pool.execute(
        "UPDATE deposits SET state = 'begun', session_id = $2, url = $3 WHERE id = $1 AND state = 'asked'",
        deposit_id,
        session_id,
        url,
    )


async def failed(pool: Pool, deposit_id: str, error: str) -> None:
    """The supplier gave no page for it, and why."""
    await pool.execute(
        "UPDATE deposits SET state = 'failed', error = $2 WHERE id = $1 AND state = 'asked'", deposit_id, error[:300]
    )


async def arrive(pool: Pool, supplier: str, now: datetime) -> int:
    """Note of deposits that wait whether the supplier's books have their line by now; how many arrived.

    A line belongs to one deposit of its amount: to the one begun last before it, for one that nobody paid stays begun.
    """
    arrived = 0
    async with pool.acquire() as connection, connection.transaction():
        waiting = await connection.fetch(
            """SELECT id, amount, currency, begun_at FROM deposits WHERE supplier = $1 AND state = 'begun'
               ORDER BY begun_at DESC, id DESC FOR UPDATE""",
            supplier,
        )
        for deposit in waiting:
            line = await connection.fetchval(
                """SELECT t.id FROM supplier_transactions t
                   WHERE t.supplier = $1 AND t.kind = 'deposit' AND t.amount = $2 AND t.currency = $3 AND t.at >= $4
                     AND NOT EXISTS (SELECT FROM deposits d WHERE d.transaction_id = t.id)
                   ORDER BY t.at < $5, t.at, t.id LIMIT 1""",
                supplier,
                deposit["amount"],
                deposit["currency"],
                deposit["begun_at"] - _CLOCKS_APART,
                deposit["begun_at"],
            )
            if line is not None:
                arrived += 1
                await connection.execute(
                    "UPDATE deposits SET state = 'arrived', arrived_at = $2, transaction_id = $3 WHERE id = $1",
                    deposit["id"],
                    now,
                    line,
                )
    return arrived


async def find(pool: Pool, deposit_id: str) -> Deposit | None:
    """A deposit, None when there is none of that id."""
    row = await pool.fetchrow(f"SELECT {_COLUMNS} FROM deposits WHERE id = $1", deposit_id)  # noqa: S608 - the words above
    return None if row is None else Deposit(**dict(row))


async def listed(
    pool: Pool, page_request: PageRequest, *, supplier: str | None = None, mode: str | None = None
) -> Page[Deposit]:
    """Deposits, the newest first."""
    rows = await pool.fetch(
        f"""SELECT {_COLUMNS} FROM deposits d
            WHERE ($1::text IS NULL OR supplier = $1)
              AND ($2::text IS NULL OR supplier IN (SELECT name FROM suppliers WHERE mode = $2))
              AND ($3::text IS NULL OR (begun_at, id) < (SELECT begun_at, id FROM deposits WHERE id = $3))
            ORDER BY begun_at DESC, id DESC LIMIT $4""",  # noqa: S608 - the words above
        supplier,
        mode,
        *page_request.before(str),
        page_request.fetch,
    )
    return page_request.page([Deposit(**dict(row)) for row in rows], lambda deposit: (deposit.id,))
