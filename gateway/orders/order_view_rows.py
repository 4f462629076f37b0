"""Orders as they are looked at: one, a list, their attempts, their timelines, the ledger. Nothing is changed here.

``StorefrontScope`` is in every question about a storefront's orders; without it (None) it is an operator's question.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import asyncpg
import msgspec

from gateway.access.key_rows import Mode
from gateway.kit.pages import PageRequest, columns, price_of
from gateway.kit.pool import Connection, Pool
from gateway.orders import order_search_rows
from gateway.orders.order_search_rows import OrderFilter
from schemas.money import Money
from schemas.ops_orders import LedgerEntry
from schemas.orders import Attempt, OrderEvent
from schemas.page import Page


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


async def by_id(pool: Pool | Connection, order_id: str, scope: StorefrontScope | None) -> OrderRow | None:
    """The order of that id; None when there is none, or it is another's."""
    row = await pool.fetchrow(
        _SELECT
        + "WHERE o.id = $1 AND ($2::text IS NULL OR o.storefront_id = $2) AND ($3::text IS NULL OR o.mode = $3)",
        order_id,
        scope.storefront_id if scope else None,
        scope.mode if scope else None,
    )
    return None if row is None else _order(row)


async def of_batch(pool: Pool, batch_id: str, scope: StorefrontScope) -> list[OrderRow]:
    """The orders of a storefront's batch, always in the same sequence; none when it has no such batch."""
    rows = await pool.fetch(
        _SELECT + "WHERE o.batch_id = $1 AND o.storefront_id = $2 AND o.mode = $3 ORDER BY o.id", batch_id, *scope
    )
    return [_order(row) for row in rows]


async def newest_first(
    pool: Pool, scope: StorefrontScope, wanted: OrderFilter, page_request: PageRequest
) -> Page[OrderRow]:
    """Those of a storefront's orders that are so, the newest first."""
    own = msgspec.structs.replace(wanted, storefront=scope.storefront_id, mode=scope.mode)
    async with pool.acquire() as connection:
        page = await order_search_rows.page_of_ids(connection, own, page_request)
        rows = await connection.fetch(_SELECT + "WHERE o.id = ANY($1) ORDER BY o.created_at DESC, o.id", page.data)
    return page.of(map(_order, rows))


async def of_all(
    pool: Pool,
    page_request: PageRequest,
    *,
    mode: str | None = None,
    status: str | None = None,
    supplier: str | None = None,
    storefront: str | None = None,
) -> Page[OrderRow]:
    """All storefronts' orders, the newest first; with ``supplier`` those of which it was asked to sell something."""
    rows = await pool.fetch(
        _SELECT
        + """WHERE ($1::text IS NULL OR o.status = $1) AND ($2::text IS NULL OR o.mode = $2)
               AND ($6::text IS NULL OR s.name = $6)
               AND ($7::text IS NULL OR EXISTS (SELECT FROM attempts a WHERE a.order_id = o.id AND a.supplier = $7))
               AND (o.created_at < $3 OR o.created_at = $3 AND o.id > $4)
             ORDER BY o.created_at DESC, o.id LIMIT $5""",
        status,
        mode,
        *page_request.before(datetime, str),
        page_request.fetch,
        storefront,
        supplier,
    )
    return page_request.page(rows, columns("created_at", "id")).map(_order)


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
    pool: Pool, page_request: PageRequest, *, supplier: str | None = None, order_id: str | None = None
) -> Page[LedgerEntry]:
    """Charges and refunds, the newest first."""
    rows = await pool.fetch(
        """SELECT id, at, supplier, attempt_id, order_id, kind, amount, currency FROM ledger
           WHERE id < $1
             AND ($2::text IS NULL OR supplier = $2) AND ($3::text IS NULL OR order_id = $3)
           ORDER BY id DESC LIMIT $4""",
        *page_request.before(int),
        supplier,
        order_id,
        page_request.fetch,
    )
    return page_request.page(rows, columns("id")).map(_entry)


def _entry(row: asyncpg.Record) -> LedgerEntry:
    return LedgerEntry(
        at=row["at"],
        supplier=row["supplier"],
        attempt=row["attempt_id"],
        order_id=row["order_id"],
        kind=row["kind"],
        amount=_price(row["amount"], row["currency"]),
    )


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
