"""Our money at the suppliers as it was seen: the last look, a short history, and what was spent lately."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from gateway.kit.pool import Connection, Pool
from schemas.account import Balance
from schemas.money import Money

KEPT = timedelta(days=30)
CLOCKS_APART = timedelta(minutes=5)  # what is noted for later than this was noted by a clock that was wrong
DEPOSIT_WATCHED = timedelta(hours=1)  # how long after it was begun a deposit is looked for every minute


class Wallet(msgspec.Struct, frozen=True):
    """One account of several. ``currency`` is the supplier's word where it is none of ours."""

    name: str
    amount: Decimal
    currency: str


class Parts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a balance is made of, in its currency, as far as the supplier says."""

    reserved: Decimal | None = None
    credit: Decimal | None = None
    wallets: tuple[Wallet, ...] = ()


class Seen(msgspec.Struct, frozen=True):
    """A balance at one moment."""

    at: datetime
    balance: Decimal
    spendable: Decimal
    currency: str
    parts: Parts = Parts()


class KnownBalance(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one account's money: the last figure, and how the last look went."""

    supplier: str
    seen: Seen | None
    asked_at: datetime | None
    error: str | None


class Spent(msgspec.Struct, frozen=True):
    """Charges less refunds in one currency, and when the account was first charged at all."""

    amount: Decimal
    currency: str


async def claim(pool: Pool, suppliers: Sequence[str], now: datetime, every: timedelta, watched: timedelta) -> list[str]:
    """Those of these suppliers that nobody asked for their balance within ``every``; they count as asked now.

    ``watched`` is the time for those where money is waited for: a deposit was begun there, or they said that there is
    too little.
    """
    rows = await pool.fetch(
        """INSERT INTO supplier_balance_looks AS l (supplier, asked_at) SELECT name, $2 FROM unnest($1::text[]) name
           ON CONFLICT (supplier) DO UPDATE SET asked_at = excluded.asked_at
           WHERE l.asked_at <= CASE WHEN EXISTS (SELECT FROM deposits d WHERE d.supplier = l.supplier
                                                 AND d.state = 'begun' AND d.begun_at > $5)
                                      OR EXISTS (SELECT FROM suppliers s WHERE s.name = l.supplier
                                                 AND s.no_balance_until > $2)
                                 THEN $4::timestamptz ELSE $3::timestamptz END
           RETURNING supplier""",
        suppliers,
        now,
        now - every,
        now - watched,
        now - DEPOSIT_WATCHED,
    )
    return sorted(row["supplier"] for row in rows)


async def keep(pool: Pool, supplier: str, balance: Balance, now: datetime) -> None:
    """Note what a look told, and let go of what is too old."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            """INSERT INTO supplier_balances (supplier, at, balance, spendable, currency, parts)
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (supplier, at) DO NOTHING""",
            supplier,
            now,
            balance.balance.amount,
            balance.spendable.amount,
            balance.spendable.currency,
            msgspec.to_builtins(_parts(balance)),
        )
        await _note_poll(connection, supplier, now, None)
        await connection.execute(
            "DELETE FROM supplier_balances WHERE supplier = $1 AND (at < $2 OR at > $3)",
            supplier,
            now - KEPT,
            now + CLOCKS_APART,
        )


async def keep_error(pool: Pool, supplier: str, error: str, now: datetime) -> None:
    """Note that a look told nothing, and why."""
    async with pool.acquire() as connection:
        await _note_poll(connection, supplier, now, error[:300])


async def _note_poll(connection: Connection, supplier: str, now: datetime, error: str | None) -> None:
    await connection.execute(
        """INSERT INTO supplier_balance_looks (supplier, asked_at, error) VALUES ($1, $2, $3)
           ON CONFLICT (supplier) DO UPDATE SET asked_at = excluded.asked_at, error = excluded.error""",
        supplier,
        now,
        error,
    )


async def known(pool: Pool, suppliers: Sequence[str]) -> dict[str, KnownBalance]:
    """What is known of each of these accounts' money."""
    rows = await pool.fetch(
        """SELECT n.name, l.asked_at, l.error, b.at, b.balance, b.spendable, b.currency, b.parts
           FROM unnest($1::text[]) AS n (name)
           LEFT JOIN supplier_balance_looks l ON l.supplier = n.name
           LEFT JOIN LATERAL (SELECT * FROM supplier_balances b WHERE b.supplier = n.name
                              ORDER BY b.at DESC LIMIT 1) AS b ON true""",
        suppliers,
    )
    return {
        row["name"]: KnownBalance(
            supplier=row["name"],
            seen=None if row["at"] is None else _seen(row),
            asked_at=row["asked_at"],
            error=row["error"],
        )
        for row in rows
    }


