"""Delivered virtual numbers. The number itself is sealed and found by its keyed digest.

Every question of a storefront carries the storefront and its mode: another's number is not there.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from gateway.access.key_rows import Mode
from gateway.kit.pages import PageRequest, columns
from gateway.kit.pool import Connection, Pool
from gateway.kit.sealing import Seal
from schemas.order import NumberDelivery
from schemas.page import Page

PREFIX = "num_"

_SELECT = """
    SELECT n.id, n.order_id, n.storefront_id, n.mode, n.supplier, n.attempt_id, n.country, n.tier_id, n.phone_number,
           n.expires_at, n.autorenew, n.supplier_status, n.observed_at, n.created_at, o.plan, o.status AS order_status
    FROM numbers n JOIN orders o ON o.id = n.order_id
"""


class Number(msgspec.Struct, frozen=True):
    """One delivered number, opened. ``supplier_status`` is the supplier's own word; ``plan`` what was sold."""

    id: str
    order_id: str
    storefront_id: str
    mode: Mode
    supplier: str
    attempt_id: str
    country: str
    tier_id: str
    phone_number: str
    expires_at: datetime | None
    autorenew: bool | None
    supplier_status: str | None
    observed_at: datetime
    created_at: datetime
    plan: dict[str, Any]
    order_status: str


class NewNumber(msgspec.Struct, frozen=True, kw_only=True):
    """What a purchase delivered."""

    order_id: str
    storefront_id: str
    mode: Mode
    supplier: str
    attempt_id: str
    country: str
    tier_id: str
    delivery: NumberDelivery


class HeldNumber(msgspec.Struct, frozen=True, kw_only=True):
    """A number that may still be ours; ``digits`` are its own, ``bought_at`` is when its attempt began."""

    id: str
    attempt_id: str
    digits: str
    supplier_order_id: str | None
    bought_at: datetime


async def add(connection: Connection, seal: Seal, new: NewNumber, now: datetime) -> str:
    """Write an order's number and return its id; an order that has one keeps it. In the caller's transaction."""
    delivery = new.delivery
    made = await connection.fetchval(
        """INSERT INTO numbers (id, order_id, storefront_id, mode, supplier, attempt_id, country, tier_id, phone_number,
                                phone_digest, expires_at, autorenew, supplier_status, observed_at, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)
           ON CONFLICT (order_id) DO NOTHING RETURNING id""",
        PREFIX + secrets.token_hex(12),
        new.order_id,
        new.storefront_id,
        new.mode,
        new.supplier,
        new.attempt_id,
        new.country,
        new.tier_id,
        seal.seal(delivery.phone_number),
        seal.digest(same(delivery.phone_number)),
        delivery.expires_at,
        delivery.autorenew,
        delivery.status,
        now,
    )
    if made is None:
        made = await connection.fetchval("SELECT id FROM numbers WHERE order_id = $1", new.order_id)
    return str(made)


def same(phone_number: str) -> str:
    """The digits alone, by which a number is the same however it is written."""
    return "".join(letter for letter in phone_number if letter.isdigit())


async def holder_of(
    connection: Connection, seal: Seal, supplier: str, phone_number: str, order_id: str, now: datetime
) -> str | None:
    """Another order that has this number and has not lost it yet. Numbers come back after they expired."""
    other_order_id: str | None = await connection.fetchval(
        """SELECT order_id FROM numbers WHERE phone_digest = ANY($1::bytea[]) AND supplier = $2 AND order_id <> $3
           AND (expires_at IS NULL OR expires_at > $4) LIMIT 1""",
        seal.digests(same(phone_number)),
        supplier,
        order_id,
        now,
    )
    return other_order_id


async def of_others(
    connection: Connection | Pool, seal: Seal, supplier: str, attempt_id: str, since: datetime
) -> frozenset[str]:
    """The supplier's orders and the phone numbers (their digits) that belong to other attempts, from ``since`` on."""
    orders = await connection.fetch(
        "SELECT supplier_order_id FROM attempts WHERE supplier = $1 AND id <> $2 AND item IS NOT NULL"
        " AND supplier_order_id IS NOT NULL AND started_at >= $3",
        supplier,
        attempt_id,
        since,
    )
    rows = await connection.fetch(
        "SELECT phone_number FROM numbers WHERE supplier = $1 AND attempt_id <> $2 AND created_at >= $3",
        supplier,
        attempt_id,
        since,
    )
    return frozenset(row["supplier_order_id"] for row in orders) | frozenset(
        same(seal.open_text(row["phone_number"])) for row in rows
    )


async def find(pool: Pool | Connection, seal: Seal, storefront_id: str, mode: Mode, number_id: str) -> Number | None:
    """The storefront's number of that id; None when it has none."""
    row = await pool.fetchrow(
        f"{_SELECT} WHERE n.storefront_id = $1 AND n.mode = $2 AND n.id = $3", storefront_id, mode, number_id
    )
    return None if row is None else _number(row, seal)


async def of_orders(pool: Pool | Connection, seal: Seal, order_ids: Sequence[str]) -> dict[str, Number]:
    """The numbers of these orders, by order id; the caller has seen to it that the orders may be seen."""
    rows = await pool.fetch(f"{_SELECT} WHERE n.order_id = ANY($1)", list(order_ids))
    return {row["order_id"]: _number(row, seal) for row in rows}


async def newest_first(
    pool: Pool, seal: Seal, storefront_id: str, mode: Mode, page_request: PageRequest
) -> Page[Number]:
    """The numbers of a storefront, the newest first."""
    rows = await pool.fetch(
        f"""{_SELECT} WHERE n.storefront_id = $1 AND n.mode = $2
            AND ($3::text IS NULL OR (n.created_at, n.id) < (
                SELECT l.created_at, l.id FROM numbers l WHERE l.id = $3 AND l.storefront_id = $1 AND l.mode = $2))
            ORDER BY n.created_at DESC, n.id DESC LIMIT $4""",  # noqa: S608 - the words above
        storefront_id,
        mode,
        *page_request.before(str),
        page_request.fetch,
    )
    return page_request.page(rows, columns("id")).map(lambda row: _number(row, seal))


async def held_at(connection: Connection | Pool, seal: Seal, supplier: str, now: datetime) -> list[HeldNumber]:
    """The supplier's numbers that have not expired long ago, for a look at what it says of them now."""
    rows = await connection.fetch(
        """SELECT n.id, n.attempt_id, n.phone_number, n.created_at, a.supplier_order_id, a.started_at
           FROM numbers n JOIN attempts a ON a.id = n.attempt_id
           WHERE n.supplier = $1 AND (n.expires_at IS NULL OR n.expires_at > $2::timestamptz - interval '30 days')""",
        supplier,
        now,
    )
    return [
        HeldNumber(
            id=row["id"],
            attempt_id=row["attempt_id"],
            digits=same(seal.open_text(row["phone_number"])),
            supplier_order_id=row["supplier_order_id"],
            bought_at=row["started_at"],
        )
        for row in rows
    ]


async def observed(connection: Connection, number_id: str, reported: NumberDelivery, now: datetime) -> None:
    """What the supplier says of a number now; what it does not say stays as it was."""
    await connection.execute(
        """UPDATE numbers SET expires_at = coalesce($2, expires_at), autorenew = coalesce($3, autorenew),
                  supplier_status = coalesce($4, supplier_status), observed_at = $5 WHERE id = $1""",
        number_id,
        reported.expires_at,
        reported.autorenew,
        reported.status,
        now,
    )


def _number(row: Any, seal: Seal) -> Number:
    return Number(**{**dict(row), "phone_number": seal.open_text(row["phone_number"])})
