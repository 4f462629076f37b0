"""Suspect prices: listed with what each was compared with, counted, and let through many at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from gateway.kit.pages import PageRequest, SortKey, SortOrders, money_of, price_of
from gateway.kit.pool import Connection, Pool
from schemas.api_suspects import RivalOffer, Suspect, SuspectRule
from schemas.page import Page

_BY_ID = SortKey("o.id", str)
# Offers are as many as the suppliers' lists have, and few of them are suspect: no index is needed.
SORTS = SortOrders(
    id=(_BY_ID,),
    name=(SortKey("o.name", str), _BY_ID),
    supplier=(SortKey("o.supplier", str), _BY_ID),
    since=(SortKey("coalesce(o.suspect_since, 'epoch')", datetime, descending=True, name="since_known"), _BY_ID),
)


class SuspectGroup(msgspec.Struct, frozen=True):
    """Suspect offers of one supplier by one rule; ``since``: the oldest."""

    supplier: str
    rule: SuspectRule
    offers: int
    since: datetime | None


async def suspects(
    pool: Pool, page_request: PageRequest, supplier: str | None, rule: SuspectRule | None, mode: str | None = None
) -> Page[Suspect]:
    """Offers that a suspect price keeps from sale, by id or as the page is sorted."""
    arguments: list[Any] = [supplier, rule, mode]
    keyset = SORTS.keyset(page_request, arguments)
    rows = await pool.fetch(
        f"""
        SELECT o.id, o.supplier, o.supplier_plan_id, o.plan_id, o.name, o.cost, o.currency, o.good_cost,
               o.good_currency, o.suspect, o.suspect_since AS since, o.suspect_against AS against,
               coalesce(o.suspect_since, 'epoch') AS since_known
        FROM offers o JOIN suppliers s ON s.name = o.supplier
        WHERE o.suspect IS NOT NULL AND o.gone_at IS NULL AND {keyset.condition}
          AND ($1::text IS NULL OR o.supplier = $1) AND ($2::text IS NULL OR split_part(o.suspect, ':', 1) = $2)
          AND ($3::text IS NULL OR s.mode = $3)
        ORDER BY {keyset.order} LIMIT ${len(arguments) + 1}
        """,  # noqa: S608 - our own words
        *arguments,
        page_request.fetch,
    )
    page = page_request.page(rows, keyset.key)
    others = await pool.fetch(
        "SELECT id, supplier, name, cost, currency FROM offers WHERE id = ANY($1::text[]) ORDER BY supplier, id",
        [id_ for row in page.data for id_ in row["against"] or ()],
    )
    compared = {row["id"]: _compared(row) for row in others}
    return page.map(lambda row: _suspect(row, compared))


async def groups(pool: Pool, mode: str | None = None) -> list[SuspectGroup]:
    """All of them, counted by supplier and rule."""
    rows = await pool.fetch(
        """
        SELECT o.supplier, split_part(o.suspect, ':', 1) AS rule, count(*)::int AS offers, min(o.suspect_since) AS since
        FROM offers o JOIN suppliers s ON s.name = o.supplier
        WHERE o.suspect IS NOT NULL AND o.gone_at IS NULL AND ($1::text IS NULL OR s.mode = $1)
        GROUP BY 1, 2 ORDER BY 1, 2
        """,
        mode,
    )
    return [SuspectGroup(**row) for row in rows]


async def count(pool: Pool, mode: str) -> int:
    """How many there are."""
    return sum(group.offers for group in await groups(pool, mode))


async def is_supplier(connection: Connection, name: str) -> bool:
    """Whether there is, or was, such a supplier."""
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM suppliers WHERE name = $1)", name))


async def release(connection: Connection, supplier: str, rule: SuspectRule | None) -> int:
    """Let the present costs of a supplier's suspect offers through, or those of one rule; how many there were.

    A change of the catalogue: dates the plans and counts ``content`` in the caller's transaction.
    """
    released: int = await connection.fetchval(
        """
        WITH released AS (
            UPDATE offers SET suspect = NULL, suspect_since = NULL, suspect_against = NULL, good_cost = cost,
                   good_currency = currency, released_cost = cost, changed_at = now()
            WHERE supplier = $1 AND suspect IS NOT NULL AND gone_at IS NULL
              AND ($2::text IS NULL OR split_part(suspect, ':', 1) = $2)
            RETURNING plan_id
        ), dated AS (
            UPDATE plans SET updated_at = now() WHERE id IN (SELECT plan_id FROM released)
        )
        SELECT count(*)::int FROM released
        """,
        supplier,
        rule,
    )
    if released:
        await connection.execute("UPDATE catalog_state SET content = content + 1")
    return released


def _suspect(row: Any, compared: dict[str, RivalOffer]) -> Suspect:
    rule, _, reason = row["suspect"].partition(": ")
    return Suspect(
        id=row["id"],
        supplier=row["supplier"],
        supplier_plan_id=row["supplier_plan_id"],
        plan_id=row["plan_id"],
        name=row["name"],
        cost=price_of(money_of(row["cost"], row["currency"])),
        good_cost=price_of(money_of(row["good_cost"], row["good_currency"])),
        rule=rule,
        reason=reason or rule,
        since=row["since"],
        compared_with=[compared[id_] for id_ in row["against"] or () if id_ in compared],
    )


def _compared(row: Any) -> RivalOffer:
    cost = price_of(money_of(row["cost"], row["currency"]))
    return RivalOffer(row["id"], row["supplier"], row["name"], cost)
