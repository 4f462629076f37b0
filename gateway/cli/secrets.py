"""``esim-gateway secrets``: what is kept encrypted, and the keys that it is encrypted with."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.state import StateDir, database_url, settings_here
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.kit.sealed import Rotated
    from gateway.kit.settings import Settings

NOT_ALL = 3

app = typer.Typer(help="Secrets in the database.", no_args_is_help=True)


@app.callback()
def secrets() -> None:
    """Secrets in the database."""


@app.command()
def new() -> None:
    """Print a new key for GATEWAY_SECRET_KEY. Nothing is kept or changed."""
    from gateway.kit.secret_strength import new_secret

    print(new_secret())


@app.command()
def rotate(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    state_dir: StateDir = None,
) -> None:
    """Encrypt everything anew with the first key of GATEWAY_SECRET_KEY.

    Put the new key in front of the old one, restart every process, then run this; when it ends with code 0 the old
    key can go (quotes and travellers' pages that were made with it end with it). It may run beside the gateway, and
    again. Exit code 3: some values are under a key that is not in the list; they stay as they are.
    """
    settings = settings_here(state_dir)
    done = asyncio.run(_rotate(settings))
    if as_json:
        import msgspec

        print(msgspec.json.encode({"columns": done, "unopened": sum(column.unopened for column in done)}).decode())
    else:
        for column in done:
            lost = f", {column.unopened} under no key of the list" if column.unopened else ""
            print(f"{column.table}.{column.column}: {column.sealed} sealed anew{lost}")
    if any(column.unopened for column in done):
        raise typer.Exit(NOT_ALL)


async def _rotate(settings: Settings) -> list[Rotated]:
    from gateway.kit.pool import DATABASE_DOWN, open_pool
    from gateway.kit.sealed import COLUMNS
    from gateway.kit.sealed import rotate as rotate_column
    from gateway.kit.sealing import Seal

    seal = Seal.from_settings(settings)
    pool = await open_pool(database_url(settings), max_size=2, name="esim-gateway secrets")
    try:
        return [await rotate_column(pool, seal, column) for column in COLUMNS]
    except DATABASE_DOWN as error:
        raise ConfigurationError(f"the database cannot be reached: {str(error) or type(error).__name__}") from None
    finally:
        await pool.close()
