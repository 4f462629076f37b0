"""Funds by an index of their own, several refunds of one attempt, and an alert on statements that differ."""

from gateway.migrations.script import run_file

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    run_file(__file__)
