"""``esim-gateway rates``: exchange rates, listed, fetched, set, imported and accepted."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.connected import print_json
from gateway.cli.declared import AsJson, Command, command_group
from gateway.cli.operation_client import Gateway, run_at_gateway
from gateway.cli.sheets import print_rows
from gateway.cli.state import StateDir
from gateway.kit.sheet import printable
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from schemas.api_rates import ExchangeRatePage, RateUpdate

SOME_FAILED, ALL_FAILED = 3, 4
_LARGEST_FILE = 60_000


def _print_rates(found: ExchangeRatePage) -> None:
    from gateway.pricing.rate_tables import RATES

    print(f"What 1 {found.base} buys:")
    print_rows(RATES, found.data, "there are no rates")
    for warning in found.warnings:
        print(f"warning: {printable(warning)}")


def _print_update(found: RateUpdate) -> None:
    for source in found.sources:
        result = f"{source.rates} rates of {source.as_of}" if source.error is None else source.error
        print(f"{printable(source.source)}: {printable(result)}")
        if source.waiting:
            print(f"  moved too far: {', '.join(source.waiting)}; esim-gateway rates list, then rates accept")


def _update_code(found: RateUpdate) -> int:
    failed = sum(source.error is not None for source in found.sources)
    return 0 if not failed else ALL_FAILED if failed == len(found.sources) else SOME_FAILED


app = command_group(
    "Exchange rates: which there are, where they come from, and what waits for an operator.",
    {
        "list": Command(
            operation="rates.list_rates",
            help="Show the newest rate of each currency with its age and source, and what is old.",
            table="gateway.pricing.rate_tables:RATES",
            show=_print_rates,
            json=lambda raw: raw,
        ),
        "update": Command(
            operation="rates.update_rates",
            help="Fetch rates from [rates] sources now. Exit code 3: not from all of them; 4: from none.",
            show=_print_update,
            code=_update_code,
        ),
    },
)


@app.command("set")
def set_rate(
    base: Annotated[str, typer.Argument(metavar="BASE", help="One unit of this currency, such as USD")],
    currency: Annotated[str, typer.Argument(metavar="CURRENCY", help="buys of this one, such as IDR,")],
    rate: Annotated[str, typer.Argument(metavar="RATE", help="so much: 16250.")],
    day: Annotated[
        datetime | None,
        typer.Option("--date", formats=["%Y-%m-%d"], metavar="DATE", help="From this day on; today by default."),
    ] = None,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Set an exchange rate. It stands until a rate of a later day comes."""
    sent: dict[str, Any] = {"base": base.upper(), "currency": currency.upper(), "rate": rate}
    if day is not None:
        sent["date"] = day.date().isoformat()
    made = run_at_gateway(state_dir, lambda gateway: gateway.call("rates.set_rate", **sent), "rates")
    if as_json:
        print_json(made)
        return
    state = "in force" if made["in_force"] else "kept, not in force: another day's rate stands"
    print(f"1 {made['currency']} = {made['rate']} in base currency, of {made['as_of']}: {state}")


@app.command("import")
def import_rates(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file; - reads it from standard input.")],
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Import a file of rates.

    The European Central Bank's XML, CSV with the columns date,base,currency,rate, or TOML as in config/fx.toml.
    """
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot read {file}: {error}") from None
    if len(text.encode()) > _LARGEST_FILE:
        raise ConfigurationError(f"{file} has more than {_LARGEST_FILE:,} bytes: import it in parts")
    name = "standard input" if str(file) == "-" else file.name
    made = run_at_gateway(state_dir, lambda gateway: gateway.call("rates.import_rates", name=name, text=text), "rates")
    if as_json:
        print_json(made)
        return
    print(f"{made['rates']} rates of {', '.join(made['currencies'])}")


@app.command("accept")
def accept_rates(
    currency: Annotated[
        list[str] | None, typer.Argument(metavar="CURRENCY", help="Of these; of every one that waits by default.")
    ] = None,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Accept rates that moved too far in a day and wait, as `rates list` shows them."""

    async def act(gateway: Gateway) -> list[Any]:
        waiting = {
            rate["currency"]: rate["waiting"]["as_of"]
            for rate in (await gateway.call("rates.list_rates"))["data"]
            if rate["waiting"] is not None
        }
        names = [name.upper() for name in currency or ()] or list(waiting)
        if unknown := [name for name in names if name not in waiting]:
            raise ConfigurationError(f"no rate of {unknown[0]} waits to be accepted")
        return [await gateway.call("rates.accept_rate", currency=name, as_of=waiting[name]) for name in names]

    accepted = run_at_gateway(state_dir, act, "rates")
    if as_json:
        print_json(accepted)
    elif not accepted:
        print("no rate waits to be accepted")
    for rate in accepted if not as_json else ():
        print(f"1 {rate['currency']} = {rate['rate']} in base currency, of {rate['as_of']}: in force")
