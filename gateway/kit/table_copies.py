"""A session on copies of all tables, for work whose writes nobody is to see.

Temporary tables stand before the real ones of the same names in every statement of their session, so code that was
written for the real tables works on the copies. No row of a real table is locked or written and no trigger fires; what
the code writes ends with the session.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import asyncpg

from gateway.kit.pool import Connection, Pool, allow_long_work, open_pool

COPY_SECONDS = 600

_TABLES = """
    SELECT c.relname AS name, format('%I', c.relname) AS copy, format('%I.%I', n.nspname, c.relname) AS original,
        (SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
         WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND c.relname <> ALL($1::text[]) ORDER BY 1
"""


async def open_pool_on_copies(dsn: str, *, name: str, with_rows: Collection[str], read: Collection[str]) -> Pool:
    """A pool of one connection on which every table is a copy, empty but for those ``with_rows``.

    Tables to ``read`` are no copies: they must not be written. All others are copied, so that a table that is written
    and named nowhere is a copy too. A connection that is lost takes its copies along; the next one has new ones.
    """

    async def connect(*args: Any, **options: Any) -> Any:
        connection = await asyncpg.connect(*args, **options)
        try:
            await _copy_tables(connection, with_rows, read)
        except BaseException:
            connection.terminate()
            raise
        return connection

    return await open_pool(dsn, max_size=1, name=name, keep_idle_seconds=0, make_connection=connect)


async def _copy_tables(connection: Connection, with_rows: Collection[str], read: Collection[str]) -> None:
    async with connection.transaction(isolation="repeatable_read"):
        await allow_long_work(connection)
        for name, copy, original, columns in await connection.fetch(_TABLES, list(read)):
            await connection.execute(f"CREATE TEMP TABLE {copy} (LIKE {original} INCLUDING ALL)")
            if name in with_rows:
                await connection.execute(
                    f"INSERT INTO {copy} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {original}",  # noqa: S608 - quoted by format()
                    timeout=COPY_SECONDS,
                )
                await connection.execute(f"ANALYZE {copy}", timeout=COPY_SECONDS)
