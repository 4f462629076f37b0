"""The database schema and its history: ``upgrade`` brings a database to the newest revision.

A revision is a file ``NNNN_name.sql`` under ``versions/``: plain SQL, several statements. What SQL cannot say stands in
``NNNN_name.py`` as ``async def upgrade(connection)``; where a number has both files, the Python file runs first.
The table ``alembic_version`` holds the number of the last revision. Its name is from Alembic, which ran them before.
"""

from __future__ import annotations

from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from gateway.kit.pool import CONNECT_SECONDS, connect
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.kit.pool import Connection

_LOCK = 7_310_577_101  # any number that nothing else locks in this database
_RECORD = """
CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32) CONSTRAINT alembic_version_pkc PRIMARY KEY)
"""
_VERSIONS = Path(__file__).parent / "versions"
_FILES = sorted([*_VERSIONS.glob("[0-9]*.py"), *_VERSIONS.glob("[0-9]*.sql")])
# The files of each revision by its number, both in the order in which they run.
REVISIONS = {number: tuple(files) for number, files in groupby(_FILES, lambda file: file.name.partition("_")[0])}
HEAD = max(REVISIONS)


async def current(dsn: str) -> str | None:
    """The revision that the database is at; None for an empty one."""
    connection = await connect(dsn)
    try:
        revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return None
    finally:
        await connection.close()
    return revision


async def upgrade(dsn: str, to: str = HEAD) -> bool:
    """Bring the database to the revision ``to``, or leave it where it is further. True when this call changed it.

    A database that is there already costs one query. Several processes may upgrade one database at once: one works,
    the others wait and find the work done. All revisions run in one transaction: an upgrade that fails or is killed
    leaves the database as it was.

    Raises ``ConfigurationError`` when the database is at a revision that this release does not know.
    """
    if await current(dsn) == to:
        return False
    # Without the time limits of a session of the pool: a revision may rewrite a table, or wait for another's.
    connection = await asyncpg.connect(dsn, timeout=CONNECT_SECONDS)
    try:
        # Read committed: who has waited for the lock must see the revision that the other wrote.
        async with connection.transaction(isolation="read_committed"):
            return await _upgrade(connection, to)
    finally:
        await connection.close()


async def _upgrade(connection: Connection, to: str) -> bool:
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
    await connection.execute(_RECORD)
    at = await connection.fetchval("SELECT version_num FROM alembic_version")
    if at is not None and at not in REVISIONS:
        raise ConfigurationError(
            f"The database is at revision {at}, which this release does not know; its newest is {HEAD}. "
            "Run the release that upgraded the database, or a newer one."
        )
    pending = [number for number in REVISIONS if (at or "") < number <= to]
    for number in pending:
        for file in REVISIONS[number]:
            await _run(connection, file)
    if pending:
        await connection.execute("DELETE FROM alembic_version")
        await connection.execute("INSERT INTO alembic_version VALUES ($1)", pending[-1])
    return bool(pending)


async def _run(connection: Connection, file: Path) -> None:
    try:
        if file.suffix == ".py":
            await import_module(f"{__name__}.versions.{file.stem}").upgrade(connection)
        else:
            await connection.execute(file.read_text("utf-8"))  # noqa: ASYNC240 - a few kB, at an upgrade only
    except asyncpg.PostgresError as error:
        error.add_note(f"while running {file.name}; the database is left as it was")
        raise