class Refusal(msgspec.Struct, frozen=True):
    """A purchase that was refused for want of balance: when its answer came, and what it was to cost."""

    at: datetime
    cost: Money | None


async def last_refusal(pool: Pool, supplier: str) -> Refusal | None:
    """The refusal for which a supplier is left alone now; None when it is not, or its attempt is not known."""
    row = await pool.fetchrow(
        """SELECT coalesce(a.call_ended_at, a.started_at) AS at, a.listed, a.currency
           FROM suppliers s JOIN attempts a ON a.supplier = s.name
           WHERE s.name = $1 AND s.no_balance_until > now() AND a.error_code = 'insufficient_balance'
             AND a.started_at > now() - interval '2 days'
           ORDER BY a.started_at DESC LIMIT 1""",
        supplier,
    )
    if row is None:
        return None
    return Refusal(row["at"], None if row["listed"] is None else Money(row["listed"], row["currency"]))


async def clear_no_balance(connection: Connection | Pool, supplier: str) -> None:
    """Sell a supplier's offers again after a deposit, although it refused a purchase for want of balance."""
    await connection.execute(
        "UPDATE suppliers SET no_balance_until = NULL WHERE name = $1 AND no_balance_until IS NOT NULL", supplier
    )


def _seen(row: Any) -> Seen:
    parts = msgspec.convert(row["parts"], Parts, strict=False)
    return Seen(row["at"], row["balance"], row["spendable"], row["currency"], parts)


def _parts(balance: Balance) -> Parts:
    return Parts(
        reserved=None if balance.reserved is None else balance.reserved.amount,
        credit=None if balance.credit is None else balance.credit.amount,
        wallets=tuple(
            Wallet(wallet.name, wallet.balance.amount, wallet.balance.currency) for wallet in balance.wallets
        ),
    )


async def history(pool: Pool, supplier: str, since: datetime, points: int) -> list[Seen]:
    """Figures since a moment, oldest first, at most so many: the last one of each equal stretch of time."""
    rows = await pool.fetch(
        """SELECT DISTINCT ON (width_bucket(extract(epoch FROM at), extract(epoch FROM $2::timestamptz),
                                            extract(epoch FROM now()) + 1, $3))
                  at, balance, spendable, currency
           FROM supplier_balances WHERE supplier = $1 AND at >= $2
           ORDER BY width_bucket(extract(epoch FROM at), extract(epoch FROM $2::timestamptz),
                                 extract(epoch FROM now()) + 1, $3), at DESC""",
        supplier,
        since,
        points,
    )
    return [Seen(**dict(row)) for row in rows]


async def between(pool: Pool, supplier: str, start: datetime, end: datetime) -> list[Seen]:
    """Every figure of a time, oldest first."""
    rows = await pool.fetch(
        "SELECT at, balance, spendable, currency FROM supplier_balances"
        " WHERE supplier = $1 AND at >= $2 AND at < $3 ORDER BY at",
        supplier,
        start,
        end,
    )
    return [Seen(**dict(row)) for row in rows]


async def spent(pool: Pool, suppliers: Sequence[str], since: datetime) -> dict[str, list[Spent]]:
    """Charges less refunds of each supplier since a moment, by the ledger."""
    rows = await pool.fetch(
        """SELECT supplier, currency, sum(CASE kind WHEN 'charge' THEN amount ELSE -amount END) AS amount
           FROM ledger WHERE supplier = ANY($1) AND at >= $2 GROUP BY supplier, currency""",
        suppliers,
        since,
    )
    found: dict[str, list[Spent]] = {}
    for row in rows:
        found.setdefault(row["supplier"], []).append(Spent(row["amount"], row["currency"]))
    return found


async def first_charges(pool: Pool, suppliers: Sequence[str]) -> dict[str, datetime]:
    """When each supplier first took something."""
    rows = await pool.fetch(
        """SELECT n.name, l.at FROM unnest($1::text[]) AS n (name)
           CROSS JOIN LATERAL (SELECT at FROM ledger l WHERE l.supplier = n.name ORDER BY at LIMIT 1) AS l""",
        suppliers,
    )
    return {row["name"]: row["at"] for row in rows}
