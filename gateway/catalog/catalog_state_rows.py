"""The counters by which serving processes learn that the catalogue changed."""

from __future__ import annotations

from gateway.kit.pool import Connection, allow_long_work

# One writer of the catalogue at a time: offers, then plans, then this row, so that no two wait for each other.
WRITER_LOCK = 7_310_577_102


async def lock_writer(connection: Connection) -> None:
    """Be the only writer of the catalogue until this transaction ends. Waits as long as the others write.

    A session on copies of the tables (``kit.table_copies``) is their only writer anyway, and is in nobody's way.
    """
    await allow_long_work(connection)
    await connection.execute("SET LOCAL lock_timeout = 0")
    await connection.execute(
        "SELECT pg_advisory_xact_lock($1) WHERE to_regclass('pg_temp.catalog_state') IS NULL", WRITER_LOCK, timeout=600
    )


async def content_changed(connection: Connection) -> None:
    """Something that a snapshot holds was changed in this transaction."""
    await connection.execute("UPDATE catalog_state SET content = content + 1")
