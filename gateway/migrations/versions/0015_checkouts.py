"""Checkouts and the payments for them."""

from gateway.migrations.script import run_file

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    run_file(__file__)
