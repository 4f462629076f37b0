"""``esim-gateway pricing``: by which rules costs become prices, and what another rule would do."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from gateway.cli.connected import print_json, run_connected
from gateway.cli.prices import AsCsv, AsJson, Side
from gateway.cli.sheets import print_csv
from gateway.cli.state import StateDir
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.access.key_rows import Mode
    from gateway.kit.sheet import Sheet
    from gateway.suppliers.deps import Deps
    from schemas.api import Price
    from schemas.api_pricing import MarginPage, PriceMove, PricingPreview, PricingRulePage

T = TypeVar("T")

app = typer.Typer(help="Pricing rules: which cost becomes which price.", no_args_is_help=True)


@app.command("list")
def list_(as_csv: AsCsv = False, as_json: AsJson = False, state_dir: StateDir = None) -> None:
    """Show the rules in order; the first that matches an offer prices it, the default what is left."""

    async def read(deps: Deps) -> PricingRulePage:
        from gateway.pricing.edit_rules import every

        return await every(deps.pool, deps.settings)

    found = run_connected(state_dir, read)
    if as_json:
        print_json(found)
    elif as_csv:
        from gateway.pricing.pricing_tables import of_rules

        print_csv(of_rules(found))
    else:
        _print_rules(found)


@app.command()
def preview(
    rule: Annotated[
        str,
        typer.Argument(metavar="RULE", help='A rule as JSON: {"name": "Europe", "percent": "18"}; - reads it.'),
    ] = "",
    rule_id: Annotated[str | None, typer.Option("--id", help="Instead of the rule with this id.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="What taking out the rule with --id would do.")] = False,
    storefront: Annotated[str | None, typer.Option(help="For this storefront's prices.")] = None,
    currency: Annotated[str | None, typer.Option(help="In this currency.")] = None,
    mode: Side = None,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Show what a rule would do to the prices of the whole catalogue. Nothing is changed."""
    asked = _asked(rule, rule_id, storefront, currency, remove=remove)

    async def read(deps: Deps) -> PricingPreview:
        from gateway.catalog.browse import Catalog
        from gateway.kit.problem import Problem
        from gateway.prices.pricing_preview import preview as look
        from schemas.api_pricing import PreviewRequest

        side = side_of(deps, mode)
        catalog = await Catalog.open(deps.settings, deps.pool, None)
        try:
            found = await look(deps.pool, deps.settings, catalog.index, _converted(asked, PreviewRequest), side)
        finally:
            await catalog.close()
        if isinstance(found, Problem):
            raise ConfigurationError(found.detail)
        return found

    found = run_connected(state_dir, read)
    if as_json:
        print_json(found)
    elif as_csv:
        from gateway.pricing.pricing_tables import of_examples

        print_csv(of_examples(found))
    else:
        _print_preview(found)


