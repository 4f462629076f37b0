"""What a quarantined sync brought, kept until a person has decided."""

from gateway.migrations.script import run_file

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run_file(__file__)
