"""Our books beside a supplier's: ledger and attempts to compare, what an operator explained, and the latest entry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from gateway.kit.pool import Connection, Pool
from gateway.ledger.reconcile_rules import Booked, Day, Known
from schemas.money import Money

_OPEN = ["sending", "accepted", "unknown", "charged_undeliverable"]
# The supplier's order of a cancel is that of the purchase which it takes back.
_PURCHASE = """
    LEFT JOIN LATERAL (
        SELECT p.id, p.supplier_order_id FROM attempts p
        WHERE p.order_id = a.order_id AND p.supplier = a.supplier AND p.kind <> 'cancel' AND p.state <> 'failed'
        LIMIT 1
    ) p ON a.kind = 'cancel'
"""


async def span(pool: Pool, supplier: str, start: datetime, end: datetime) -> datetime | None:
    """When the attempts behind the ledger's rows of that time began, at the earliest; None without any."""
    found: datetime | None = await pool.fetchval(
        """SELECT min(o.created_at) FROM ledger l JOIN orders o ON o.id = l.order_id
           WHERE l.supplier = $1 AND l.at >= $2 AND l.at < $3""",
        supplier,
        start,
        end,
    )
    return found


async def known(pool: Pool, supplier: str, order_ids: Sequence[str], started_in: Day) -> list[Known]:
    """Purchases and top-ups: those of that time, and those that have one of these orders at the supplier or here."""
    rows = await pool.fetch(
        """SELECT id, order_id, supplier_order_id, state = ANY($5) AS open FROM attempts
           WHERE supplier = $1 AND kind <> 'cancel'
             AND (started_at >= $3 AND started_at < $4 OR supplier_order_id = ANY($2) OR id = ANY($2))""",
        supplier,
        list(order_ids),
        started_in.start,
        started_in.end,
        _OPEN,
    )
    return [
        Known(attempt=row["id"], order_id=row["order_id"], supplier_order_id=row["supplier_order_id"], open=row["open"])
        for row in rows
    ]


async def booked(pool: Pool, supplier: str, attempts: Sequence[str], booked_in: Day) -> list[Booked]:
    """The ledger's rows of that time, and all rows of the orders of these attempts. ``attempt`` is the purchase."""
    rows = await pool.fetch(
        f"""SELECT coalesce(p.id, a.id) AS attempt, l.order_id, l.kind, l.amount, l.currency, l.at,
                   coalesce(p.supplier_order_id, a.supplier_order_id) AS supplier_order_id
            FROM ledger l JOIN attempts a ON a.id = l.attempt_id {_PURCHASE}
            WHERE l.supplier = $1 AND a.order_id IN
                  (SELECT order_id FROM ledger WHERE supplier = $1 AND at >= $3 AND at < $4
                   UNION SELECT order_id FROM attempts WHERE id = ANY($2))""",  # noqa: S608 - our own words
        supplier,
        list(attempts),
        booked_in.start,
        booked_in.end,
    )
    return [
        Booked(
            attempt=row["attempt"],
            order_id=row["order_id"],
            supplier_order_id=row["supplier_order_id"],
            kind=row["kind"],
            amount=Money(row["amount"], row["currency"]),
            at=row["at"],
        )
        for row in rows
    ]


async def explained(pool: Pool, supplier: str) -> dict[str, Money]:
    """What an operator explained, by the movement's name."""
    rows = await pool.fetch("SELECT movement, amount, currency FROM explained_movements WHERE supplier = $1", supplier)
    return {row["movement"]: Money(row["amount"].normalize(), row["currency"]) for row in rows}


async def explain(pool: Pool, supplier: str, movement: str, amount: Money, note: str) -> None:
    """Note why a movement is as it is; the last word stands."""
    await pool.execute(
        """INSERT INTO explained_movements (supplier, movement, amount, currency, note) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (supplier, movement) DO UPDATE
           SET amount = excluded.amount, currency = excluded.currency, note = excluded.note, at = now()""",
        supplier,
        movement,
        amount.amount,
        amount.currency,
        note,
    )


async def last_entry(pool: Pool | Connection) -> datetime | None:
    """When anything was last written about an order; None when nothing ever was."""
    found: datetime | None = await pool.fetchval(
        """SELECT greatest((SELECT max(updated_at) FROM orders), (SELECT max(started_at) FROM attempts),
                           (SELECT max(at) FROM ledger), (SELECT max(at) FROM order_events))"""
    )
    return found


async def restored_as_of(pool: Pool) -> date | None:
    """The first day to be reconciled after a restore; None when none is waited for."""
    note = await pool.fetchval("SELECT note FROM selling_stops WHERE reason = 'restored' AND supplier = ''")
    return None if note is None else date.fromisoformat(str(note)[:10])
