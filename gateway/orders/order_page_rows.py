"""What belongs to orders that people look at: what waits, and everything that happened to one of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from gateway.kit.pool import Connection, Pool
from gateway.orders.rules.attention import OpenOrder
from gateway.orders.rules.states import ReviewReason

MOST_OPEN = 2000


class Booked(msgspec.Struct, frozen=True):
    """A charge or refund of one attempt."""

    at: datetime
    attempt_id: str
    supplier: str
    kind: str
    amount: Decimal
    currency: str


class Heard(msgspec.Struct, frozen=True):
    """A supplier's webhook. ``settled_at``: when the order had been looked at for it."""

    received_at: datetime
    supplier: str
    type: str
    attempt_id: str
    settled_at: datetime | None


class Announced(msgspec.Struct, frozen=True):
    """An event to the storefront, and how one delivery of it stands. Without an endpoint there is no delivery."""

    at: datetime
    type: str
    endpoint_id: str | None
    status: str | None
    tries: int


class OrderMoney(msgspec.Struct, frozen=True):
    """What of an order no other view has: its worth in base currency, and who may see its goods.

    ``topups`` are those of its eSIM, live or fulfilled, that are not with an operator because it was cancelled.
    """

    storefront_id: str
    price_base: Decimal
    base_currency: str
    max_cost: Decimal
    cost_base: Decimal | None
    cancel_requested_at: datetime | None
    has_email: bool
    checkout_id: str | None
    review_reason: ReviewReason | None
    topups: int
    replaces_order_id: str | None


async def open_orders(pool: Pool, mode: str, order_id: str | None = None) -> list[OpenOrder]:
    """Orders that are not answered or wait for an operator, and those charged after their end; the oldest, so many.

    Only one of them where an id is given.
    """
    rows = await pool.fetch(
        """WITH open AS (
               (SELECT id FROM orders WHERE mode = $1 AND status IN ('pending', 'cancel_pending', 'needs_review')
                  AND ($3::text IS NULL OR id = $3)
                ORDER BY created_at LIMIT $2)
               UNION (SELECT e.order_id FROM order_events e JOIN orders x ON x.id = e.order_id
                      WHERE e.type = 'charged_after_failure' AND x.mode = $1 AND ($3::text IS NULL OR x.id = $3)
                        AND NOT EXISTS (
                          SELECT FROM order_events w WHERE w.order_id = e.order_id AND w.type = 'late_charge_settled'
                          AND w.id > e.id) LIMIT $2)
           )
           SELECT o.id, o.status, o.created_at, o.updated_at, o.next_poll_at,
                  o.cancel_requested_at IS NOT NULL AS cancel_requested, a.supplier, a.kind AS attempt_kind,
                  a.state AS attempt_state, a.error AS attempt_error, a.started_at, l.standing,
                  r.at AS reviewed_at, coalesce(r.detail->'ops'->>'why', r.detail->'ops'->>'error') AS review_why,
                  t.at AS late_at
           FROM open JOIN orders o ON o.id = open.id
           LEFT JOIN LATERAL (
               SELECT supplier, kind, state, error, started_at FROM attempts
               WHERE order_id = o.id ORDER BY state = 'failed', kind <> 'cancel', n DESC LIMIT 1) a ON true
           LEFT JOIN LATERAL (
               SELECT sum(CASE e.kind WHEN 'charge' THEN e.amount ELSE -e.amount END) AS standing
               FROM attempts x JOIN ledger e ON e.attempt_id = x.id WHERE x.order_id = o.id) l ON true
           LEFT JOIN LATERAL (
               SELECT at, detail FROM order_events WHERE order_id = o.id AND type = 'needs_review'
               AND o.status = 'needs_review' ORDER BY id DESC LIMIT 1) r ON true
           LEFT JOIN LATERAL (
               SELECT at FROM order_events WHERE order_id = o.id AND type = 'charged_after_failure'
               AND o.status = 'failed' AND l.standing > 0 ORDER BY id DESC LIMIT 1) t ON true""",
        mode,
        MOST_OPEN,
        order_id,
    )
    return [OpenOrder(**dict(row)) for row in rows]


async def money_of(pool: Pool, order_id: str) -> OrderMoney | None:
    """One order's, None when there is none. ``cost_base`` is the listed cost of its last purchase."""
    row = await pool.fetchrow(
        """SELECT o.storefront_id, o.price_base, o.base_currency, o.max_cost,
                  (SELECT a.cost_base FROM attempts a WHERE a.order_id = o.id AND a.kind <> 'cancel'
                   ORDER BY n DESC LIMIT 1) AS cost_base,
                  o.cancel_requested_at, o.email IS NOT NULL AS has_email, o.checkout_id, o.review_reason,
                  o.replaces_order_id,
                  (SELECT count(*) FROM esims e JOIN orders t ON t.target_esim_id = e.id
                   WHERE e.order_id = o.id AND t.status NOT IN ('failed', 'cancelled')
                     AND t.review_reason IS DISTINCT FROM 'esim_cancelled') AS topups
           FROM orders o WHERE o.id = $1""",
        order_id,
    )
    return None if row is None else OrderMoney(**dict(row))


async def booked(pool: Pool, attempt_ids: Sequence[str]) -> list[Booked]:
    """What suppliers took and gave back for these attempts, the first first."""
    rows = await pool.fetch(
        "SELECT at, attempt_id, supplier, kind, amount, currency FROM ledger WHERE attempt_id = ANY($1) ORDER BY id",
        list(attempt_ids),
    )
    return [Booked(**dict(row)) for row in rows]


async def heard(pool: Pool, attempt_ids: Sequence[str], most: int = 50) -> list[Heard]:
    """What suppliers' webhooks named these attempts, the first first."""
    rows = await pool.fetch(
        """SELECT received_at, supplier, type, attempt_id, settled_at FROM supplier_webhooks
           WHERE attempt_id = ANY($1) ORDER BY received_at LIMIT $2""",
        list(attempt_ids),
        most,
    )
    return [Heard(**dict(row)) for row in rows]


async def sent_events(pool: Pool, order_id: str, most: int = 50) -> list[Announced]:
    """What the storefront was told of the order, the first first."""
    rows = await pool.fetch(
        """SELECT e.at, e.type, d.endpoint_id, d.status, coalesce(jsonb_array_length(d.attempts), 0) AS tries
           FROM webhook_events e LEFT JOIN webhook_deliveries d ON d.event_id = e.id
           WHERE e.order_id = $1 ORDER BY e.at, d.created_at LIMIT $2""",
        order_id,
        most,
    )
    return [Announced(**dict(row)) for row in rows]


async def settle_late_charge(connection: Connection, order_id: str, detail: dict[str, Any]) -> bool:
    """Note that somebody dealt with a charge that came after the order's end; False when there is none."""
    made = await connection.fetchval(
        """INSERT INTO order_events (order_id, type, detail)
           SELECT $1, 'late_charge_settled', $2 WHERE EXISTS (
               SELECT FROM order_events WHERE order_id = $1 AND type = 'charged_after_failure') RETURNING true""",
        order_id,
        detail,
    )
    return bool(made)
