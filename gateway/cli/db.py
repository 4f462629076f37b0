"""``esim-gateway db``: the database schema."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from gateway.cli.state import StateDir, database_to_fill, database_url, settings_here
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.kit.settings import Settings

T = TypeVar("T")

app = typer.Typer(help="The database schema.", no_args_is_help=True)


@app.command()
def upgrade(state_dir: StateDir = None) -> None:
    """Bring the database to the newest schema. Safe to run again, and from several machines at once."""
    from gateway.migrations import HEAD
    from gateway.migrations import upgrade as upgrade_database

    changed = _reached(upgrade_database(database_url(settings_here(state_dir))))
    print(f"the database {'was brought to' if changed else 'is at'} revision {HEAD}")


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write. It must not be there.")],
    state_dir: StateDir = None,
) -> None:
    """Write the database and the secret keys into one file, while the gateway runs.

    Whoever has the file has everything: it is readable by its owner alone, so keep it so wherever it goes.
    """
    from gateway.migrations import current
    from gateway.runtime.backups import write_backup

    settings = settings_here(state_dir)
    url = database_url(settings)
    revision = _reached(current(url))
    if revision is None:
        raise ConfigurationError("nothing to back up: the database is empty")
    keys = [key.get_secret_value() for key in settings.secret_key]
    size = write_backup(url, revision, keys, file)
    print(f"{file}: {size:,} bytes, schema {revision}, {len(keys)} secret {'key' if len(keys) == 1 else 'keys'}")
    if not keys:
        print("esim-gateway: no GATEWAY_SECRET_KEY is set here: keep yours beside the file", file=sys.stderr)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="What `db backup` wrote.", exists=True, dir_okay=False)],
    note: Annotated[str, typer.Option(help="Kept with the stop; the time of the backup otherwise.")] = "",
    state_dir: StateDir = None,
) -> None:
    """Put a backup back into an empty database, bring it to this release's schema, and keep sending off.

    Orders in it may have ended since, so this does what `db restored` does: nothing is bought until `reconcile` is
    clean. With --state-dir and no database configured, it starts the embedded PostgreSQL there for the time, and leaves
    the secret key in that folder.
    """
    from gateway.migrations import HEAD, current
    from gateway.migrations import upgrade as upgrade_database
    from gateway.runtime.backups import put_back, read_backup

    found = read_backup(file)
    if found.revision > HEAD:
        raise ConfigurationError(f"{file} is of a newer release: its schema is {found.revision}, this one knows {HEAD}")
    with database_to_fill(state_dir, found.secret_keys) as settings:
        url = database_url(settings)
        if _reached(current(url)) is not None:
            raise ConfigurationError("the database is not empty: restore into a new one")
        known = {key.get_secret_value() for key in settings.secret_key}
        if found.secret_keys and found.secret_keys[0] not in known:
            raise ConfigurationError(
                f"what is sealed in {file} could not be opened: add its secret key to GATEWAY_SECRET_KEY. "
                f"It stands in backup.json of the file: tar --extract --to-stdout --file {file} backup.json"
            )
        put_back(url, file)
        _reached(upgrade_database(url))
        print(f"restored the database of {found.at:%Y-%m-%d %H:%M} UTC, at schema {HEAD}")
        _keep_sending_off(settings, note or f"backup of {found.at:%Y-%m-%d %H:%M} UTC")


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
    _keep_sending_off(settings_here(state_dir), note)


def _keep_sending_off(settings: Settings, note: str) -> None:
    from gateway.kit.pool import open_pool
    from gateway.kit.sealing import Seal
    from gateway.orders.restore import Restored
    from gateway.orders.restore import restored as sending_off
    from gateway.suppliers.deps import Deps

    url = database_url(settings)

    async def act() -> Restored:
        # Without suppliers' accounts: nothing is asked of anybody, and a wrong setting must not keep sending on.
        pool = await open_pool(url, max_size=2, name="esim-gateway db")
        try:
            return await sending_off(Deps(pool, {}, settings, Seal.from_settings(settings), inline=False), note)
        finally:
            await pool.close()

    done = _reached(act())
    print(f"sending is off until this is clean, from {done.day} (UTC) on: esim-gateway reconcile")
    print(f"pending orders: {len(done.needs_review)} need review, {len(done.polled_first)} are polled first")


def _reached(work: Coroutine[Any, Any, T]) -> T:
    """What this work at the database comes to; exit code 1 when the database cannot be reached."""
    from gateway.kit.pool import DATABASE_DOWN

    try:
        return asyncio.run(work)
    except DATABASE_DOWN as error:
        print(f"esim-gateway: the database cannot be reached: {str(error) or type(error).__name__}", file=sys.stderr)
        raise typer.Exit(1) from None
