"""Tokens of a supplier's rate are leased by a function; failures of reads are counted by themselves."""

from gateway.store.migrations.script import run_file

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    run_file(__file__)
