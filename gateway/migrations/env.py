"""Run by Alembic: takes the lock, then the revisions, all in one transaction on the given connection."""

from __future__ import annotations

from alembic import context
from sqlalchemy import text

from gateway.migrations import LOCK

connection = context.config.attributes["connection"]
context.configure(connection=connection, transactional_ddl=True)
with context.begin_transaction():
    # Whoever waits here reads the revision after the other's commit, and finds nothing to do.
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    context.run_migrations()
