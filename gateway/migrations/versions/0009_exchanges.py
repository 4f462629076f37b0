"""What was said between us and a supplier, redacted."""

from gateway.migrations.script import run_file

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run_file(__file__)
