"""``esim-gateway selling``: the switch that stops all buying, or that at one supplier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.connected import agreed, print_json, run_connected
from gateway.cli.state import StateDir

if TYPE_CHECKING:
    from gateway.suppliers.deps import Deps

app = typer.Typer(help="The stop-selling switch.", no_args_is_help=True)
Supplier = Annotated[str | None, typer.Option(help="Only this supplier [all].")]


@app.command()
def stop(
    supplier: Supplier = None, note: Annotated[str, typer.Option(help="Why.")] = "", state_dir: StateDir = None
) -> None:
    """Buy nothing more, at all or at one supplier. Orders that wait go on waiting; what was bought is followed."""

    async def act(deps: Deps) -> None:
        from gateway.kit.problem import Problem
        from gateway.suppliers import stops

        made = await stops.stop(deps, supplier, "command line", note)
        agreed(made if isinstance(made, Problem) else None)

    run_connected(state_dir, act)
    print(f"stopped: {supplier or 'all suppliers'}")


@app.command()
def resume(supplier: Supplier = None, state_dir: StateDir = None) -> None:
    """Lift a stop that a person made, or that a supplier's account was stopped for."""

    async def act(deps: Deps) -> None:
        from gateway.suppliers import stops

        agreed(await stops.resume(deps, supplier, "command line"))

    run_connected(state_dir, act)
    print(f"on again: {supplier or 'all suppliers'}")


@app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False, state_dir: StateDir = None
) -> None:
    """Show the stops in force."""

    async def read(deps: Deps) -> dict[str, list[str]]:
        from gateway.suppliers import selling_rows

        return await selling_rows.stops(deps.pool)

    stops = run_connected(state_dir, read)
    if as_json:
        print_json([{"supplier": name or None, "reasons": reasons} for name, reasons in stops.items()])
        return
    for name, reasons in stops.items():
        print(f"{name or 'all suppliers'}: {', '.join(reasons)}")
