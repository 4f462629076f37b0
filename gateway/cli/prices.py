"""``esim-gateway prices``: what suppliers ask, side by side, on the terminal."""

from __future__ import annotations

import re
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from gateway.cli.connected import print_json, run_connected
from gateway.cli.sheets import print_csv
from gateway.cli.state import StateDir
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.access.key_rows import Mode
    from gateway.catalog.index import Index
    from gateway.catalog.index.matrix import Bucket
    from gateway.prices.comparison_rules import Line
    from gateway.suppliers.deps import Deps
    from schemas.api import Price
    from schemas.api_prices import Comparison, PriceMatrix

R = TypeVar("R")

app = typer.Typer(help="What suppliers ask: who is cheapest where, and offers side by side.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]
Amount = Annotated[str | None, typer.Option("--data", help="At least so much: 5GB, 500MB, or MB.", metavar="AMOUNT")]
Days = Annotated[int | None, typer.Option(help="For at least so many days.", min=1, max=10_000)]
Unlimited = Annotated[bool, typer.Option("--unlimited", help="Unlimited plans only.")]
Exact = Annotated[bool, typer.Option("--exact", help="Just that amount and just so many days.")]
Reach = Annotated[
    Literal["country", "region", "global"] | None, typer.Option("--scope", help="Only plans of this reach.")
]
Everything = Annotated[bool, typer.Option("--all", help="Offers that cannot be sold now compete, too.")]
Triggers = Annotated[
    bool, typer.Option("--triggers", help="In test mode: plans on which a sandbox goes wrong on purpose, too.")
]
Side = Annotated[
    Literal["live", "test"] | None, typer.Option("--mode", help="Whose suppliers; live where there are some.")
]

_AMOUNT = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]{1,3})?)\s*(gb|mb|)\s*\Z", re.IGNORECASE)


