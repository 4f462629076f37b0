"""Digital goods as operators look for them: by account, with walks, changes and what was not understood."""

from __future__ import annotations

from typing import Any

import asyncpg
import msgspec

from gateway.items.goods_rows import GoodRow, good_row, matching, rows_where
from gateway.kit.pages import PageRequest, columns, price_of
from gateway.kit.pool import Connection, Pool
from schemas.api import Price
from schemas.api_goods import GoodChange, GoodSetAside, GoodsWalk
from schemas.money import Money
from schemas.page import Page


class Narrowed(msgspec.Struct, frozen=True):
    """Filters; None asks for nothing. ``why_not`` is suspect_price or stopped."""

    supplier: str | None = None
    mode: str | None = None
    why_not: str | None = None
    q: str | None = None


async def by_account(pool: Pool, narrowed: Narrowed, page_request: PageRequest) -> Page[GoodRow]:
    """Rows by supplier and SKU."""
    rows = await pool.fetch(
        rows_where(
            """ ($1::text IS NULL OR g.supplier = $1) AND ($2::text IS NULL OR s.mode = $2)
            AND ($3::text IS DISTINCT FROM 'suspect_price' OR g.suspect IS NOT NULL)
            AND ($3::text IS DISTINCT FROM 'stopped' OR EXISTS (SELECT FROM offer_marks m WHERE m.why = 'stopped'
                AND (m.supplier, m.supplier_plan_id) = (g.supplier, g.sku)))
            AND g.sort_name LIKE ALL($4::text[]) AND (g.supplier, g.sku) > ($5::text, $6::text)
            ORDER BY g.supplier, g.sku LIMIT $7"""
        ),
        narrowed.supplier,
        narrowed.mode,
        narrowed.why_not,
        matching(narrowed.q),
        *page_request.after(str, str),
        page_request.fetch,
    )
    return page_request.page(rows, columns("supplier", "sku")).map(good_row)


async def walks(pool: Pool) -> list[GoodsWalk]:
    """The last walk of each account."""
    rows = await pool.fetch(
        """
        SELECT w.supplier, w.at, w.good_at, w.state, w.error, w.total, w.mapped, w.new, w.changed, w.gone,
            (SELECT count(*)::int FROM goods g
             WHERE g.supplier = w.supplier AND g.suspect IS NOT NULL AND g.gone_at IS NULL) AS suspect,
            coalesce((SELECT jsonb_object_agg(reason, n) FROM (SELECT reason, count(*) AS n FROM goods_aside a
             WHERE a.supplier = w.supplier GROUP BY reason) AS counted), '{}') AS set_aside
        FROM goods_walks w JOIN suppliers s ON s.name = w.supplier WHERE s.configured ORDER BY w.supplier
        """
    )
    return [GoodsWalk(**dict(row)) for row in rows]


async def changes(pool: Pool, page_request: PageRequest, good_id: str | None) -> Page[GoodChange]:
    """What changed, the newest first."""
    rows = await pool.fetch(
        """
        SELECT c.id, c.at, c.supplier, c.sku, c.good_id, c.kind, c.old, c.new, c.currency,
            coalesce(g.texts -> g.locale ->> 'name', c.sku) AS name
        FROM goods_changes c LEFT JOIN goods g USING (supplier, sku)
        WHERE c.id < $1 AND ($2::text IS NULL OR c.good_id = $2) ORDER BY c.id DESC LIMIT $3
        """,
        *page_request.before(int),
        good_id,
        page_request.fetch,
    )
    return page_request.page(rows, columns("id")).map(_change)


async def set_aside(pool: Pool, page_request: PageRequest) -> Page[GoodSetAside]:
    """Goods that were not understood, by supplier and SKU."""
    rows = await pool.fetch(
        """SELECT a.supplier, a.sku, a.name, a.reason, a.detail FROM goods_aside a
           JOIN suppliers s ON s.name = a.supplier
           WHERE s.configured AND (a.supplier, a.sku) > ($1::text, $2::text) ORDER BY 1, 2 LIMIT $3""",
        *page_request.after(str, str),
        page_request.fetch,
    )
    return page_request.page(rows, columns("supplier", "sku")).map(lambda row: msgspec.convert(dict(row), GoodSetAside))


async def known(connection: Connection, good_id: str) -> bool:
    """Whether any account lists this good."""
    found = await connection.fetchval("SELECT true FROM goods WHERE good_id = $1 AND gone_at IS NULL LIMIT 1", good_id)
    return bool(found)


def _change(row: asyncpg.Record) -> GoodChange:
    return GoodChange(
        at=row["at"],
        supplier=row["supplier"],
        good_id=row["good_id"],
        sku=row["sku"],
        name=row["name"],
        kind=row["kind"],
        old=_price(row["old"], row["currency"]),
        new=_price(row["new"], row["currency"]),
    )


def _price(amount: Any, currency: str) -> Price | None:
    return None if amount is None else price_of(Money(amount, currency))
