"""People who use the console, their sessions, and the log of what they changed."""

from gateway.migrations.script import run_file

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run_file(__file__)
