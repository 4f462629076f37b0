"""The command line ``esim-gateway``.

The commands of a feature are the typer app in the module of its name (``gateway.features``); others are registered
below. A command imports what is heavy inside its function, so that ``--help`` is quick. What a command needs of the
world it takes from ``gateway.cli.state.settings_here``.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from gateway.cli import (
    db,
    dev,
    docs,
    doctor,
    mcp,
    reconcile,
    sandbox,
    secrets,
    serve,
    sync,
    worker,
)
from gateway.features import face_modules
from schemas.errors import ConfigurationError

WRONG_CONFIGURATION = 2

app = typer.Typer(
    name="esim-gateway",
    help=(
        "Several eSIM suppliers behind one catalogue and one API.\n\n"
        "Start with **esim-gateway dev**: everything on this machine, on made-up suppliers, with a key to try it. "
        "In production run **db upgrade** once, then **serve** and **worker**, with GATEWAY_DATABASE_URL, "
        "GATEWAY_REDIS_URL and the suppliers' accounts in the environment or in the file that GATEWAY_CONFIG names. "
        "**doctor** says what is missing."
    ),
    rich_markup_mode="markdown",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(requested: bool) -> None:
    if requested:
        print(f"esim-gateway {version('esim-gateway')}")
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """What every command has."""


app.command("dev")(dev.dev)
app.command("docs")(docs.docs)
app.command("doctor")(doctor.doctor)
app.command("mcp")(mcp.mcp)
app.command("reconcile")(reconcile.reconcile)
app.command("sandbox")(sandbox.sandbox)
app.command("serve")(serve.serve)
app.command("sync")(sync.sync)
app.command("worker")(worker.worker)
app.add_typer(db.app, name="db")
app.add_typer(secrets.app, name="secrets")
for name, module in sorted((module.__name__.rpartition(".")[2], module) for module in face_modules("cli")):
    if hasattr(module, "app"):
        app.add_typer(module.app, name=name)


def main() -> None:
    """Run the command line. A wrong configuration is one line on stderr and exit code 2."""
    try:
        app()
    except ConfigurationError as error:
        print(f"esim-gateway: {error}", file=sys.stderr)
        raise SystemExit(WRONG_CONFIGURATION) from None
