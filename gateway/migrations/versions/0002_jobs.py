"""The tables of the job queue, in the words of the installed PgQueuer itself."""

from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from pgqueuer.domain.settings import DBSettings

from gateway.kit.pool import Connection


async def upgrade(connection: Connection) -> None:
    await connection.execute(QueryBuilderEnvironment(DBSettings()).build_install_query())
