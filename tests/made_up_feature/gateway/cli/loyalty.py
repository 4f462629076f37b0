"""``esim-gateway loyalty``: how many points each storefront has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from gateway.cli.connected import run_on_database
from gateway.cli.state import StateDir

if TYPE_CHECKING:
    from gateway.loyalty.point_rows import Points

    from gateway.kit.pool import Pool

app = typer.Typer(help="Points of storefronts.", no_args_is_help=True)


@app.callback()
def options() -> None:
    """Points of storefronts."""


@app.command("list")
def list_(state_dir: StateDir = None) -> None:
    """Show the points of every storefront."""

    async def read(pool: Pool) -> list[Points]:
        from gateway.loyalty import point_rows

        return await point_rows.by_storefront(pool)

    for row in run_on_database(state_dir, read):
        print(f"{row.storefront}  {row.points}")
