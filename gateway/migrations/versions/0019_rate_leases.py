"""A function leases tokens of a supplier's rate, in turn over storefronts; failures of reads are counted apart."""

from gateway.migrations.script import run_file

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    run_file(__file__)
