"""Orders in the database: admitting one, reading one for its next step, and moving it on.

An order's ``step`` grows with every change. Whoever moves it names the step that he saw, so that of two processes
which decided on the same facts only one acts.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from gateway.core.orders.states import OrderStatus, ReviewReason
from gateway.store.keys import Mode
from gateway.store.order_rows import AttemptRow, NewOrder, OrderRow, attempt_row, order_row
from gateway.store.pool import Connection, Pool

_ORDER = """
    SELECT id, storefront_id, mode, kind, status, reference, plan_id, plan, price, currency, price_base, max_cost,
           base_currency, wanted, only_suppliers, ignore_suppliers, target_esim_id, bound, fields, cancel_requested_at,
           step, looks, next_look_at, created_at, checkout_id, review_reason
    FROM orders WHERE id = $1
"""
_ORDER_OF_ATTEMPT = _ORDER.replace("$1", "(SELECT order_id FROM attempts WHERE id = $1)") + " FOR UPDATE"  # noqa: S608 - the words above
_ATTEMPTS = """
    SELECT id, order_id, n, kind, supplier, supplier_plan_id, state, run_id, iccid, email, signed_at, deadline,
           quiescent_at, provision_by, listed, charged, currency, cost_base, supplier_order_id, error_code, error,
           started_at, item
    FROM attempts
"""


async def add(connection: Connection, new: NewOrder, key: str | None, request: bytes | None, now: datetime) -> None:
    """Write an order with its idempotency key and the first line of its timeline, in one statement.

    The order of a checkout has no key of its own. Raises ``asyncpg.UniqueViolationError`` when the key or the
    reference was used before, or the checkout has its order.
    """
    await connection.execute(
        """
        WITH made AS (
            INSERT INTO orders (id, storefront_id, mode, kind, reference, plan_id, plan, price, currency, price_base,
                max_cost, base_currency, wanted, only_suppliers, ignore_suppliers, target_esim_id, bound, email,
                email_digest, metadata, next_look_at, created_at, updated_at, fields, checkout_id)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
                $21, $21, $24, $25) RETURNING id
        ), keyed AS (
            INSERT INTO idempotency_keys (storefront_id, mode, key, request, order_id, created_at)
            SELECT $2, $3, $22, $23, id, $21 FROM made WHERE $22::text IS NOT NULL
        )
        INSERT INTO order_events (order_id, at, type, detail) SELECT id, $21, 'admitted', '{}' FROM made
        """,
        new.id,
        new.storefront_id,
        new.mode,
        new.kind,
        new.reference,
        new.plan_id,
        new.plan,
        new.price.amount,
        new.price.currency,
        new.price_base,
        new.max_cost.amount,
        new.max_cost.currency,
        new.wanted,
        new.only_suppliers,
        new.ignore_suppliers,
        new.target_esim_id,
        None if new.bound is None else msgspec.to_builtins(new.bound, str_keys=True),
        new.email,
        new.email_digest,
        new.metadata,
        now,
        key,
        request,
        new.fields,
        new.checkout_id,
    )


async def fields_of(connection: Connection | Pool, order_id: str) -> bytes | None:
    """The sealed answers to what a product asked of the customer."""
    sealed: bytes | None = await connection.fetchval("SELECT fields FROM orders WHERE id = $1", order_id)
    return sealed


async def keyed(connection: Connection | Pool, storefront_id: str, mode: Mode, key: str) -> tuple[str, bytes] | None:
    """The order, or checkout, that an idempotency key has, and the digest of the request that got it."""
    row = await connection.fetchrow(
        """SELECT coalesce(order_id, checkout_id) AS order_id, request FROM idempotency_keys
           WHERE storefront_id = $1 AND mode = $2 AND key = $3""",
        storefront_id,
        mode,
        key,
    )
    return None if row is None else (row["order_id"], row["request"])


async def reference_used(connection: Connection | Pool, storefront_id: str, mode: Mode, reference: str) -> bool:
    """Whether the storefront named an order so before."""
    return bool(
        await connection.fetchval(
            "SELECT true FROM orders WHERE storefront_id = $1 AND mode = $2 AND reference = $3",
            storefront_id,
            mode,
            reference,
        )
    )


async def load(connection: Connection | Pool, order_id: str) -> OrderRow | None:
    """One order."""
    row = await connection.fetchrow(_ORDER, order_id)
    return None if row is None else order_row(row)


async def lock_of(connection: Connection, attempt_id: str) -> OrderRow | None:
    """The order of an attempt, held until the end of the caller's transaction."""
    row = await connection.fetchrow(_ORDER_OF_ATTEMPT, attempt_id)
    return None if row is None else order_row(row)


async def lock(connection: Connection, order_id: str) -> OrderRow | None:
    """One order, held until the end of the caller's transaction."""
    row = await connection.fetchrow(_ORDER + " FOR UPDATE", order_id)
    return None if row is None else order_row(row)


async def attempts_of(connection: Connection | Pool, order_id: str) -> list[AttemptRow]:
    """An order's attempts, the first first."""
    return [attempt_row(row) for row in await connection.fetch(_ATTEMPTS + " WHERE order_id = $1 ORDER BY n", order_id)]


