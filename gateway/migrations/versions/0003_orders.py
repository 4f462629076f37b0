"""Orders, attempts, ledger, eSIMs, and webhooks both ways."""

from gateway.migrations.script import run_file

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_file(__file__)
