"""Orders in the database: admitting one, reading one for its next step, and moving it on.

An order's ``step`` grows with every change. Whoever moves it names the step that he saw, so that of two processes
which decided on the same facts only one acts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from gateway.access.key_rows import Mode
from gateway.kit.pool import Connection, Pool
from gateway.orders.order_rows import AttemptRow, OrderRow, attempt_row, order_row
from gateway.orders.rules.states import OrderStatus

_ORDER_COLUMNS = """o.id, o.storefront_id, o.mode, o.kind, o.status, o.reference, o.plan_id, o.plan, o.price,
    o.currency, o.price_base, o.max_cost, o.base_currency, o.wanted, o.only_suppliers, o.ignore_suppliers,
    o.target_esim_id, o.bound, o.fields, o.cancel_requested_at, o.step, o.polls, o.next_poll_at, o.created_at,
    o.updated_at, o.checkout_id, o.review_reason, o.turn_wait_since"""
_ATTEMPT_COLUMNS = """a.id, a.order_id, a.n, a.kind, a.supplier, a.supplier_plan_id, a.state, a.run_id, a.iccid,
    a.email, a.signed_at, a.deadline, a.quiescent_at, a.provision_by, a.listed, a.charged, a.currency, a.cost_base,
    a.supplier_order_id, a.error_code, a.error, a.started_at, a.item, a.ended_at,
    EXISTS (SELECT FROM supplier_answers s WHERE s.attempt_id = a.id AND s.read_at IS NULL AND s.failures < 5)
        AS unread_answer"""
_ORDER = f"SELECT {_ORDER_COLUMNS} FROM orders o WHERE o.id = $1"  # noqa: S608 - the words above
_ATTEMPTS = f"SELECT {_ATTEMPT_COLUMNS} FROM attempts a"  # noqa: S608 - the words above
_ORDER_FIELDS = [word.strip().removeprefix("o.") for word in _ORDER_COLUMNS.split(",")]
_BOTH = (
    "SELECT "  # noqa: S608 - the words above
    + ", ".join(f"o.{name} AS o_{name}" for name in _ORDER_FIELDS)
    + f", {_ATTEMPT_COLUMNS} FROM orders o "
)
# The rows are locked in this order, everywhere: order, then attempt.
_LOCK_ATTEMPT = _BOTH + "JOIN attempts a ON a.order_id = o.id WHERE a.id = $1 FOR UPDATE OF o, a"
_WITH_ATTEMPTS = _BOTH + "LEFT JOIN attempts a ON a.order_id = o.id WHERE o.id = $1 ORDER BY a.n"


async def fields_of(connection: Connection | Pool, order_id: str) -> bytes | None:
    """The sealed answers to what a product asked of the customer."""
    sealed: bytes | None = await connection.fetchval("SELECT fields FROM orders WHERE id = $1", order_id)
    return sealed


async def keep_trace(connection: Connection | Pool, order_id: str, traceparent: str) -> None:
    """Note the trace that an order's request is part of."""
    await connection.execute("UPDATE orders SET traceparent = $2 WHERE id = $1", order_id, traceparent)


async def trace_of(connection: Connection | Pool, order_id: str) -> str | None:
    """The trace that an order's request was part of; None where it was not traced."""
    found: str | None = await connection.fetchval("SELECT traceparent FROM orders WHERE id = $1", order_id)
    return found


