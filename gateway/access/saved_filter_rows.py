"""Filters that users keep under names of their own, each of one page of the console."""

from __future__ import annotations

import msgspec

from gateway.kit.pool import Pool

# As many as the table has places for.
MOST = 50


class SavedFilter(msgspec.Struct, frozen=True):
    """Filters of a page with their sort: ``query`` is the query of its address."""

    name: str
    query: str


async def of_page(pool: Pool, user_id: str, page: str) -> list[SavedFilter]:
    """A user's saved filters of a page, by name."""
    rows = await pool.fetch(
        "SELECT name, query FROM saved_filters WHERE user_id = $1 AND page = $2 ORDER BY name", user_id, page
    )
    return [SavedFilter(**dict(row)) for row in rows]


async def save(pool: Pool, user_id: str, page: str, saved: SavedFilter) -> bool:
    """Keep filters in place of those of the same name; False where the user keeps as many as can be."""
    async with pool.acquire() as connection, connection.transaction():
        # Two forms of one user at once do not take the same place.
        await connection.execute("SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE", user_id)
        changed = await connection.fetchval(
            "UPDATE saved_filters SET query = $4 WHERE user_id = $1 AND page = $2 AND name = $3 RETURNING n",
            user_id,
            page,
            saved.name,
            saved.query,
        )
        if changed is not None:
            return True
        added = await connection.fetchval(
            """INSERT INTO saved_filters (user_id, n, page, name, query)
               SELECT $1, place.n, $2::text, $3::text, $4::text FROM generate_series(1, $5::int) AS place (n)
               WHERE NOT EXISTS (SELECT FROM saved_filters s WHERE s.user_id = $1 AND s.n = place.n)
               ORDER BY place.n LIMIT 1 RETURNING saved_filters.n""",
            user_id,
            page,
            saved.name,
            saved.query,
            MOST,
        )
    return added is not None


async def delete(pool: Pool, user_id: str, page: str, name: str) -> None:
    """Forget saved filters; nothing happens where there are none of that name."""
    await pool.execute("DELETE FROM saved_filters WHERE user_id = $1 AND page = $2 AND name = $3", user_id, page, name)
