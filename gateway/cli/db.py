"""``esim-gateway db``: the database schema."""

from __future__ import annotations

import asyncio
import sys
from datetime import date
from typing import Annotated

import typer

from gateway.cli.state import StateDir, database_url, settings_here

app = typer.Typer(help="The database schema.", no_args_is_help=True)


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


@app.command()
def restored(
    note: Annotated[str, typer.Option(help="Which backup it was; kept with the stop.")] = "",
    state_dir: StateDir = None,
) -> None:
    """Say that this database was put back from a backup, before anything runs on it again.

    Nothing is bought, topped up or cancelled from then on until `reconcile` is clean. Everything else goes on.
    """
    from datetime import UTC, datetime

    from gateway.flows.reconcile import restored as sending_off
    from gateway.store.pool import DATABASE_DOWN, open_pool

    url = database_url(settings_here(state_dir))

    async def act() -> date:
        pool = await open_pool(url, max_size=1, name="esim-gateway db")
        try:
            return await sending_off(pool, datetime.now(UTC), note)
        finally:
            await pool.close()

    try:
        day = asyncio.run(act())
    except DATABASE_DOWN as error:
        print(f"esim-gateway: the database cannot be reached: {str(error) or type(error).__name__}", file=sys.stderr)
        raise typer.Exit(1) from None
    print(f"sending is off until this is clean, from {day} (UTC) on: esim-gateway reconcile")
