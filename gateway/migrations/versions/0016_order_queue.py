"""The order's row as its queue, suppliers' raw answers, one delivered eSIM for one order."""

from gateway.migrations.script import run_file

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    run_file(__file__)