async def attempt(connection: Connection | Pool, attempt_id: str) -> AttemptRow | None:
    """One attempt."""
    row = await connection.fetchrow(_ATTEMPTS + " WHERE id = $1", attempt_id)
    return None if row is None else attempt_row(row)


async def move(
    connection: Connection,
    order_id: str,
    *,
    now: datetime,
    status: OrderStatus | None = None,
    next_look_at: datetime | None = None,
    keep_schedule: bool = False,
    failure_code: str | None = None,
    failure_detail: str | None = None,
    refund: bool = False,
    uncancel: bool = False,
    review_reason: ReviewReason | None = None,
) -> None:
    """Move an order on, under ``lock``. ``refund`` gives the price back, ``uncancel`` forgets a cancel.

    ``review_reason`` None keeps the one that stands there; a final status clears it.
    """
    await connection.execute(
        """
        UPDATE orders SET
            status = coalesce($2, status), step = step + 1, updated_at = $3,
            looks = CASE WHEN $5 THEN looks ELSE 0 END,
            next_look_at = CASE
                WHEN coalesce($2, status) IN ('fulfilled', 'failed', 'cancelled') THEN NULL
                WHEN $5 THEN next_look_at ELSE $4 END,
            failure_code = CASE WHEN $2 IS NULL THEN failure_code ELSE $6 END,
            failure_detail = CASE WHEN $2 IS NULL THEN failure_detail ELSE $7 END,
            refund = CASE WHEN $8 THEN price ELSE refund END,
            fulfilled_at = CASE WHEN $2 IN ('fulfilled', 'cancel_pending') THEN coalesce(fulfilled_at, $3)
                                ELSE fulfilled_at END,
            cancel_requested_at = CASE WHEN $9 THEN NULL ELSE cancel_requested_at END,
            review_reason = CASE WHEN coalesce($2, status) NOT IN ('fulfilled', 'failed', 'cancelled')
                                 THEN coalesce($10, review_reason) END
        WHERE id = $1
        """,
        order_id,
        status,
        now,
        next_look_at,
        keep_schedule,
        failure_code,
        failure_detail,
        refund,
        uncancel,
        review_reason,
    )


async def claim_look(pool: Pool, order: OrderRow, next_look_at: datetime) -> bool:
    """Take the next look at the supplier upon us; False when somebody else took it or the order moved."""
    return bool(
        await pool.fetchval(
            """
            UPDATE orders SET looks = looks + 1, next_look_at = $4
            WHERE id = $1 AND step = $2 AND looks = $3 AND status IN ('pending', 'cancel_pending', 'needs_review')
            RETURNING true
            """,
            order.id,
            order.step,
            order.looks,
            next_look_at,
        )
    )


async def want_cancelled(connection: Connection, order_id: str, status: OrderStatus, now: datetime) -> None:
    """Note that an order is to be cancelled, under ``lock``; it is looked at at once, unless an operator decides it."""
    await connection.execute(
        """UPDATE orders SET cancel_requested_at = $3, status = $2, step = step + 1, looks = 0, updated_at = $3,
                  next_look_at = CASE WHEN $2 = 'cancel_pending' OR next_look_at IS NOT NULL THEN $3::timestamptz END
           WHERE id = $1""",
        order_id,
        status,
        now,
    )


async def put_off(pool: Pool | Connection, order: OrderRow, until: datetime) -> None:
    """Look at an order later, unless it moved meanwhile."""
    await pool.execute(
        "UPDATE orders SET next_look_at = $3 WHERE id = $1 AND step = $2 AND status IN ('pending', 'cancel_pending')",
        order.id,
        order.step,
        until,
    )


async def due(pool: Pool, now: datetime, most: int) -> list[tuple[str, int, int]]:
    """Orders whose time to be looked at has come, the longest due first: id, step, looks."""
    rows = await pool.fetch(
        "SELECT id, step, looks FROM orders WHERE next_look_at <= $1 ORDER BY next_look_at LIMIT $2", now, most
    )
    return [(row["id"], row["step"], row["looks"]) for row in rows]


async def status_of(connection: Connection | Pool, order_id: str) -> tuple[OrderStatus, datetime | None] | None:
    """An order's status and when it is looked at next."""
    row = await connection.fetchrow("SELECT status, next_look_at FROM orders WHERE id = $1", order_id)
    return None if row is None else (row["status"], row["next_look_at"])


async def tell(connection: Connection, order_id: str, at: datetime, event: str, text: str = "", **ops: Any) -> None:
    """A line in an order's timeline: ``text`` for the storefront, ``ops`` for those who run the shop only."""
    detail: dict[str, Any] = {}
    if text:
        detail["text"] = text
    if ops:
        detail["ops"] = {name: value for name, value in ops.items() if value is not None}
    await connection.execute(
        "INSERT INTO order_events (order_id, at, type, detail) VALUES ($1, $2, $3, $4)", order_id, at, event, detail
    )
