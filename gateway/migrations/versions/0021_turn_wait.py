"""Since when an order waits for its turn at a supplier."""

from gateway.migrations.script import run_file

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    run_file(__file__)
