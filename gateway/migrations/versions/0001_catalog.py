"""Storefronts, suppliers, offers, plans, syncs and the published catalogue."""

from gateway.migrations.script import run_file

revision = "0001"
down_revision = None


def upgrade() -> None:
    run_file(__file__)
