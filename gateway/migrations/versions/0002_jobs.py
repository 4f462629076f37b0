"""The tables of the job queue, in the words of the installed PgQueuer itself."""

from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from pgqueuer.domain.settings import DBSettings

from gateway.migrations.script import run

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run(QueryBuilderEnvironment(DBSettings()).build_install_query())
