"""Digital goods as they are stored: read for sale, for the list, for operators; and what a look at one tells."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any

import msgspec

from gateway.access.key_rows import Mode
from gateway.items.goods_rules import Terms, Texts, measure
from gateway.kit.pages import PageRequest, columns
from gateway.kit.pool import Connection, Pool
from schemas.good import CustomPrice, Good, GoodCategory, GoodField
from schemas.money import Money
from schemas.page import Page

_ROWS = """
    SELECT g.supplier, g.sku, g.good_id, g.product_id, g.type, g.denomination, g.cost, g.currency, g.custom,
           g.face_value, g.face_currency, g.stock, g.max_per_order, g.category_id, g.image, g.countries, g.attributes,
           g.fields, g.texts, g.locale, g.measure, g.measure_currency, g.good_measure, g.suspect, g.first_seen_at,
           g.changed_at, g.looked_at, w.good_at, w.state AS walk_state, s.mode
    FROM goods g JOIN suppliers s ON s.name = g.supplier LEFT JOIN goods_walks w ON w.supplier = g.supplier
    WHERE s.configured AND g.gone_at IS NULL
"""


_MATCHES = """
    g.gone_at IS NULL AND g.supplier = ANY($1::text[])
    AND ($2::text IS NULL OR g.category_id = $2) AND ($3::text IS NULL OR g.type = $3)
    AND ($4::text IS NULL OR $4 = ANY(g.countries)) AND g.attributes @> $5
    AND ($7::text[] = '{}' OR lower(coalesce(g.texts -> $6, g.texts -> g.locale) ->> 'name' || ' '
        || (coalesce(g.texts -> $6, g.texts -> g.locale) ->> 'product_name')) LIKE ALL($7))
"""
_LISTED = f"""
    SELECT g.sort_name AS name, g.good_id FROM goods g
    WHERE {_MATCHES} AND (g.sort_name, g.good_id) > ($8::text, $9::text)
      AND NOT EXISTS (SELECT FROM goods e WHERE e.good_id = g.good_id
          AND (e.sort_name, e.supplier, e.sku) < (g.sort_name, g.supplier, g.sku) AND {_MATCHES.replace("g.", "e.")})
    ORDER BY g.sort_name, g.good_id LIMIT $10
"""  # noqa: S608 - our own words


class GoodRow(msgspec.Struct, frozen=True, kw_only=True):
    """One account's good. ``good_at`` and ``walk_state`` are of the account's last walks through its goods."""

    supplier: str
    sku: str
    good_id: str
    product_id: str
    type: str
    denomination: str
    cost: Money | None
    custom: CustomPrice | None
    face_value: Money | None
    stock: int | None
    max_per_order: int | None
    category_id: str | None
    image: str | None
    countries: tuple[str, ...]
    attributes: dict[str, str]
    fields: tuple[GoodField, ...]
    texts: dict[str, Texts]
    locale: str
    measure: Money
    good_measure: Decimal | None
    suspect: str | None
    first_seen_at: datetime
    changed_at: datetime
    looked_at: datetime | None
    good_at: datetime | None
    walk_state: str | None
    mode: Mode

    @property
    def terms(self) -> Terms:
        """What an order is held against."""
        return Terms(self.denomination, self.max_per_order, self.custom, self.fields)

    @property
    def observed_at(self) -> datetime | None:
        """When its price was last seen to stand."""
        return max((at for at in (self.good_at, self.looked_at) if at is not None), default=None)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Filters of a list; None asks for nothing. ``attributes`` must all hold."""

    category: str | None = None
    type: str | None = None
    country: str | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    q: str | None = None
    locale: str | None = None


def rows_where(what: str) -> str:
    """The query for rows as ``good_row`` takes them; ``what`` is our own words, with its order and limit."""
    return f"{_ROWS} AND {what}"


def matching(q: str | None) -> list[str]:
    """Patterns for LIKE ALL, one for each word; none for no words."""
    return [] if q is None else [f"%{_escaped(word)}%" for word in q.casefold().split()]


async def of_goods(connection: Connection | Pool, mode: Mode, good_ids: Sequence[str]) -> list[GoodRow]:
    """Every account's row of these goods."""
    rows = await connection.fetch(
        _ROWS + " AND s.mode = $1 AND g.good_id = ANY($2) ORDER BY g.good_id, g.supplier", mode, list(good_ids)
    )
    return [good_row(row) for row in rows]


