"""Keys at suppliers that are turned over, and what their accounts say of themselves."""

from gateway.migrations.script import run_file

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    run_file(__file__)
