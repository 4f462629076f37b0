"""``esim-gateway alerts``: what stands, and whether the channels work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.connected import print_json, run_connected, who
from gateway.cli.state import StateDir
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.suppliers.deps import Deps
    from schemas.api_alerts import Alert, AlertTest

app = typer.Typer(help="Alerts: what stands, and whether the channels work.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
SOME_ARE_LOST = 3


@app.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=10_000)] = 200,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Show the alerts that stand, the newest first."""

    async def read(deps: Deps) -> list[Alert]:
        from gateway.alerts import alert_rows
        from gateway.kit.pages import PageRequest

        found = await alert_rows.newest(deps.pool, PageRequest(limit), state=None if everything else "standing")
        return found.data

    rows = run_connected(state_dir, read)
    if as_json:
        print_json(rows)
        return
    if not rows:
        print("no alert was ever raised" if everything else "no alert stands")
    for row in rows:
        over = f"  over {row.cleared_at:%Y-%m-%d %H:%M}: {row.cleared_why}" if row.cleared_at else ""
        words = "".join(letter for letter in f"{row.title}  {row.detail}" if letter.isprintable())
        print(f"{row.raised_at:%Y-%m-%d %H:%M}  {row.level:4}  {words}{over}")


@app.command("test")
def try_out(
    channel: Annotated[
        list[str] | None, typer.Argument(metavar="CHANNEL", help="Names or ids; every one by default.")
    ] = None,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Send a test to channels, and tell whether it arrived. Exit code 3: not at all of them."""

    async def send(deps: Deps) -> dict[str, AlertTest]:
        from gateway.alerts import channels
        from gateway.kit.problem import Problem

        every = await channels.all_channels(deps.pool)
        if unknown := [one for one in channel or () if not any(one in {c.id, c.name} for c in every)]:
            raise ConfigurationError(f"no channel is named {unknown[0]}")
        told: dict[str, AlertTest] = {}
        for one in every:
            if not channel or one.id in channel or one.name in channel:
                found = await channels.test(deps, one.id, who())
                if not isinstance(found, Problem):
                    told[one.name] = found
        return told

    told = run_connected(state_dir, send)
    if as_json:
        print_json(told)
    else:
        if not told:
            print("there is no channel; make one in the console under Alerts")
        for name, one in told.items():
            print(f"{name}: {'arrived' if one.arrived else 'did not arrive'} ({one.said}, {one.ms} ms)")
    if not all(one.arrived for one in told.values()):
        raise typer.Exit(SOME_ARE_LOST)
