"""Scopes of API keys that each give what their name says, and names of keys."""

from gateway.migrations.script import run_file

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    run_file(__file__)
