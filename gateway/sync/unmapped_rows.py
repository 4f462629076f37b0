"""Items that no rule understood, grouped by the word that was not, and what money hangs on each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from gateway.kit.pages import PageRequest, columns
from gateway.kit.pool import Pool
from schemas.page import Page
from schemas.plan import About, SetAsideReason

# An item counts under each of its words; one without any under what was not understood, or its whole detail.
_ITEM_WORDS = """
    SELECT s.supplier, p.provider, s.reason, s.about, g.word, s.supplier_plan_id, s.name, s.detail, s.first_seen_at,
           s.cost, s.currency
    FROM set_aside s JOIN suppliers p ON p.name = s.supplier
    CROSS JOIN LATERAL (
        SELECT DISTINCT unnest(s.words) AS word
        UNION ALL
        SELECT CASE WHEN s.about = '' THEN left(s.detail, 100) ELSE '' END WHERE s.words = '{}') AS g
    WHERE p.configured AND ($1::text IS NULL OR p.mode = $1) AND ($2::text IS NULL OR s.supplier = $2)
      AND ($3::text IS NULL OR s.reason = $3) AND ($4::text IS NULL OR s.about = $4)
"""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Items of one supplier that were unmapped for one word. Costs are in base currency, of ``priced`` items."""

    supplier: str
    provider: str
    reason: SetAsideReason
    about: About
    word: str
    offers: int
    priced: int
    total: Decimal | None
    median: Decimal | None
    examples: list[str]
    detail: str
    first_seen_at: datetime


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One set-aside item as it came."""

    supplier: str
    supplier_plan_id: str
    name: str
    reason: SetAsideReason
    detail: str
    raw: str
    cost: Decimal | None
    currency: str | None
    first_seen_at: datetime


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Which items are meant; None is all."""

    mode: str | None = None
    supplier: str | None = None
    reason: str | None = None
    about: str | None = None

    def values(self) -> tuple[str | None, ...]:
        return self.mode, self.supplier, self.reason, self.about


async def groups(pool: Pool, scope: Scope, worth: Mapping[str, Decimal], limit: int, offset: int) -> list[Group]:
    """The groups, those first on which most money hangs. ``worth`` is a unit of each currency in base currency."""
    rows = await pool.fetch(
        f"""
        WITH items AS ({_ITEM_WORDS}), rates AS (SELECT * FROM unnest($5::text[], $6::numeric[]) AS r (currency, rate))
        SELECT supplier, min(provider) AS provider, reason, about, word, count(*)::int AS offers,
               count(cost * rate)::int AS priced, sum(cost * rate) AS total,
               percentile_disc(0.5) WITHIN GROUP (ORDER BY cost * rate) AS median,
               (array_agg(name ORDER BY supplier_plan_id))[1:3] AS examples, min(detail) AS detail,
               min(first_seen_at) AS first_seen_at
        FROM items LEFT JOIN rates USING (currency)
        GROUP BY supplier, reason, about, word
        ORDER BY total DESC NULLS LAST, offers DESC, supplier, reason, about, word LIMIT $7 OFFSET $8
        """,  # noqa: S608 - the words above
        *scope.values(),
        list(worth),
        list(worth.values()),
        limit,
        offset,
    )
    return [msgspec.convert(dict(row), Group) for row in rows]


async def totals(pool: Pool, mode: str | None) -> dict[str, int]:
    """How many items are unmapped, by reason."""
    rows = await pool.fetch(
        """SELECT reason, count(*) AS items FROM set_aside s JOIN suppliers p ON p.name = s.supplier
           WHERE p.configured AND ($1::text IS NULL OR p.mode = $1) GROUP BY reason ORDER BY items DESC, reason""",
        mode,
    )
    return {row["reason"]: row["items"] for row in rows}


async def count_words(pool: Pool, mode: str, about: Collection[About]) -> int:
    """How many different words of these kinds were not understood."""
    count: int = await pool.fetchval(
        """SELECT count(*)::int FROM (
               SELECT DISTINCT s.about, w.word FROM set_aside s JOIN suppliers p ON p.name = s.supplier
               CROSS JOIN LATERAL unnest(s.words) AS w (word)
               WHERE p.configured AND p.mode = $1 AND s.about = ANY($2::text[]) AND w.word <> '') AS words""",
        mode,
        [kind.value for kind in about],
    )
    return count


async def of_group(
    pool: Pool, supplier: str, reason: str, about: str, word: str, page_request: PageRequest
) -> Page[Item]:
    """The items of a group by their ids."""
    rows = await pool.fetch(
        """SELECT supplier, supplier_plan_id, name, reason, detail, raw, cost, currency, first_seen_at FROM set_aside
           WHERE supplier = $1 AND reason = $2 AND about = $3 AND supplier_plan_id > $5
             AND CASE WHEN words <> '{}' THEN $4 = ANY(words)
                      WHEN about = '' THEN left(detail, 100) = $4 ELSE $4 = '' END
           ORDER BY supplier_plan_id LIMIT $6""",
        supplier,
        reason,
        about,
        word,
        *page_request.after(str),
        page_request.fetch,
    )
    return page_request.page(rows, columns("supplier_plan_id")).map(lambda row: msgspec.convert(dict(row), Item))


async def about_word(pool: Pool, suppliers: Sequence[str], about: str, word: str, limit: int) -> list[Item]:
    """Items that may be unmapped for a word: one of their words holds it, whatever its case."""
    rows = await pool.fetch(
        """SELECT supplier, supplier_plan_id, name, reason, detail, raw, cost, currency, first_seen_at FROM set_aside
           WHERE supplier = ANY($1) AND about = $2
             AND EXISTS (SELECT FROM unnest(words) w WHERE strpos(lower(w), lower($3)) > 0)
           ORDER BY supplier, supplier_plan_id LIMIT $4""",
        suppliers,
        about,
        word,
        limit,
    )
    return [msgspec.convert(dict(row), Item) for row in rows]
