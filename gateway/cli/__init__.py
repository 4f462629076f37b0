"""The command line ``esim-gateway``: one file a command, registered below.

A command's file holds a function for ``app.command`` or a typer app for ``app.add_typer``, and
imports what is heavy inside its functions, so that ``--help`` is quick. What a command needs of the
world it takes from ``gateway.cli.state.settings_here``.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from gateway.cli import (
    alerts,
    checkouts,
    db,
    dev,
    doctor,
    keys,
    mappings,
    orders,
    prices,
    prices_history,
    pricing,
    quarantine,
    reconcile,
    sandbox,
    secrets,
    selling,
    serve,
    supplier_accounts,
    supplier_money,
    suppliers,
    sync,
    users,
    worker,
)
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


def _print_version(asked: bool) -> None:
    if asked:
        print(f"esim-gateway {version('esim-gateway')}")
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """What every command has."""


# One line a command.
app.add_typer(alerts.app, name="alerts")
app.add_typer(checkouts.app, name="checkouts")
app.command("dev")(dev.dev)
app.add_typer(db.app, name="db")
app.command("doctor")(doctor.doctor)
app.add_typer(keys.app, name="keys")
app.add_typer(mappings.app, name="mappings")
app.add_typer(orders.app, name="orders")
prices_history.add_to(prices.app)
app.add_typer(prices.app, name="prices")
app.add_typer(pricing.app, name="pricing")
app.add_typer(quarantine.app, name="quarantine")
app.command("reconcile")(reconcile.reconcile)
app.command("sandbox")(sandbox.sandbox)
app.add_typer(secrets.app, name="secrets")
app.add_typer(selling.app, name="selling")
app.command("serve")(serve.serve)
app.command("sync")(sync.sync)
app.command("worker")(worker.worker)
supplier_accounts.add_to(suppliers.app)
supplier_money.add_to(suppliers.app)
app.add_typer(suppliers.app, name="suppliers")
app.add_typer(users.app, name="users")


def main() -> None:
    """Run the command line. A wrong configuration is one line on stderr and exit code 2."""
    try:
        app()
    except ConfigurationError as error:
        print(f"esim-gateway: {error}", file=sys.stderr)
        raise SystemExit(WRONG_CONFIGURATION) from None
