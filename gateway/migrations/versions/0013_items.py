"""Orders of other kinds than eSIMs: virtual numbers, and the codes of vouchers."""

from gateway.migrations.script import run_file

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    run_file(__file__)