@app.command("matrix")
def matrix_(
    data: Amount = None,
    days: Days = None,
    country: Annotated[list[str] | None, typer.Option(help="Only this country (JP); repeatable.")] = None,
    region: Annotated[str | None, typer.Option(help="Only countries of this region (europe).")] = None,
    scope: Reach = None,
    per: Annotated[Literal["plan", "gb", "day"], typer.Option(help="Which figure is shown and compared.")] = "plan",
    unlimited: Unlimited = False,
    exact: Exact = False,
    everything: Everything = False,
    triggers: Triggers = False,
    mode: Side = None,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Show of each country and supplier the offer that a need would buy there, in base currency.

    The cheapest of a row stands in bold, with by how much it beats the next.
    """
    bucket = _bucket(data, days, scope, unlimited=unlimited, exact=exact, everything=everything, triggers=triggers)
    codes = tuple(_country(code) for code in country or ())

    async def read(_: Deps, index: Index) -> PriceMatrix:
        from gateway.prices import price_tables, prices

        if region is not None and index.snapshot.region(region) is None:
            raise ConfigurationError(f"there is no region {region!r}")
        return price_tables.whole(index, prices.Ask(bucket, per, codes, region))

    found = _from_catalog(state_dir, mode, read)
    if as_json:
        print_json(found)
    elif as_csv:
        from gateway.prices.price_tables import of_matrix

        print_csv(of_matrix(found))
    else:
        _print_matrix(found)


@app.command("compare")
def compare_(
    offers: Annotated[list[str] | None, typer.Argument(metavar="OFFER...", help="Ids of offers, two to ten.")] = None,
    country: Annotated[str | None, typer.Option(help="Without ids: what each supplier would sell there.")] = None,
    data: Amount = None,
    days: Days = None,
    scope: Reach = None,
    unlimited: Unlimited = False,
    exact: Exact = False,
    triggers: Triggers = False,
    mode: Side = None,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Show offers side by side: networks, activation, fair use, cost; what differs is marked.

    Offers by id, or with --country (and --data, --days) the cheapest of each supplier.
    """
    bucket = _bucket(data, days, scope, unlimited=unlimited, exact=exact, triggers=triggers)
    code = None if country is None else _country(country)

    async def read(deps: Deps, index: Index) -> Comparison:
        from gateway.prices import prices

        ids = list(dict.fromkeys(offers or ()))
        if not ids and code is not None:
            (row,) = prices.prices(index, prices.Ask(bucket, countries=(code,))).data
            ids = [cell.offer_id for cell in row.cells][: prices.MOST_COMPARED]
            if not ids:
                raise ConfigurationError(f"no supplier has an offer for {code} that would do")
        elif not prices.FEWEST_COMPARED <= len(ids) <= prices.MOST_COMPARED:
            raise ConfigurationError("name two to ten offers, or a country with --country")
        return await prices.compare(deps.pool, index, ids, days)

    found = _from_catalog(state_dir, mode, read)
    for one in found.missing:
        print(f"{one} is not in the catalogue", file=sys.stderr)
    if as_json:
        print_json(found)
    elif found.data:
        from gateway.prices.comparison_rules import lines
        from gateway.prices.price_tables import of_comparison

        told = lines(found.data, code)
        if as_csv:
            print_csv(of_comparison(told))
        else:
            _print_comparison(told)


def _from_catalog(state_dir: Path | None, mode: Mode | None, read: Callable[[Deps, Index], Awaitable[R]]) -> R:
    """What ``read`` finds in the catalogue as it stands now."""

    async def act(deps: Deps) -> R:
        from gateway.catalog.browse import Catalog

        configured = {account.settings.mode for account in deps.accounts.values()}
        side: Mode = mode or ("live" if "live" in configured or not configured else "test")
        catalog = await Catalog.open(deps.settings, deps.pool, None)
        try:
            return await read(deps, catalog.index(side))
        finally:
            await catalog.close()

    return run_connected(state_dir, act)


def _bucket(
    data: str | None,
    days: int | None,
    scope: str | None,
    *,
    unlimited: bool,
    exact: bool,
    everything: bool = False,
    triggers: bool = False,
) -> Bucket:
    from gateway.catalog.index.matrix import Bucket
    from schemas.plan import MB_PER_GB, Scope

    mb = None
    if data is not None:
        found = _AMOUNT.match(data)
        if found is None:
            raise ConfigurationError(f"{data!r} is no amount of data; such as 5GB, 500MB, 512")
        mb = round(float(found[1]) * (MB_PER_GB if found[2].lower() == "gb" else 1))
    return Bucket(mb, days, unlimited, exact, None if scope is None else Scope(scope), everything, triggers)


def _country(text: str) -> str:
    from providers.kit.places import country

    code = country(text)
    if code is None:
        raise ConfigurationError(f"{text!r} is no country")
    return code


# -- on the terminal


def _print_matrix(found: PriceMatrix) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from gateway.prices.price_tables import figure

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for column in found.suppliers:
        table.add_column(f"{column.name}{' (stale)' if column.stale else ''}", justify="right", no_wrap=True)
    table.add_column("beats the next by", justify="right")
    for row in found.data:
        cells = {cell.supplier: cell for cell in row.cells}
        first = row.cheapest
        shown = []
        for column in found.suppliers:
            cell = cells.get(column.name)
            words = "" if cell is None else _money(figure(cell, found.per)) + ("" if cell.selectable else " *")
            shown.append(Text(words, "bold green" if first and cell and cell.offer_id == first.offer_id else ""))
        lead = "" if first is None or first.by is None else f"{_money(first.by)} ({first.percent:g} %)"
        table.add_row(Text(f"{row.country} {row.name}"), *shown, lead)
    console = Console()
    console.print(table)
    if any(not cell.selectable for row in found.data for cell in row.cells):
        console.print("* cannot be sold now")


def _print_comparison(lines: list[Line]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column("", style="bold", no_wrap=True)
    for _ in lines[0].values:
        table.add_column("", overflow="fold")
    for line in lines:
        values = [
            Text(_line(f"{value} (lowest)" if at in line.best else value), "bold" if line.differ else "")
            for at, value in enumerate(line.values)
        ]
        table.add_row(f"≠ {line.label}" if line.differ else f"  {line.label}", *values)
    Console().print(table)


def _line(text: str) -> str:
    """Text of a supplier without what a terminal would obey."""
    return "".join(letter for letter in text if letter.isprintable())


def _money(price: Price | None) -> str:
    return "-" if price is None else price.amount
