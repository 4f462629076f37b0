"""Orders as they are looked at: one, a list, their attempts, their timelines, the ledger. Nothing is changed here.

``StorefrontScope`` is in every question about a storefront's orders; without it (None) it is an operator's question.
A position is as in ``gateway.kit.pages``: any tuple of texts is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import asyncpg
import msgspec

from gateway.access.key_rows import Mode
from gateway.kit.pages import Position, Rows, price_of
from gateway.kit.pool import Connection, Pool
from schemas.money import Money
from schemas.orders import Attempt, LedgerEntry, OrderEvent

_BEFORE_ALL = datetime(1, 1, 1, tzinfo=UTC)
_BIGINT_DIGITS = 18


class StorefrontScope(NamedTuple):
    """A storefront in one of its modes."""

    storefront_id: str
    mode: Mode


class OrderRow(msgspec.Struct, frozen=True):
    """An order as it stands. ``plan`` is as it was sold."""

    id: str
    storefront_id: str
    storefront: str
    mode: Mode
    kind: str
    status: str
    reference: str | None
    plan: dict[str, Any]
    price: Money
    target_esim_id: str | None
    failure_code: str | None
    failure_detail: str | None
    refund: Money | None
    metadata: dict[str, Any]
    next_poll_at: datetime | None
    created_at: datetime
    updated_at: datetime
    fulfilled_at: datetime | None


_SELECT = """
    SELECT o.id, o.storefront_id, s.name AS storefront, o.mode, o.kind, o.status, o.reference, o.plan, o.price,
           o.currency, o.target_esim_id, o.failure_code, o.failure_detail, o.refund, o.metadata, o.next_poll_at,
           o.created_at, o.updated_at, o.fulfilled_at
    FROM orders o JOIN storefronts s ON s.id = o.storefront_id
"""
_PAGE = """
      AND (o.created_at < $3 OR o.created_at = $3 AND o.id > $4)
    ORDER BY o.created_at DESC, o.id LIMIT $5
"""


async def one(pool: Pool | Connection, order_id: str, whose: StorefrontScope | None) -> OrderRow | None:
    """The order of that id; None when there is none, or it is another's."""
    row = await pool.fetchrow(
        _SELECT
        + "WHERE o.id = $1 AND ($2::text IS NULL OR o.storefront_id = $2) AND ($3::text IS NULL OR o.mode = $3)",
        order_id,
        whose.storefront_id if whose else None,
        whose.mode if whose else None,
    )
    return None if row is None else _order(row)


async def newest_first(
    pool: Pool,
    whose: StorefrontScope,
    limit: int,
    after: Position | None,
    *,
    status: str | None = None,
    kind: str | None = None,
    reference: str | None = None,
) -> Rows[OrderRow]:
    """A storefront's orders, the newest first."""
    rows = await pool.fetch(
        _SELECT
        + """WHERE o.storefront_id = $1 AND o.mode = $2
               AND ($6::text IS NULL OR o.status = $6) AND ($7::text IS NULL OR o.kind = $7)
               AND ($8::text IS NULL OR o.reference = $8)"""
        + _PAGE,
        *whose,
        *_from(after),
        limit + 1,
        status,
        kind,
        reference,
    )
    return _rows(rows, limit)


async def of_all(
    pool: Pool,
    limit: int,
    after: Position | None,
    *,
    mode: str | None = None,
    status: str | None = None,
    supplier: str | None = None,
    storefront: str | None = None,
) -> Rows[OrderRow]:
    """All storefronts' orders, the newest first; with ``supplier`` those of which it was asked to sell something."""
    rows = await pool.fetch(
        _SELECT
        + """WHERE ($1::text IS NULL OR o.status = $1) AND ($2::text IS NULL OR o.mode = $2)
               AND ($6::text IS NULL OR s.name = $6)
               AND ($7::text IS NULL OR EXISTS (SELECT FROM attempts a WHERE a.order_id = o.id AND a.supplier = $7))"""
        + _PAGE,
        status,
        mode,
        *_from(after),
        limit + 1,
        storefront,
        supplier,
    )
    return _rows(rows, limit)


