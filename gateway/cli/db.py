"""``esim-gateway db``: the database schema."""

from __future__ import annotations

import asyncio

import typer

from gateway.cli.state import StateDir, database_url, settings_here

app = typer.Typer(help="The database schema.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep ``upgrade`` a subcommand while it is the only one."""


@app.command()
def upgrade(state_dir: StateDir = None) -> None:
    """Bring the database to the newest schema. Safe to run again, and from several machines at once."""
    from gateway.store.migrations import upgrade as upgrade_database

    asyncio.run(upgrade_database(database_url(settings_here(state_dir))))
    print("the database has the newest schema")
