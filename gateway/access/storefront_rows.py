"""Storefronts as those who run the shop see them: who asks, with which keys, for how much."""

from __future__ import annotations

import secrets
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from gateway.kit.pages import PageRequest, SortKey, SortOrders
from gateway.kit.pool import Connection, Pool
from schemas.page import Page


class Storefront(msgspec.Struct, frozen=True, kw_only=True):
    """One storefront. Counts are of one mode; ``daily_spend_limit`` is in base currency, None: no limit."""

    id: str
    name: str
    created_at: datetime
    daily_spend_limit: Decimal | None
    keys: int
    last_used_at: datetime | None
    orders: int  # of the last 24 hours
    sold: Decimal  # for so much, in base currency
    endpoints: int
    disabled: int


class SpendLimit(msgspec.Struct, frozen=True):
    """A storefront with what a UTC day may come to, in base currency."""

    id: str
    name: str
    limit: Decimal | None


_BY_NAME = SortKey("s.name", str)
# There are few storefronts: the figures of all are read for any page.
SORTS = SortOrders(
    name=(_BY_NAME,),
    orders=(SortKey("coalesce(o.orders, 0)", int, descending=True, name="orders"), _BY_NAME),
    sold=(SortKey("coalesce(o.sold, 0)", Decimal, descending=True, name="sold"), _BY_NAME),
)
_SELECT = """
    SELECT s.id, s.name, s.created_at, s.daily_spend_limit,
           coalesce(k.keys, 0) AS keys, k.last_used_at,
           coalesce(o.orders, 0) AS orders, coalesce(o.sold, 0) AS sold,
           coalesce(e.endpoints, 0) AS endpoints, coalesce(e.disabled, 0) AS disabled
    FROM storefronts s
    LEFT JOIN (SELECT storefront_id, count(*) FILTER (WHERE revoked_at IS NULL) AS keys,
                      max(last_used_at) AS last_used_at
               FROM api_keys WHERE mode = $1 GROUP BY 1) k ON k.storefront_id = s.id
    LEFT JOIN (SELECT storefront_id, count(*) AS orders,
                      sum(price_base) FILTER (WHERE status NOT IN ('failed', 'cancelled')) AS sold
               FROM orders WHERE mode = $1 AND created_at > now() - interval '24 hours' GROUP BY 1) o
           ON o.storefront_id = s.id
    LEFT JOIN (SELECT storefront_id, count(*) AS endpoints, count(*) FILTER (WHERE status = 'disabled') AS disabled
               FROM webhook_endpoints WHERE mode = $1 GROUP BY 1) e ON e.storefront_id = s.id
"""


async def all_of(pool: Pool, mode: str, page_request: PageRequest) -> Page[Storefront]:
    """The storefronts by name, or as the page is sorted."""
    arguments: list[Any] = [mode]
    keyset = SORTS.keyset(page_request, arguments)
    rows = await pool.fetch(
        _SELECT + f"WHERE {keyset.condition} ORDER BY {keyset.order} LIMIT ${len(arguments) + 1}",
        *arguments,
        page_request.fetch,
    )
    return page_request.page(rows, keyset.key).map(lambda row: Storefront(**dict(row)))


async def find(pool: Pool, mode: str, storefront_id: str) -> Storefront | None:
    """One storefront."""
    row = await pool.fetchrow(_SELECT + "WHERE s.id = $2", mode, storefront_id)
    return None if row is None else Storefront(**dict(row))


async def named(pool: Pool, part: str, most: int) -> list[tuple[str, str]]:
    """Id and name of storefronts whose name holds the words, whatever their case."""
    rows = await pool.fetch(
        "SELECT id, name FROM storefronts WHERE strpos(lower(name), lower($1)) > 0 OR id = $1 ORDER BY name LIMIT $2",
        part,
        most,
    )
    return [(row["id"], row["name"]) for row in rows]


async def id_of(connection: Connection | Pool, which: str) -> str | None:
    """The id of the storefront that has this id, or this name."""
    found: str | None = await connection.fetchval(
        "SELECT id FROM storefronts WHERE id = $1 OR name = $1 ORDER BY id = $1 DESC LIMIT 1", which
    )
    return found


async def limits(connection: Connection | Pool) -> list[SpendLimit]:
    """Every storefront by name, with its limit."""
    rows = await connection.fetch("SELECT id, name, daily_spend_limit FROM storefronts ORDER BY name")
    return [SpendLimit(*row) for row in rows]


async def create(connection: Connection, name: str) -> str:
    """A new storefront's id."""
    made: str = await connection.fetchval(
        "INSERT INTO storefronts (id, name) VALUES ($1, $2) RETURNING id", f"sf_{secrets.token_hex(8)}", name
    )
    return made


async def set_limit(connection: Connection, storefront_id: str, limit: Decimal | None) -> Decimal | None:
    """A new limit of what a UTC day may come to, None for none; the one before it."""
    before: Decimal | None = await connection.fetchval(
        "SELECT daily_spend_limit FROM storefronts WHERE id = $1 FOR UPDATE", storefront_id
    )
    await connection.execute("UPDATE storefronts SET daily_spend_limit = $2 WHERE id = $1", storefront_id, limit)
    return before
