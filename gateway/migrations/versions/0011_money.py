"""What suppliers say moved our balance, and deposits that were begun."""

from gateway.migrations.script import run_file

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    run_file(__file__)
