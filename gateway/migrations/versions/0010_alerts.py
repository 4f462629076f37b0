"""Alerts, their rules, and where they go."""

from gateway.migrations.script import run_file

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    run_file(__file__)
