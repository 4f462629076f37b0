"""Running a whole file of SQL inside Alembic's transaction."""

from __future__ import annotations

from pathlib import Path

from alembic import op
from sqlalchemy.util import await_only


def run_file(revision: str) -> None:
    """Run the ``.sql`` file that stands beside a revision (its ``__file__``)."""
    run(Path(revision).with_suffix(".sql").read_text("utf-8"))


def run(sql: str) -> None:
    """Run several statements as they stand: prepared statements, SQLAlchemy's only way, hold one each."""
    driver = op.get_bind().connection.driver_connection
    if driver is None:
        raise RuntimeError("no connection to run a revision on")
    await_only(driver.execute(sql))