async def attempts(pool: Pool | Connection, order_ids: Sequence[str]) -> dict[str, list[Attempt]]:
    """The attempts of these orders by order, the first one first. ``cost`` is what it took, as far as that is known."""
    rows = await pool.fetch(
        """SELECT order_id, n, kind, supplier, supplier_plan_id, state, id, supplier_order_id, charged,
                  charged_currency, listed, currency, error, why, started_at, ended_at,
                  (SELECT l.amount FROM ledger l WHERE l.attempt_id = attempts.id AND l.kind = 'charge') AS taken,
                  (SELECT l.currency FROM ledger l WHERE l.attempt_id = attempts.id AND l.kind = 'charge') AS taken_in
           FROM attempts WHERE order_id = ANY($1) ORDER BY order_id, n""",
        list(order_ids),
    )
    found: dict[str, list[Attempt]] = {}
    for row in rows:
        taken = _money(row["taken"], row["taken_in"]) or _money(row["charged"], row["charged_currency"])
        found.setdefault(row["order_id"], []).append(
            Attempt(
                n=row["n"],
                kind=row["kind"],
                supplier=row["supplier"],
                supplier_plan_id=row["supplier_plan_id"],
                state=row["state"],
                reference=row["id"],
                supplier_order_id=row["supplier_order_id"],
                cost=price_of(taken),
                listed=price_of(_money(row["listed"], row["currency"])),
                error=row["error"],
                why=row["why"],
                started_at=row["started_at"],
                ended_at=row["ended_at"],
            )
        )
    return found


async def events(pool: Pool, order_id: str, *, with_ops: bool = False) -> list[OrderEvent]:
    """What happened to an order, the oldest first; ``with_ops`` adds what only operators see."""
    rows = await pool.fetch("SELECT at, type, detail FROM order_events WHERE order_id = $1 ORDER BY id", order_id)
    return [
        OrderEvent(
            at=row["at"],
            type=row["type"],
            detail=row["detail"].get("text", ""),
            ops=row["detail"].get("ops", {}) if with_ops else msgspec.UNSET,
        )
        for row in rows
    ]


async def ledger(
    pool: Pool, limit: int, after: Position | None, *, supplier: str | None = None, order_id: str | None = None
) -> Rows[LedgerEntry]:
    """Charges and refunds, the newest first."""
    last = after[0] if after else ""
    known = last.isascii() and last.isdecimal() and len(last) <= _BIGINT_DIGITS
    rows = await pool.fetch(
        """SELECT id, at, supplier, attempt_id, order_id, kind, amount, currency FROM ledger
           WHERE ($1::bigint IS NULL OR id < $1)
             AND ($2::text IS NULL OR supplier = $2) AND ($3::text IS NULL OR order_id = $3)
           ORDER BY id DESC LIMIT $4""",
        None if after is None else int(last) if known else 0,
        supplier,
        order_id,
        limit + 1,
    )
    shown = rows[:limit]
    entries = [
        LedgerEntry(
            at=row["at"],
            supplier=row["supplier"],
            attempt=row["attempt_id"],
            order_id=row["order_id"],
            kind=row["kind"],
            amount=_price(row["amount"], row["currency"]),
        )
        for row in shown
    ]
    return Rows(entries, (str(shown[-1]["id"]),) if len(rows) > limit else None)


def _price(amount: Decimal, currency: str) -> Any:
    return price_of(Money(amount, currency))


def _money(amount: Decimal | None, currency: str | None) -> Money | None:
    return None if amount is None or currency is None else Money(amount, currency)


def _order(row: asyncpg.Record) -> OrderRow:
    fields = dict(row)
    currency = fields.pop("currency")
    return OrderRow(
        **{**fields, "price": Money(fields["price"], currency), "refund": _money(fields["refund"], currency)}
    )


def _rows(rows: Sequence[asyncpg.Record], limit: int) -> Rows[OrderRow]:
    shown = [_order(row) for row in rows[:limit]]
    after = (shown[-1].created_at.isoformat(), shown[-1].id) if len(rows) > limit else None
    return Rows(shown, after)


def _from(after: Position | None) -> tuple[datetime, str]:
    """Where a page begins. What is no time stands before all orders, so that nothing comes after it."""
    if after is None:
        return datetime.max.replace(tzinfo=UTC), ""
    try:
        at = datetime.fromisoformat(after[0])
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC), after[1] if len(after) > 1 else ""
    except (ValueError, OverflowError):
        return _BEFORE_ALL, ""
