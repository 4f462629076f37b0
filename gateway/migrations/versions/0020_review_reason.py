"""Why an order stays with an operator, whatever else is learnt of it."""

from gateway.migrations.script import run_file

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    run_file(__file__)
