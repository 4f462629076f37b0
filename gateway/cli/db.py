"""``esim-gateway db``: the database schema."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from gateway.cli.state import StateDir, database_url, settings_here

app = typer.Typer(help="The database schema.", no_args_is_help=True)


@app.command()
def upgrade(state_dir: StateDir = None) -> None:
    """Bring the database to the newest schema. Safe to run again, and from several machines at once."""
    from gateway.kit.pool import DATABASE_DOWN
    from gateway.migrations import HEAD
    from gateway.migrations import upgrade as upgrade_database

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

    Nothing is bought, topped up or cancelled from then on until `reconcile` is clean. Orders that were pending in the
    backup need review: they may have been bought since. Those with an attempt that the backup knows are polled first,
    when a worker starts. Everything else goes on.
    """
    from gateway.kit.pool import DATABASE_DOWN, open_pool
    from gateway.kit.sealing import Seal
    from gateway.orders.restore import Restored
    from gateway.orders.restore import restored as sending_off
    from gateway.suppliers.deps import Deps

    settings = settings_here(state_dir)
    url = database_url(settings)

    async def act() -> Restored:
        # Without suppliers' accounts: nothing is asked of anybody, and a wrong setting must not keep sending on.
        pool = await open_pool(url, max_size=2, name="esim-gateway db")
        try:
            return await sending_off(Deps(pool, {}, settings, Seal.from_settings(settings), inline=False), note)
        finally:
            await pool.close()

    try:
        done = asyncio.run(act())
    except DATABASE_DOWN as error:
        print(f"esim-gateway: the database cannot be reached: {str(error) or type(error).__name__}", file=sys.stderr)
        raise typer.Exit(1) from None
    print(f"sending is off until this is clean, from {done.day} (UTC) on: esim-gateway reconcile")
    print(f"pending orders: {len(done.needs_review)} need review, {len(done.polled_first)} are polled first")
