"""``esim-gateway config``: what operators set in the database, as a file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.connected import cli_actor, print_json, run_connected
from gateway.cli.declared import AsJson
from gateway.cli.state import StateDir
from gateway.kit.sheet import printable
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.operations.configuration import Applied, Exported
    from gateway.suppliers.deps import Deps

DIFFERS = 3

app = typer.Typer(help="What operators set in the database, as a file: export it, apply it.", no_args_is_help=True)

File = Annotated[str, typer.Argument(metavar="FILE", help="What `config export` wrote; - reads it from the input.")]


@app.command()
def export(state_dir: StateDir = None) -> None:
    """Print pricing and alert rules, channels, mappings, storefronts, stops and pauses as one file, without secrets."""
    from gateway.operations.configuration_file import written

    async def read(deps: Deps) -> Exported:
        from gateway.operations import configuration

        return await configuration.export(deps, cli_actor())

    found = run_connected(state_dir, read)
    print(written(found.configuration), end="")
    for what in found.left_out:
        print(f"esim-gateway: not in the file: {printable(what)}", file=sys.stderr)


@app.command()
def plan(file: File, as_json: AsJson = False, state_dir: StateDir = None) -> None:
    """Show what applying a file would change. Exit code 3: something would change."""
    done = _applied(file, state_dir, keep=False, as_json=as_json)
    if done.changes:
        raise typer.Exit(DIFFERS)


@app.command("apply")
def apply_file(
    file: File,
    yes: Annotated[bool, typer.Option("--yes", help="Change it; without this it is only shown.")] = False,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Make the gateway as a file says: all of it or, where something is refused, nothing."""
    done = _applied(file, state_dir, keep=yes, as_json=as_json)
    if done.changes and not yes and not as_json:
        print("Nothing was changed. Change it with --yes.")


def _applied(file: str, state_dir: StateDir, *, keep: bool, as_json: bool) -> Applied:
    from gateway.operations.configuration_file import read_configuration

    try:
        text = sys.stdin.read() if file == "-" else _read(file)
        wanted = read_configuration(text)
    except (ConfigurationError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: {error}") from None

    async def act(deps: Deps) -> Applied:
        from gateway.operations import configuration

        return await configuration.apply(deps, wanted, cli_actor(), keep=keep)

    done = run_connected(state_dir, act)
    if as_json:
        print_json(done)
    else:
        _show(done)
    if done.faults:
        raise ConfigurationError("; ".join(printable(fault) for fault in done.faults))
    return done


def _show(done: Applied) -> None:
    for change in done.changes:
        print(printable(change.line))
    if not done.changes:
        print("Nothing to change.")
    elif done.applied:
        count = len(done.changes)
        print(f"{count} {'change was' if count == 1 else 'changes were'} made.")
    for name, secret in done.secrets.items():
        print(f'Webhooks to the channel "{printable(name)}" are signed with this, shown only once: {secret}')
    if done.applied:
        for what in done.to_do:
            print(f"Now {printable(what)}")


def _read(file: str) -> str:
    from pathlib import Path

    try:
        return Path(file).read_text("utf-8")
    except OSError as error:
        raise ConfigurationError(error.strerror or type(error).__name__) from None
