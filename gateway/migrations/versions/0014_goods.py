"""Digital goods, as suppliers list them."""

from gateway.migrations.script import run_file

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    run_file(__file__)
