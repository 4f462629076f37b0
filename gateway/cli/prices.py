"""``esim-gateway prices``: what suppliers ask, side by side, on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from gateway.cli import prices_history
from gateway.cli.connected import print_json, run_connected
from gateway.cli.declared import AsCsv, AsJson, Command, ModeOption, Option, command_group
from gateway.cli.sheets import print_csv
from gateway.cli.state import StateDir
from gateway.cli.typed_values import country_code, country_codes, megabytes
from gateway.kit.sheet import printable
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.access.key_rows import Mode
    from gateway.catalog.index import Index
    from gateway.prices.comparison_rules import Line
    from gateway.suppliers.deps import Deps
    from schemas.api import Price
    from schemas.api_prices import Comparison, PriceMatrix

R = TypeVar("R")

Amount = Annotated[str | None, typer.Option("--data", help="At least so much: 5GB, 500MB, or MB.", metavar="AMOUNT")]
Days = Annotated[int | None, typer.Option(help="For at least so many days.", min=1, max=10_000)]
Unlimited = Annotated[bool, typer.Option("--unlimited", help="Only plans whose data goes on, be it slower.")]
Exact = Annotated[bool, typer.Option("--exact", help="Just that amount and just so many days.")]
Reach = Annotated[
    Literal["country", "region", "global"] | None, typer.Option("--scope", help="Only plans of this reach.")
]
Triggers = Annotated[
    bool, typer.Option("--triggers", help="In test mode: plans on which a sandbox goes wrong on purpose, too.")
]


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
        texts = []
        for column in found.suppliers:
            cell = cells.get(column.name)
            text = "" if cell is None else _amount(figure(cell, found.per)) + ("" if cell.selectable else " *")
            texts.append(Text(text, "bold green" if first and cell and cell.offer_id == first.offer_id else ""))
        lead = "" if first is None or first.by is None else f"{_amount(first.by)} ({first.percent:g} %)"
        table.add_row(Text(f"{row.country} {row.name}"), *texts, lead)
    console = Console()
    console.print(table)
    if any(not cell.selectable for row in found.data for cell in row.cells):
        console.print("* cannot be sold now")


def _amount(price: Price | None) -> str:
    return "-" if price is None else price.amount


app = command_group(
    "What suppliers ask: who is cheapest where, and offers side by side.",
    {
        "matrix": Command(
            operation="prices.list_prices",
            help="""Show of each country and supplier the offer that a need would buy there, in base currency.

            The cheapest of a row stands in bold, with by how much it beats the next.""",
            csv="gateway.prices.price_tables:of_matrix",
            options={
                "data_mb": Option("--data", "At least so much: 5GB, 500MB, or MB.", parse=megabytes, metavar="AMOUNT"),
                "country": Option(help="Only this country (JP); repeatable.", parse=country_codes),
                "region": Option(help="Only countries of this region (europe)."),
                "mode": Option(help="Mode of the suppliers; live where there are some, or the key's own mode."),
            },
            show=_print_matrix,
            page=50,
            with_catalog=True,
        ),
    },
)
prices_history.add_to(app)


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
    mode: ModeOption = None,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Show offers side by side: networks, activation, fair use, cost; what differs is marked.

    Offers by id, or with --country (and --data, --days) the cheapest of each supplier.
    """
    from gateway.catalog.index.matrix import Bucket
    from schemas.plan import Scope

    mb = None if data is None else megabytes(data)
    bucket = Bucket(mb, days, unlimited, exact, None if scope is None else Scope(scope), triggers=triggers)
    code = None if country is None else country_code(country)

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
        compared = await prices.compare(deps.pool, index, ids, days)
        if not compared.data:
            raise ConfigurationError("none of these is in the catalogue; `prices matrix --json` has ids of offers")
        return compared

    found = _from_catalog(state_dir, mode, read)
    for offer_id in found.missing:
        print(f"{offer_id} is not in the catalogue", file=sys.stderr)
    if as_json:
        print_json(found)
    else:
        from gateway.prices.comparison_rules import lines
        from gateway.prices.price_tables import of_comparison

        table = lines(found.data, code)
        if as_csv:
            print_csv(of_comparison(table))
        else:
            _print_comparison(table)


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
            Text(printable(f"{value} (lowest)" if at in line.best else value), "bold" if line.differ else "")
            for at, value in enumerate(line.values)
        ]
        table.add_row(f"≠ {line.label}" if line.differ else f"  {line.label}", *values)
    Console().print(table)
