"""The job queue at the installed PgQueuer."""

from gateway.kit.pool import Connection
from gateway.migrations.queue_schema import upgrade_queue


async def upgrade(connection: Connection) -> None:
    await upgrade_queue(connection)
