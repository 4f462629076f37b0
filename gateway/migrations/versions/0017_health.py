"""The job queue at the installed PgQueuer, heartbeats of workers, leases, and indexes that serve retention."""

from sqlalchemy.util import await_only

from gateway.migrations.queue_schema import upgrade_queue
from gateway.migrations.script import driver, run_file

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    await_only(upgrade_queue(driver()))
    run_file(__file__)
