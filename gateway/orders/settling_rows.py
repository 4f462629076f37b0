"""What settling writes, as one statement: attempt, ledger, delivery, order, timeline, event and the supplier's answer.

It is filled by the decisions of ``gateway.orders.settle`` under the order's lock and written once, so that an order is
never half settled and costs one round trip.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from gateway.kit.group_commit import GroupCommit
from gateway.kit.pool import Connection, Pool
from gateway.orders.metrics import count_order
from gateway.orders.order_rows import OrderRow
from gateway.orders.rules.states import AttemptKind, AttemptState, OrderStatus, ReviewReason
from gateway.suppliers.metrics import count_attempt
from gateway.webhooks import event_rows
from gateway.webhooks.event_rows import EventWrite
from schemas.money import Money

# Everything hangs on `locked`: without the row at the step that was expected nothing is written.
_STATEMENT = """
    WITH locked AS MATERIALIZED (
        SELECT id FROM orders WHERE id = $20 AND ($40::bigint IS NULL OR step = $40::bigint) FOR UPDATE {held_rows}
    ), attempt_written AS (
        UPDATE attempts SET
            state = coalesce($2::text, state), charged = coalesce($3, charged),
            charged_currency = coalesce($4, charged_currency),
            supplier_order_id = coalesce(supplier_order_id, $5),
            error_code = coalesce($6, error_code), error = coalesce($7, error), iccid = coalesce(iccid, $8),
            ended_at = CASE WHEN $2::text IN ('succeeded', 'failed',
                'charged_undeliverable') THEN coalesce(ended_at, $9::timestamptz)
                            ELSE ended_at END,
            call_ended_at = CASE WHEN $10::bool THEN coalesce(call_ended_at, $9::timestamptz) ELSE call_ended_at END
        WHERE id = $1 AND EXISTS (SELECT FROM locked)
    ), charge_written AS (
        INSERT INTO ledger (at, supplier, attempt_id, order_id, kind, amount, currency)
        SELECT $9::timestamptz, supplier, id, order_id, 'charge', $11::numeric, $12::text FROM attempts
        WHERE id = $1 AND $11::numeric > 0 AND EXISTS (SELECT FROM locked) ON CONFLICT DO NOTHING
    ), esim_written AS (
        INSERT INTO esims (id, order_id, storefront_id, mode, supplier, supplier_plan_id, iccid, iccid_digest,
                           activation_code, code_digest, confirmation_code_required, next_poll_at, created_at)
        SELECT $13::text, o.id, o.storefront_id, o.mode, a.supplier, a.supplier_plan_id, $14::bytea, $15::bytea,
        $16::bytea, $17::bytea, $18::bool, $19::timestamptz, $9::timestamptz
        FROM orders o JOIN attempts a ON a.id = $1 WHERE o.id = $20 AND $13::text IS NOT NULL
            AND EXISTS (SELECT FROM locked)
        ON CONFLICT (order_id) DO NOTHING
    ), order_written AS (
        UPDATE orders SET
            status = coalesce($21, status), step = step + 1, updated_at = $9::timestamptz,
            polls = CASE WHEN $23::bool THEN polls ELSE 0 END,
            next_poll_at = CASE
                WHEN coalesce($21, status) IN ('fulfilled', 'failed', 'cancelled') THEN NULL
                WHEN $23::bool THEN next_poll_at ELSE $22 END,
            failure_code = CASE WHEN $21 IS NULL THEN failure_code ELSE $24 END,
            failure_detail = CASE WHEN $21 IS NULL THEN failure_detail ELSE $25 END,
            refund = CASE WHEN $26::bool THEN price ELSE refund END,
            fulfilled_at = CASE WHEN $21 IN ('fulfilled', 'cancel_pending') THEN coalesce(fulfilled_at,
                $9::timestamptz)
                                ELSE fulfilled_at END,
            review_reason = CASE WHEN coalesce($21, status) NOT IN ('fulfilled', 'failed', 'cancelled')
                                 THEN coalesce($39::text, review_reason) END,
            cancel_requested_at = CASE WHEN $27::bool THEN NULL ELSE cancel_requested_at END
        WHERE id = $20 AND $28::bool AND EXISTS (SELECT FROM locked)
    ), events_written AS (
        INSERT INTO order_events (order_id, at, type, detail)
        SELECT $20, $9::timestamptz, e->>'type',
            e->'detail' FROM jsonb_array_elements($29::jsonb) WITH ORDINALITY AS list (e, place)
        WHERE EXISTS (SELECT FROM locked) ORDER BY place
    ), answer_written AS (
        INSERT INTO supplier_answers (id, attempt_id, at, body, read_at) SELECT $30::text, $1, $9::timestamptz,
            $31::bytea,
            CASE WHEN $38::bool THEN $9::timestamptz END
        WHERE $30::text IS NOT NULL AND EXISTS (SELECT FROM locked)
    ), answer_read AS (
        UPDATE supplier_answers SET read_at = $9::timestamptz WHERE id = $32::text AND read_at IS NULL
            AND EXISTS (SELECT FROM locked)
    ), event_written AS (
        INSERT INTO webhook_events (id, storefront_id, mode, type, order_id, body, at, dispatched)
        SELECT $33::text, o.storefront_id, o.mode, $34::text, o.id, $35::bytea, $9::timestamptz,
            NOT ({asks})
        FROM orders o WHERE o.id = $20 AND $33::text IS NOT NULL AND EXISTS (SELECT FROM locked)
    )
    SELECT locked.id IS NOT NULL AS written,
           CASE WHEN $36::bool AND locked.id IS NOT NULL THEN pg_notify('orders_answered', $20) END,
           CASE WHEN $37::bool AND locked.id IS NOT NULL THEN pg_notify('orders_due', $20) END
    FROM (SELECT) AS always LEFT JOIN locked ON true
