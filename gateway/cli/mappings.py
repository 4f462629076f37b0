"""``esim-gateway mappings``: what people told of words that no table knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.connected import print_json, run_connected
from gateway.cli.state import StateDir

if TYPE_CHECKING:
    from gateway.suppliers.deps import Deps
    from schemas.api_mappings import Mapping

app = typer.Typer(help="What people told of words that no table knows.", no_args_is_help=True)
MOST = 10_000


@app.command()
def export(state_dir: StateDir = None) -> None:
    """Print all that is in force as the file config/mappings.toml would hold it."""

    async def read(deps: Deps) -> str:
        from gateway.sync import mappings

        return await mappings.toml(deps.pool)

    print(run_connected(state_dir, read), end="")


@app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False, state_dir: StateDir = None
) -> None:
    """Show what was told in the console and over the API, the newest first."""

    async def read(deps: Deps) -> list[Mapping]:
        from gateway.kit.pages import PageRequest
        from gateway.sync import mappings

        return (await mappings.listed(deps.pool, PageRequest(MOST))).data

    rows = run_connected(state_dir, read)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        waits = "" if row.applied else "  (from the next sync on)"
        print(f"{row.provider or 'every provider'}: {row.about} {row.word!r} means {row.means}{waits}")
