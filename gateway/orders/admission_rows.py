"""Admission as one statement: what forbids it is looked at, and the order written, at the same moment.

The idempotency key comes first, then limits, then whether what the order was chosen from still stands. An order may
be written together with its first attempt; then only the process that wrote it may send, once.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from gateway.items import item_rules
from gateway.kit.durability import DURABLE
from gateway.kit.group_commit import GroupCommit
from gateway.kit.pool import Connection
from gateway.orders.attempt_rows import NewAttempt
from gateway.orders.metrics import count_order
from gateway.orders.order_rows import NewOrder

Outcome = Literal["admitted", "known", "too_many_open", "changed", "limited"]
Version = tuple[int, int, int]  # content, overlay and pricing of catalog_state

_ADMIT = f"""
    WITH known AS (
        SELECT coalesce(order_id, checkout_id, batch_id) AS order_id, request FROM idempotency_keys
        WHERE storefront_id = $2::text AND mode = $3::text AND key = $22::text
    ), judged AS (
        SELECT CASE
            WHEN EXISTS (SELECT FROM known) THEN 'known'
            WHEN $27::bigint > 0 AND (SELECT count(*) FROM (
                SELECT FROM orders WHERE storefront_id = $2::text AND mode = $3::text AND status IN ('pending',
                    'cancel_pending')
                LIMIT $27::bigint) AS open_orders) + cardinality($1::text[]) > $27::bigint THEN 'too_many_open'
            WHEN $28::bigint[] IS NOT NULL
                AND $28::bigint[] <> (SELECT ARRAY[content, overlay, pricing] FROM catalog_state) THEN 'changed'
            WHEN $29::text IS NOT NULL AND (NOT ({DURABLE})
                OR EXISTS (SELECT FROM storefronts WHERE id = $2::text AND daily_spend_limit IS NOT NULL)
                OR EXISTS (SELECT FROM mandates WHERE key_id = $45::text)) THEN 'limited'
            ELSE 'admitted' END AS outcome
    ), batched AS (
        INSERT INTO order_batches (id, storefront_id, mode, quantity, created_at)
        SELECT $44::text, $2::text, $3::text, cardinality($1::text[]), $21::timestamptz
        FROM judged WHERE outcome = 'admitted' AND $44::text IS NOT NULL
    ), made AS (
        INSERT INTO orders (id, storefront_id, mode, kind, reference, plan_id, plan, price, currency, price_base,
            max_cost, base_currency, wanted, only_suppliers, ignore_suppliers, target_esim_id, bound, email,
            email_digest, metadata, next_poll_at, created_at, updated_at, fields, checkout_id, step,
            batch_id, mandate_key_id, replaces_order_id, customer_language)
        SELECT placed.id, $2::text, $3::text, $4, placed.reference, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
            $17, $18, $19, $20, $26, $21::timestamptz, $21::timestamptz, $24, $25,
            CASE WHEN $29::text IS NULL THEN 0 ELSE 1 END, $44::text,
            (SELECT key_id FROM mandates WHERE key_id = $45::text), $46::text, $47::text
        FROM judged, unnest($1::text[], $5::text[]) AS placed (id, reference)
        WHERE outcome = 'admitted' RETURNING id
    ), keyed AS (
        INSERT INTO idempotency_keys (storefront_id, mode, key, request, order_id, batch_id, created_at)
        SELECT $2::text, $3::text, $22::text, $23, CASE WHEN $44::text IS NULL THEN ($1::text[])[1] END, $44::text,
            $21::timestamptz
        FROM judged WHERE outcome = 'admitted' AND $22::text IS NOT NULL
    ), begun AS (
        INSERT INTO attempts (id, order_id, n, kind, supplier, supplier_plan_id, state, run_id, email,
            signed_at, deadline, quiescent_at, provision_by, listed, currency, cost_base, why, started_at, item)
        SELECT $29::text, id, 1, 'purchase', $30, $31, 'sending', $32, $33, $34::timestamptz, $35, $36, $37, $38,
        $39, $40, $41, $34::timestamptz, $42
        FROM made WHERE $29::text IS NOT NULL
    ), told AS (
        INSERT INTO order_events (order_id, at, type, detail)
        SELECT id, $21::timestamptz, 'admitted', '{{}}' FROM made
        UNION ALL
        SELECT id, $34::timestamptz, 'attempt_started', jsonb_build_object('ops',
            $43::jsonb) FROM made WHERE $29::text IS NOT NULL
    )
    SELECT outcome, known.order_id, known.request FROM judged LEFT JOIN known ON true
"""  # noqa: S608 - our own words


class Batch(msgspec.Struct, frozen=True):
    """Orders that are alike but for their ids and references, and are admitted together: all of them or none."""

    id: str
    order_ids: list[str]
    references: list[str | None]


class Admission(msgspec.Struct, frozen=True):
    """What became of it. ``order_id`` and ``request`` are those that the key has already ("known").

    The id is that of an order, or of what else was placed under the key: a batch or a checkout.
    """

    outcome: Outcome
    order_id: str | None = None
    request: bytes | None = None


async def admit(
    connection: Connection | GroupCommit,
    new: NewOrder,
    key: str | None,
    request: bytes | None,
    now: datetime,
    *,
    next_poll_at: datetime,
    max_open: int = 0,
    version: Version | None = None,
    attempt: NewAttempt | None = None,
    ops: dict[str, Any] | None = None,
    batch: Batch | None = None,
) -> Admission:
    """Write an order with its idempotency key and the first lines of its timeline, unless something forbids it.

    The order of a checkout has no key of its own. ``max_open`` 0 bounds nothing. ``version`` is what the order was
    chosen from: "changed" when the catalogue is another by now. ``attempt`` is its first one ("limited": the
    storefront's day is bounded or its key has a mandate, so that it cannot be counted here). ``batch`` writes several
    orders like ``new``, without attempts. Raises ``asyncpg.UniqueViolationError`` when
    another admission took the key at the same moment, the reference was used before, or the checkout has its order.
    """
    row = await connection.fetchrow(
        _ADMIT,
        [new.id] if batch is None else batch.order_ids,
        new.storefront_id,
        new.mode,
        new.kind,
        [new.reference] if batch is None else batch.references,
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
        next_poll_at,
        max_open,
        None if version is None else list(version),
        *_first(attempt, ops),
        None if batch is None else batch.id,
        new.key_id,
        new.replaces_order_id,
        new.customer_language,
    )
    if row is None:
        raise LookupError("the admission gave no answer")
    if row["outcome"] == "admitted":
        count_order(new.mode, new.kind, "pending", 1 if batch is None else len(batch.order_ids))
    return Admission(row["outcome"], row["order_id"], row["request"])


def _first(attempt: NewAttempt | None, ops: dict[str, Any] | None) -> tuple[Any, ...]:
    if attempt is None:
        return (None,) * 15
    return (
        attempt.id,
        attempt.supplier,
        attempt.supplier_plan_id,
        attempt.run_id,
        attempt.email,
        attempt.signed_at,
        attempt.deadline,
        attempt.quiescent_at,
        attempt.provision_by,
        attempt.listed,
        attempt.currency,
        attempt.cost_base,
        attempt.why,
        item_rules.stored(attempt.item),
        {**(ops or {}), "n": 1},
    )