async def keyed(connection: Connection | Pool, storefront_id: str, mode: Mode, key: str) -> tuple[str, bytes] | None:
    """The order, batch or checkout that an idempotency key has, and the digest of the request that got it."""
    row = await connection.fetchrow(
        """SELECT coalesce(order_id, checkout_id, batch_id) AS order_id, request FROM idempotency_keys
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


async def load_with_attempts(connection: Connection | Pool, order_id: str) -> tuple[OrderRow, list[AttemptRow]] | None:
    """One order and its attempts, the first first, in one statement; None when there is no such order."""
    rows = await connection.fetch(_WITH_ATTEMPTS, order_id)
    if not rows:
        return None
    return _order_of(rows[0]), [_attempt_of(row) for row in rows if row["id"] is not None]


async def lock_attempt(connection: Connection, attempt_id: str) -> tuple[OrderRow, AttemptRow] | None:
    """An attempt and its order, held until the end of the caller's transaction."""
    row = await connection.fetchrow(_LOCK_ATTEMPT, attempt_id)
    return None if row is None else (_order_of(row), _attempt_of(row))


async def lock(connection: Connection, order_id: str) -> OrderRow | None:
    """One order, held until the end of the caller's transaction."""
    row = await connection.fetchrow(_ORDER + " FOR UPDATE", order_id)
    return None if row is None else order_row(row)


async def attempts_of(connection: Connection | Pool, order_id: str) -> list[AttemptRow]:
    """An order's attempts, the first first."""
    return [
        attempt_row(row) for row in await connection.fetch(_ATTEMPTS + " WHERE a.order_id = $1 ORDER BY a.n", order_id)
    ]


async def attempt(connection: Connection | Pool, attempt_id: str) -> AttemptRow | None:
    """One attempt."""
    row = await connection.fetchrow(_ATTEMPTS + " WHERE a.id = $1", attempt_id)
    return None if row is None else attempt_row(row)


async def polled(connection: Connection | Pool, order: OrderRow, next_poll_at: datetime | None, *, sent: bool) -> None:
    """Say when an order whose poll brought nothing new is polled next; ``sent`` counts the poll.

    Unless the order moved, or was woken, since it was read as ``order``.
    """
    await connection.execute(
        """UPDATE orders SET next_poll_at = $4, polls = polls + $5::int
           WHERE id = $1 AND step = $2 AND next_poll_at IS NOT DISTINCT FROM $3
             AND status IN ('pending', 'cancel_pending', 'needs_review')""",
        order.id,
        order.step,
        order.next_poll_at,
        next_poll_at,
        int(sent),
    )


async def want_cancelled(connection: Connection, order_id: str, status: OrderStatus, now: datetime) -> None:
    """Note that an order is to be cancelled, under ``lock``; it is looked at at once, unless an operator decides it."""
    await connection.execute(
        """WITH woken AS (
               UPDATE orders SET cancel_requested_at = $3, status = $2, step = step + 1, polls = 0, updated_at = $3,
                   next_poll_at = CASE WHEN $2 = 'cancel_pending' OR next_poll_at IS NOT NULL THEN $3::timestamptz END
               WHERE id = $1 RETURNING id)
           SELECT pg_notify('orders_due', id) FROM woken""",
        order_id,
        status,
        now,
    )


async def put_off(
    pool: Pool | Connection, order: OrderRow, until: datetime, *, turn_wait_since: datetime | None = None
) -> None:
    """Look at an order later, unless it moved meanwhile. ``turn_wait_since``: it waits for its turn since then."""
    await pool.execute(
        "UPDATE orders SET next_poll_at = $3, turn_wait_since = $4"
        " WHERE id = $1 AND step = $2 AND status IN ('pending', 'cancel_pending')",
        order.id,
        order.step,
        until,
        turn_wait_since,
    )


async def claim_due(pool: Pool, now: datetime, lease: timedelta, most: int) -> list[str]:
    """Orders whose time has come, the longest due first, claimed: nobody else gets them for ``lease``.

    Whoever claimed one and ends before it is processed leaves it due again after that.
    """
    rows = await pool.fetch(
        """WITH due AS (
               SELECT id FROM orders WHERE next_poll_at <= $1 ORDER BY next_poll_at LIMIT $3 FOR UPDATE SKIP LOCKED
           )
           UPDATE orders o SET next_poll_at = $1 + $2 FROM due WHERE o.id = due.id RETURNING o.id""",
        now,
        lease,
        most,
    )
    return [row["id"] for row in rows]


async def due_now(connection: Connection, order_id: str, now: datetime) -> None:
    """An order changed in a way that a worker is to go on with now, under ``lock``."""
    await connection.execute(
        """WITH woken AS (
               UPDATE orders SET step = step + 1, polls = 0, updated_at = $2, next_poll_at = $2
               WHERE id = $1 AND status NOT IN ('fulfilled', 'failed', 'cancelled') RETURNING id)
           SELECT pg_notify('orders_due', id) FROM woken""",
        order_id,
        now,
    )


async def wake(connection: Connection | Pool, order_id: str, now: datetime) -> None:
    """Have a worker process an order now: a supplier, an operator or a storefront has something to say of it.

    One that is final, or that waits for an operator and is polled no more, stays as it is.
    """
    await connection.execute(
        """WITH woken AS (UPDATE orders SET next_poll_at = $2 WHERE id = $1 AND next_poll_at > $2 RETURNING id)
           SELECT pg_notify('orders_due', id) FROM woken""",
        order_id,
        now,
    )


async def notify_answered(pool: Pool, order_ids: Sequence[str]) -> None:
    """Notify other processes of orders that are answered."""
    await pool.execute("SELECT pg_notify('orders_answered', id) FROM unnest($1::text[]) AS answered (id)", order_ids)


async def status_of(connection: Connection | Pool, order_id: str) -> tuple[OrderStatus, datetime | None] | None:
    """An order's status and when it is looked at next."""
    row = await connection.fetchrow("SELECT status, next_poll_at FROM orders WHERE id = $1", order_id)
    return None if row is None else (row["status"], row["next_poll_at"])


async def add_event(
    connection: Connection, order_id: str, at: datetime, event: str, text: str = "", **ops: Any
) -> None:
    """A line in an order's timeline: ``text`` for the storefront, ``ops`` for those who run the shop only."""
    detail: dict[str, Any] = {}
    if text:
        detail["text"] = text
    if ops:
        detail["ops"] = {name: value for name, value in ops.items() if value is not None}
    await connection.execute(
        "INSERT INTO order_events (order_id, at, type, detail) VALUES ($1, $2, $3, $4)", order_id, at, event, detail
    )


def _order_of(row: Any) -> OrderRow:
    return order_row({name: row[f"o_{name}"] for name in _ORDER_FIELDS})


def _attempt_of(row: Any) -> AttemptRow:
    return attempt_row({name: value for name, value in row.items() if not name.startswith("o_")})


async def id_of_checkout(connection: Connection | Pool, checkout_id: str) -> str | None:
    """The order that was placed for a checkout."""
    order_id: str | None = await connection.fetchval("SELECT id FROM orders WHERE checkout_id = $1", checkout_id)
    return order_id
