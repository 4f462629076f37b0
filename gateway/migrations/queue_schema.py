"""PgQueuer's own tables: whether they fit the installed PgQueuer, and bringing them there.

PgQueuer changes its tables in minor releases, compares a database with what the installed release declares, and plans
the difference. A migration applies that plan; the worker and ``doctor`` only look whether one is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.errors import SchemaDriftError

from gateway.kit.pool import connect
from gateway.migrations import HEAD, current
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    import asyncpg

    from gateway.kit.pool import Connection

_FIRST_LINES = 3  # of a plan: enough to see what is missing


async def planned_changes(connection: Connection) -> tuple[str, ...]:
    """The statements that would make PgQueuer's tables fit the installed release; empty when they do."""
    queries = Queries(AsyncpgDriver(cast("asyncpg.Connection[asyncpg.Record]", connection)))
    try:
        plan = await queries.plan_upgrade()
    except SchemaDriftError as error:
        raise ConfigurationError(f"the tables of the job queue cannot be upgraded: {error}") from None
    return plan.statements


async def upgrade_queue(connection: Connection) -> int:
    """Bring PgQueuer's tables to the installed release, in the caller's transaction; how many statements that took."""
    changes = await planned_changes(connection)
    for statement in changes:
        await connection.execute(statement)
    return len(changes)


async def schema_fault(dsn: str) -> str | None:
    """What does not fit in the schema of the database, with the way out; None when all of it fits.

    A revision newer than this release knows is accepted: the database is upgraded before the last old process ends.
    """
    revision = await current(dsn)
    if revision is None or revision < HEAD:
        return f"the schema is at {revision or 'nothing'}, not {HEAD}: run esim-gateway db upgrade"
    connection = await connect(dsn)
    try:
        changes = await planned_changes(connection)
    except ConfigurationError as error:
        return str(error)
    finally:
        await connection.close()
    if not changes:
        return None
    first = " | ".join(" ".join(change.split())[:120] for change in changes[:_FIRST_LINES])
    return (
        f"the tables of the job queue do not fit the installed PgQueuer ({len(changes)} changes are missing: {first}): "
        "run esim-gateway db upgrade"
    )


async def require_schema(dsn: str) -> None:
    """Refuse a database whose schema does not fit this release. Raises ``ConfigurationError`` saying what to run."""
    if (fault := await schema_fault(dsn)) is not None:
        raise ConfigurationError(fault)