async def of_account(connection: Connection | Pool, supplier: str, sku: str) -> list[GoodRow]:
    """One account's row of a SKU; none when it is gone."""
    rows = await connection.fetch(_ROWS + " AND g.supplier = $1 AND g.sku = $2", supplier, sku)
    return [good_row(row) for row in rows]


async def listed(connection: Connection | Pool, mode: Mode, wanted: Wanted, page_request: PageRequest) -> Page[str]:
    """A page of goods by name: their ids.

    A good stands where the first of its accounts' rows stands, so that the list is read along its index.
    """
    rows = await connection.fetch(
        _LISTED,
        await connection.fetchval("SELECT array_agg(name) FROM suppliers WHERE configured AND mode = $1", mode) or [],
        wanted.category,
        wanted.type,
        wanted.country,
        dict(wanted.attributes),
        wanted.locale or "",
        matching(wanted.q),
        *page_request.after(str, str),
        page_request.fetch,
    )
    return page_request.page(rows, columns("name", "good_id")).map(itemgetter("good_id"))


async def categories(connection: Connection | Pool, mode: Mode, locale: str | None) -> list[GoodCategory]:
    """The categories that every account of the mode names, each once, in a language or the account's own."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT ON (c.id) c.id, c.n, c.texts FROM goods_categories c JOIN suppliers s ON s.name = c.supplier
        WHERE s.configured AND s.mode = $1 ORDER BY c.id, c.supplier
        """,
        mode,
    )
    found = sorted(rows, key=lambda row: (row["n"], row["id"]))
    return [
        msgspec.convert(row["texts"].get(locale or "") or next(iter(row["texts"].values())), GoodCategory)
        for row in found
    ]


async def counted(connection: Connection | Pool, mode: Mode) -> dict[str, int]:
    """How many goods stand in each category."""
    rows = await connection.fetch(
        """SELECT g.category_id, count(DISTINCT g.good_id)::int AS n
           FROM goods g JOIN suppliers s ON s.name = g.supplier
           WHERE s.configured AND s.mode = $1 AND g.gone_at IS NULL AND g.category_id IS NOT NULL GROUP BY 1""",
        mode,
    )
    return {row["category_id"]: row["n"] for row in rows}


async def observe(connection: Connection, row: GoodRow, seen: Good, suspect: str | None, now: datetime) -> None:
    """Take over what a look at one good told of price and stock; a move is recorded, once.

    The digest is made void, so that the next walk compares the whole good again.
    """
    moved = measure(seen.cost, seen.custom)
    await connection.execute(
        """
        UPDATE goods SET cost = $3, currency = $4, custom = $5, stock = $6, max_per_order = $7, measure = $8,
            suspect = CASE WHEN measure = $8 THEN suspect ELSE $9 END,
            good_measure = CASE WHEN measure = $8 OR $9::text IS NOT NULL THEN good_measure ELSE $8 END,
            looked_at = $10, changed_at = $10, digest = decode(repeat('00', 16), 'hex')
        WHERE supplier = $1 AND sku = $2 AND measure_currency = $11
        """,
        row.supplier,
        row.sku,
        None if seen.cost is None else seen.cost.amount,
        None if seen.cost is None else seen.cost.currency,
        None if seen.custom is None else plain(seen.custom),
        seen.stock,
        seen.max_per_order,
        moved.amount,
        suspect,
        now,
        moved.currency,
    )
    if moved != row.measure:
        await connection.execute(
            """INSERT INTO goods_changes (at, supplier, sku, good_id, kind, old, new, currency, run_id)
               VALUES ($1, $2, $3, $4, 'price', $5, $6, $7, 'order')""",
            now,
            row.supplier,
            row.sku,
            row.good_id,
            row.measure.amount,
            moved.amount,
            moved.currency,
        )


def good_row(row: Any) -> GoodRow:
    """A good out of what the database gave."""
    values = dict(row)
    currency, face, measured = values.pop("currency"), values.pop("face_currency"), values.pop("measure_currency")
    return GoodRow(
        **values
        | {
            "cost": None if values["cost"] is None else Money(values["cost"], currency),
            "custom": msgspec.convert(values["custom"], CustomPrice | None, strict=False),
            "face_value": None if values["face_value"] is None else Money(values["face_value"], face),
            "countries": tuple(values["countries"]),
            "fields": msgspec.convert(values["fields"], tuple[GoodField, ...]),
            "texts": msgspec.convert(values["texts"], dict[str, Texts]),
            "measure": Money(values["measure"], measured),
        }
    )


def plain(value: Any) -> Any:
    """A struct as a jsonb column takes it: decimals as texts."""
    return msgspec.to_builtins(value)


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