"""
_ASKS = event_rows.anybody_asks("o.storefront_id", "o.mode", "$34::text")
_WRITE = _STATEMENT.format(held_rows="", asks=_ASKS)
# In a batch an order that somebody else holds at present must not hold up the others.
_WRITE_UNLESS_HELD = _STATEMENT.format(held_rows="SKIP LOCKED", asks=_ASKS)


@dataclass(slots=True)
class AttemptWrite:
    """What is known of an attempt now; what is known already stays. ``iccid`` is sealed."""

    id: str
    supplier: str
    kind: AttemptKind
    state: AttemptState | None = None
    charged: Money | None = None
    supplier_order_id: str | None = None
    error_code: str | None = None
    error: str | None = None
    iccid: bytes | None = None
    call_ended: bool = False


_NO_ATTEMPT = AttemptWrite("", "", "purchase")


@dataclass(slots=True)
class EsimWrite:
    """A delivered eSIM; ``iccid`` and ``activation_code`` are sealed."""

    id: str
    iccid: bytes
    iccid_digest: bytes
    activation_code: bytes | None
    code_digest: bytes | None
    confirmation_code_required: bool
    next_poll_at: datetime


@dataclass(slots=True)
class OrderWrite:
    """How an order moves on. ``refund`` gives the price back, ``uncancel`` forgets a cancel.

    ``review_reason`` None keeps the one that stands there; a final status clears it.
    """

    status: OrderStatus | None = None
    next_poll_at: datetime | None = None
    keep_schedule: bool = False
    failure_code: str | None = None
    failure_detail: str | None = None
    refund: bool = False
    uncancel: bool = False
    review_reason: ReviewReason | None = None


@dataclass(slots=True)
class Writes:
    """Everything that one settling writes, under the order's lock.

    ``answer`` is the supplier's answer, sealed, to be kept, as read or not; ``answer_id`` one that was kept before.
    ``wake`` has a worker process the order as soon as this is committed.
    """

    order: OrderRow
    now: datetime
    attempt: AttemptWrite | None = None
    charge: Money | None = None
    esim: EsimWrite | None = None
    move: OrderWrite | None = None
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    event: EventWrite | None = None
    answer: bytes | None = None
    answer_read: bool = True
    answer_id: str | None = None
    answered: bool = False
    wake: bool = False

    def add_event(self, event: str, text: str = "", **ops: Any) -> None:
        """A line in the timeline: ``text`` for the storefront, ``ops`` for those who run the shop only."""
        self.events.append((event, detail_of(text, ops)))

    @property
    def empty(self) -> bool:
        """Whether nothing at all is to be written."""
        found = (self.attempt, self.charge, self.esim, self.move, self.event, self.answer, self.answer_id)
        return not self.events and all(value is None for value in found)


def detail_of(text: str, ops: dict[str, Any]) -> dict[str, Any]:
    """The ``detail`` of a line in an order's timeline."""
    detail: dict[str, Any] = {}
    if text:
        detail["text"] = text
    if ops:
        detail["ops"] = {name: value for name, value in ops.items() if value is not None}
    return detail


