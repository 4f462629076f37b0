"""Failed log-ins by address, device and session, and against the names of users who exist."""

from gateway.migrations.script import run_file

revision = "0023"
down_revision = "0021"


def upgrade() -> None:
    run_file(__file__)
