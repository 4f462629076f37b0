"""Running a whole file of SQL inside Alembic's transaction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from alembic import op
from sqlalchemy.util import await_only

if TYPE_CHECKING:
    from gateway.kit.pool import Connection


def run_file(revision: str) -> None:
    """Run the ``.sql`` file that stands beside a revision (its ``__file__``)."""
    run(Path(revision).with_suffix(".sql").read_text("utf-8"))


def run(sql: str) -> None:
    """Run several statements as they stand: prepared statements, SQLAlchemy's only way, hold one each."""
    await_only(driver().execute(sql))


def driver() -> Connection:
    """The connection of asyncpg below SQLAlchemy's, in Alembic's transaction."""
    found = op.get_bind().connection.driver_connection
    if found is None:
        raise RuntimeError("no connection to run a revision on")
    return cast("Connection", found)
