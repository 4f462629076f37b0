"""What places, units and attributes mean, as people have told."""

from gateway.migrations.script import run_file

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    run_file(__file__)