async def write(
    connection: Connection | GroupCommit, writes: Writes, *, expected_step: int | None = None, notified: bool = False
) -> bool:
    """Write it all, in the caller's transaction or in a group commit.

    ``expected_step`` is the order's step as the caller knows it without having read it: where it is another one by
    now, or another transaction holds the order, nothing is written and False comes back. ``announced``: the caller
    announces the answer after the commit, so that the transaction notifies nobody of it. Raises
    ``asyncpg.UniqueViolationError`` when the supplier's order or the eSIM belongs to another attempt.
    """
    attempt = writes.attempt or _NO_ATTEMPT
    charged, charge = attempt.charged, writes.charge
    esim, move, event = writes.esim, writes.move or OrderWrite(), writes.event
    row = await connection.fetchrow(
        _WRITE if expected_step is None else _WRITE_UNLESS_HELD,
        attempt.id,
        attempt.state,
        None if charged is None else charged.amount,
        None if charged is None else charged.currency,
        attempt.supplier_order_id,
        attempt.error_code,
        attempt.error,
        attempt.iccid,
        writes.now,
        attempt.call_ended,
        Decimal(0) if charge is None else charge.amount,
        None if charge is None else charge.currency,
        None if esim is None else esim.id,
        None if esim is None else esim.iccid,
        None if esim is None else esim.iccid_digest,
        None if esim is None else esim.activation_code,
        None if esim is None else esim.code_digest,
        esim is not None and esim.confirmation_code_required,
        None if esim is None else esim.next_poll_at,
        writes.order.id,
        move.status,
        move.next_poll_at,
        move.keep_schedule,
        move.failure_code,
        move.failure_detail,
        move.refund,
        move.uncancel,
        writes.move is not None,
        [{"type": kind, "detail": detail} for kind, detail in writes.events],
        None if writes.answer is None else new_answer_id(),
        writes.answer,
        writes.answer_id,
        None if event is None else event.id,
        None if event is None else event.type,
        None if event is None else event.body,
        writes.answered and not notified,
        writes.wake,
        writes.answer_read,
        move.review_reason,
        expected_step,
    )
    written = row is not None and bool(row["written"])
    if written:
        _count(writes)
    return written


def _count(writes: Writes) -> None:
    """Count what was written. A commit that fails after this leaves a count too many, and is rare."""
    order, attempt = writes.order, writes.attempt
    status = None if writes.move is None else writes.move.status
    if status is not None and status != order.status:
        count_order(order.mode, order.kind, status)
    if attempt is not None and attempt.state is not None:
        count_attempt(order.mode, attempt.supplier, attempt.kind, attempt.state)


def new_answer_id() -> str:
    """The id of a supplier's answer."""
    return f"ans_{secrets.token_hex(12)}"


async def keep_answer(
    connection: Connection | Pool, attempt_id: str, sealed: bytes, now: datetime, again_at: datetime
) -> None:
    """Keep a supplier's answer alone, unread, and have a worker read it at ``again_at``."""
    await connection.execute(
        """WITH kept AS (
               INSERT INTO supplier_answers (id, attempt_id, at, body) VALUES ($1, $2, $3, $4) RETURNING attempt_id
           ), ended AS (
               UPDATE attempts SET call_ended_at = coalesce(call_ended_at, $3) WHERE id = $2
           )
           UPDATE orders SET next_poll_at = least(next_poll_at, $5)
           WHERE id = (SELECT order_id FROM attempts WHERE id = $2) AND next_poll_at IS NOT NULL""",
        new_answer_id(),
        attempt_id,
        now,
        sealed,
        again_at,
    )


async def answers_of(connection: Connection | Pool, attempt_id: str, *, unread: bool) -> list[tuple[str, bytes]]:
    """The kept answers of an attempt (id, sealed), the oldest first; ``unread`` leaves out those that were read."""
    rows = await connection.fetch(
        "SELECT id, body FROM supplier_answers WHERE attempt_id = $1 AND (read_at IS NULL OR NOT $2) ORDER BY at, id",
        attempt_id,
        unread,
    )
    return [(row["id"], row["body"]) for row in rows]


async def reading_failed(connection: Connection | Pool, answer_id: str, order: OrderRow, again_at: datetime) -> None:
    """Note that an answer could not be read this time; a worker tries again at ``again_at``."""
    await connection.execute(
        """WITH failed AS (UPDATE supplier_answers SET failures = failures + 1 WHERE id = $1)
           UPDATE orders SET next_poll_at = least(next_poll_at, $3) WHERE id = $2 AND next_poll_at IS NOT NULL""",
        answer_id,
        order.id,
        again_at,
    )
