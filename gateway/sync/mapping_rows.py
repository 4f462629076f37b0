"""What people told of words that no table knew: kept here, read by each sync before it walks."""

from __future__ import annotations

from datetime import datetime
from secrets import token_hex

import msgspec

from gateway.kit.pages import PageRequest, columns
from gateway.kit.pool import Connection, Pool
from providers.kit.mapping_overrides import MappingOverrides
from providers.kit.term_mappings import EVERY_ACCOUNT, TermMapping, overrides_of, shipped
from schemas.page import Page
from schemas.plan import About


class MappingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A meaning as it is kept. ``applied`` is whether every account that it counts for was synced since."""

    id: str
    provider: str
    supplier: str
    about: About
    word: str
    means: str
    note: str
    created_by: str
    created_at: datetime
    applied: bool

    @property
    def meaning(self) -> TermMapping:
        return TermMapping(
            provider=self.provider, supplier=self.supplier, about=self.about, word=self.word, means=self.means
        )


_ROWS = """
    SELECT m.id, m.provider, m.supplier, m.about, m.word, m.means, m.note, m.created_by, m.created_at,
           NOT EXISTS (SELECT FROM suppliers s WHERE s.configured AND m.provider IN ('', s.provider)
                         AND m.supplier IN ('', s.name)
                         AND (s.last_good_at IS NULL OR s.last_good_at <= m.created_at)) AS applied
    FROM mappings m
"""


async def load_overrides(
    pool: Pool | Connection, provider: str, supplier: str = EVERY_ACCOUNT, besides: TermMapping | None = None
) -> MappingOverrides | None:
    """What counts for an account's items now: the file, then the mappings of operators, then ``besides``.

    Raises ``ConfigurationError`` for a file that cannot be read.
    """
    rows = await pool.fetch(
        "SELECT provider, supplier, about, word, means FROM mappings"
        " WHERE provider IN ('', $1) AND supplier IN ('', $2) ORDER BY created_at",
        provider,
        supplier,
    )
    kept = [msgspec.convert(dict(row), TermMapping) for row in rows]
    return overrides_of([*shipped(), *kept, *([besides] if besides is not None else ())], provider, supplier)


async def newest_first(
    pool: Pool,
    page_request: PageRequest,
    provider: str | None = None,
    supplier: str | None = None,
    about: About | None = None,
) -> Page[MappingRow]:
    """The mappings of operators, the newest first."""
    rows = await pool.fetch(
        _ROWS  # noqa: S608 - the words above
        + """WHERE ($1::text IS NULL OR (m.created_at, m.id) < (SELECT created_at, id FROM mappings WHERE id = $1))
               AND ($2::text IS NULL OR m.provider = $2) AND ($3::text IS NULL OR m.supplier = $3)
               AND ($4::text IS NULL OR m.about = $4)
             ORDER BY m.created_at DESC, m.id DESC LIMIT $5""",
        *page_request.before(str),
        provider,
        supplier,
        about,
        page_request.fetch,
    )
    return page_request.page(rows, columns("id")).map(lambda row: msgspec.convert(dict(row), MappingRow))


async def every_row(pool: Pool | Connection) -> list[MappingRow]:
    """All that was told here, in a fixed order."""
    rows = await pool.fetch(_ROWS + "ORDER BY m.provider, m.supplier, m.about, m.key")
    return [msgspec.convert(dict(row), MappingRow) for row in rows]


async def every(pool: Pool) -> list[TermMapping]:
    """All that was told here, for a file."""
    rows = await pool.fetch(
        "SELECT provider, supplier, about, word, means FROM mappings ORDER BY provider, supplier, about, key"
    )
    return [msgspec.convert(dict(row), TermMapping) for row in rows]


async def put(connection: Connection, meaning: TermMapping, note: str, actor: str) -> str:
    """Keep a meaning in the place of another of the same word; its id."""
    found: str = await connection.fetchval(
        """INSERT INTO mappings AS m (id, provider, supplier, about, word, key, means, note, created_by)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
           ON CONFLICT (provider, supplier, about, key) DO UPDATE SET word = excluded.word, means = excluded.means,
               note = excluded.note, created_by = excluded.created_by, created_at = now()
           RETURNING m.id""",
        f"map_{token_hex(8)}",
        meaning.provider,
        meaning.supplier,
        meaning.about,
        meaning.word,
        meaning.key,
        meaning.means,
        note,
        actor,
    )
    return found


async def find(pool: Pool | Connection, mapping_id: str) -> MappingRow | None:
    """One of them, None when there is none of that id."""
    row = await pool.fetchrow(_ROWS + "WHERE m.id = $1", mapping_id)
    return None if row is None else msgspec.convert(dict(row), MappingRow)


async def remove(connection: Connection, mapping_id: str) -> bool:
    """Forget a meaning; False when there is none of that id."""
    return bool(await connection.fetchval("DELETE FROM mappings WHERE id = $1 RETURNING true", mapping_id))