@app.command("margins")
def margins_(
    only: Annotated[
        Literal["negative", "thin"] | None, typer.Option(help="Only losses, or what its price keeps from sale.")
    ] = None,
    supplier: Annotated[str | None, typer.Option(help="Only this supplier.")] = None,
    country: Annotated[str | None, typer.Option(help="Only offers that cover it.")] = None,
    storefront: Annotated[str | None, typer.Option(help="By this storefront's prices.")] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=100_000)] = 50,
    mode: Side = None,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Show what is left of each price after fees and cost, the negative and thin ones first."""
    code = None if country is None else country_code(country)

    async def read(deps: Deps) -> tuple[MarginPage, Sheet]:
        from gateway.catalog.browse import Catalog
        from gateway.catalog.index.margins import MarginQuery
        from gateway.kit.pages import PageRequest
        from gateway.prices import margins
        from gateway.pricing import edit_rules

        whose = None
        if storefront is not None and (whose := await edit_rules.storefront_of(deps.pool, storefront)) is None:
            raise ConfigurationError(f"there is no storefront {storefront}")
        asked = MarginQuery(supplier=supplier, country=code, negative=only == "negative", thin=only == "thin")
        fees = margins.fees_of(deps.settings)
        catalog = await Catalog.open(deps.settings, deps.pool, None)
        try:
            index = catalog.index(side_of(deps, mode), whose)
            page = margins.page(index, fees, asked, PageRequest(limit))
            return page, margins.sheet(index, fees, asked, limit if as_csv else 0)
        finally:
            await catalog.close()

    found, sheet = run_connected(state_dir, read)
    if as_json:
        print_json(found)
    elif as_csv:
        print_csv(sheet)
    else:
        _print_margins(found)


def side_of(deps: Deps, mode: Mode | None) -> Mode:
    """The mode that is asked for; else live where there are live suppliers."""
    configured = {account.settings.mode for account in deps.accounts.values()}
    return mode or ("live" if "live" in configured or not configured else "test")


def country_code(text: str) -> str:
    """A country by its code or name. Raises ``ConfigurationError``."""
    from providers.kit.places import country

    code = country(text)
    if code is None:
        raise ConfigurationError(f"{text!r} is no country")
    return code


def _asked(
    rule: str, rule_id: str | None, storefront: str | None, currency: str | None, *, remove: bool
) -> dict[str, object]:
    import json

    asked: dict[str, object] = {"id": rule_id, "remove": remove, "storefront": storefront, "currency": currency}
    text = sys.stdin.read() if rule == "-" else rule
    if text:
        try:
            asked["rule"] = json.loads(text)
        except ValueError as error:
            raise ConfigurationError(f"the rule is no JSON: {error}") from None
    return asked


def _converted(asked: dict[str, object], kind: type[T]) -> T:
    import msgspec

    try:
        return msgspec.convert(asked, kind)
    except msgspec.ValidationError as error:
        raise ConfigurationError(str(error)) from None


# -- on the terminal


def _print_rules(found: PricingRulePage) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from gateway.pricing.pricing_tables import conditions

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", justify="right")
    for name in ("rule", "for", "dates", "id"):
        table.add_column(name, overflow="fold")
    for one in found.data:
        style = "" if one.state == "in_force" else "dim"
        words = one.words.partition(": ")[2]
        row = (words, conditions(one), _dates(one.valid_from, one.valid_until, one.state), one.id)
        table.add_row(str(one.position), *(Text(cell, style) for cell in row))
    table.add_row("", Text(found.default.words), "everything else", "", "")
    Console().print(table)


def _dates(begin: datetime | None, end: datetime | None, state: Literal["in_force", "waiting", "over", "off"]) -> str:
    days = "".join(f" {word} {at:%Y-%m-%d %H:%M}" for word, at in (("from", begin), ("until", end)) if at is not None)
    return ("" if state == "in_force" else state) + days


def _print_preview(found: PricingPreview) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    whose = found.storefront or "storefronts without rules of their own"
    print(f"For {whose} ({found.mode}), in {found.currency}:")
    print(f"  {found.rise.count} prices rise{_far(found.rise)}, {found.fall.count} fall{_far(found.fall)},")
    print(f"  {found.same} stay; {found.end} plans are no longer sold, {found.begin} are sold again.")
    print(f"  Offers whose price does not cover them: {found.thin_before} now, {found.thin_after} then.")
    for one in found.priced_by:
        print(f"  {one.offers:>8} offers by {_plain(one.words)}")
    if not found.examples:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("plan", "supplier", "cost", "before", "after", ""):
        table.add_column(name, justify="right" if name in {"cost", "before", "after", ""} else "left")
    for example in found.examples:
        percent = "" if example.percent is None else f"{example.percent:+g} %"
        prices = (_amount(example.cost_base), _amount(example.before), _amount(example.after))
        table.add_row(Text(_plain(example.name)), example.supplier, *prices, percent)
    Console().print(table)


def _print_margins(found: MarginPage) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    summary = found.summary
    median = "" if summary.median_percent is None else f", median {summary.median_percent:g} %"
    print(f"{summary.offers} offers{median}; {summary.negative} at a loss, {summary.thin} too thin to be sold")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("plan", "supplier"):
        table.add_column(name, overflow="fold")
    for name in ("cost", "price", "fees", "margin", "%"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("priced by", overflow="fold")
    for one in found.data:
        style = "red" if one.negative else "yellow" if one.why_not == "thin_margin" else ""
        figures = (one.cost_base, one.price, one.fees, one.margin)
        cells = [*(figure.amount for figure in figures), f"{one.margin_percent:g}"]
        row = (_plain(one.name), one.supplier, *cells, _plain(one.price_rule))
        table.add_row(*(Text(cell, style) for cell in row))
    Console().print(table)


def _far(move: PriceMove) -> str:
    if move.median is None or move.most is None:
        return ""
    return (
        f" (median {move.median.amount}, {move.median_percent:g} %; most {move.most.amount}, {move.most_percent:g} %)"
    )


def _amount(price: Price | None) -> str:
    return "-" if price is None else price.amount


def _plain(text: str) -> str:
    """Text without what a terminal would obey."""
    return "".join(letter for letter in text if letter.isprintable())
