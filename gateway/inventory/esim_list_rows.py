"""eSIMs of all storefronts, for operators: a page of them by state and supplier, sorted by what an index serves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from gateway.access.key_rows import Mode
from gateway.inventory import esim_rows
from gateway.inventory.esim_rows import Esim
from gateway.kit.pages import PageRequest, SortKey, SortOrders
from gateway.kit.pool import Pool
from gateway.kit.sealing import Seal
from schemas.page import Page

# As in the index that serves it. The state is the last that was reported, without the seal of the whole status.
_STATE = "left(split_part(coalesce(e.state_notified, '/unknown'), '/', 2), 20)"
_UPDATED = "coalesce(e.observed_at, e.created_at)"
_BY_ID = SortKey("e.id", str, descending=True)
SORTS = SortOrders(
    delivered=(SortKey("e.created_at", datetime, descending=True), _BY_ID),
    updated=(SortKey(_UPDATED, datetime, descending=True, name="updated"), _BY_ID),
)


class EsimFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which eSIMs; None asks for nothing. ``state`` is a ``ServiceState``."""

    mode: Mode
    state: str | None = None
    supplier: str | None = None


async def listed(pool: Pool, seal: Seal, wanted: EsimFilter, page_request: PageRequest) -> Page[Esim]:
    """The eSIMs that are so, the newest first or as the page is sorted."""
    conditions = ["e.mode = $1"]
    arguments: list[Any] = [wanted.mode]
    for condition, value in ((_STATE, wanted.state), ("e.supplier", wanted.supplier)):
        if value is not None:
            arguments.append(value)
            conditions.append(f"{condition} = ${len(arguments)}")
    keyset = SORTS.keyset(page_request, arguments)
    conditions.append(keyset.condition)
    arguments.append(page_request.fetch)
    async with pool.acquire() as connection, connection.transaction():
        # A plan that fits every state alike fits a rare one badly.
        await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        rows = await connection.fetch(
            f"""SELECT e.id, e.created_at, {_UPDATED} AS updated FROM esims e WHERE {" AND ".join(conditions)}
                ORDER BY {keyset.order} LIMIT ${len(arguments)}""",  # noqa: S608 - our own words
            *arguments,
        )
        page = page_request.page(rows, keyset.key)
        found = await esim_rows.by_ids(connection, seal, [row["id"] for row in page.data])
    return page.map(lambda row: found[row["id"]])


async def of_found_orders(pool: Pool, seal: Seal, order_ids: Sequence[str]) -> list[Esim]:
    """The eSIMs that these orders delivered or topped up, the newest first."""
    rows = await pool.fetch(
        """SELECT id FROM esims WHERE order_id = ANY($1)
           UNION SELECT target_esim_id FROM orders WHERE id = ANY($1) AND target_esim_id IS NOT NULL""",
        list(order_ids),
    )
    found = await esim_rows.by_ids(pool, seal, [row["id"] for row in rows])
    return sorted(found.values(), key=lambda esim: (esim.created_at, esim.id), reverse=True)


class UsageSeen(msgspec.Struct, frozen=True):
    """From ``at`` on so much was used, until the next one."""

    at: datetime
    used_mb: int
    total_mb: int | None


async def usage(pool: Pool, esim_id: str, most: int = 500) -> list[UsageSeen]:
    """What was used of an eSIM's data over time, the oldest first: the newest ``most`` changes."""
    rows = await pool.fetch(
        "SELECT at, used_mb, total_mb FROM esim_usage WHERE esim_id = $1 ORDER BY at DESC LIMIT $2", esim_id, most
    )
    return [UsageSeen(**dict(row)) for row in reversed(rows)]


async def topups(pool: Pool, esim_id: str, most: int = 50) -> list[str]:
    """Ids of the orders that added data to an eSIM, the newest first."""
    rows = await pool.fetch(
        "SELECT id FROM orders WHERE target_esim_id = $1 ORDER BY created_at DESC, id LIMIT $2", esim_id, most
    )
    return [row["id"] for row in rows]
