"""``esim-gateway db``: the database schema."""

from __future__ import annotations

import asyncio
import sys

import typer

from gateway.cli.state import StateDir, database_url, settings_here

app = typer.Typer(help="The database schema.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep ``upgrade`` a subcommand while it is the only one."""


@app.command()
def upgrade(state_dir: StateDir = None) -> None:
    """Bring the database to the newest schema. Safe to run again, and from several machines at once."""
    from gateway.store.migrations import HEAD
    from gateway.store.migrations import upgrade as upgrade_database
    from gateway.store.pool import DATABASE_DOWN

    try:
        changed = asyncio.run(upgrade_database(database_url(settings_here(state_dir))))
    except DATABASE_DOWN as error:
        print(f"esim-gateway: the database cannot be reached: {str(error) or type(error).__name__}", file=sys.stderr)
        raise typer.Exit(1) from None
    print(f"the database {'was brought to' if changed else 'is at'} revision {HEAD}")
