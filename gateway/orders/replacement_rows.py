"""Orders that replace the eSIM of another one: what the first one was sold for, and how the two are linked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from gateway.access.key_rows import Mode
from gateway.kit.pool import Pool
from gateway.orders.rules.states import OrderStatus


class ReplacedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What of an order its replacement takes over; ``email`` is sealed."""

    id: str
    storefront_id: str
    mode: Mode
    currency: str
    wanted: dict[str, Any]
    metadata: dict[str, Any]
    email: bytes | None
    email_digest: bytes | None
    customer_language: str | None


class Replacement(msgspec.Struct, frozen=True):
    """An order that replaces another one's eSIM."""

    order_id: str
    status: OrderStatus
    created_at: datetime


async def replaced(pool: Pool, order_id: str) -> ReplacedOrder | None:
    """The order whose eSIM is to be replaced; None when there is no such order of an eSIM."""
    row = await pool.fetchrow(
        """SELECT id, storefront_id, mode, currency, wanted, metadata, email, email_digest, customer_language
           FROM orders WHERE id = $1 AND kind = 'esim'""",
        order_id,
    )
    return None if row is None else ReplacedOrder(**dict(row))


async def replacements(pool: Pool, order_id: str) -> list[Replacement]:
    """The orders that replace this one's eSIM, the first first."""
    rows = await pool.fetch(
        "SELECT id, status, created_at FROM orders WHERE replaces_order_id = $1 ORDER BY created_at, id", order_id
    )
    return [Replacement(row["id"], row["status"], row["created_at"]) for row in rows]


async def replaces(pool: Pool, order_id: str) -> str | None:
    """The order whose eSIM this one replaces."""
    found: str | None = await pool.fetchval("SELECT replaces_order_id FROM orders WHERE id = $1", order_id)
    return found
