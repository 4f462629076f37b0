"""``esim-gateway prices history|changes``: what suppliers asked over time, and what moved."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gateway.cli.connected import print_json, run_connected
from gateway.cli.prices import AsCsv, AsJson
from gateway.cli.sheets import print_csv
from gateway.cli.state import StateDir
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gateway.prices.change_rules import ChangeFilter, ChangeKind
    from gateway.suppliers.deps import Deps
    from schemas.api import Price
    from schemas.api_changes import Change, ChangeSummary, PriceHistory

Since = Annotated[str | None, typer.Option(help="24h, 7d, 12w, 1y, or a date.", metavar="WHEN")]
Suppliers = Annotated[list[str] | None, typer.Option("--supplier", help="Only this supplier; may be repeated.")]
Kinds = Annotated[
    list[str] | None, typer.Option("--kind", help="Only up, down, price, new, gone or stock; may be repeated.")
]
Side = Annotated[Literal["live", "test"] | None, typer.Option("--mode", help="Only suppliers in this mode.")]
_A_PAGE = 200
_STYLES = {"up": "red", "down": "green", "gone": "dim"}


def add_to(app: typer.Typer) -> None:
    """Add these commands to a group."""
    app.command("history")(history)
    app.command("changes")(changes)


def history(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="A plan's id, or an offer's (off_…).")],
    supplier: Suppliers = None,
    since: Since = "30d",
    mode: Side = None,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Show what a plan's offers cost over time, and when their suppliers were not synced."""
    moment = _moment(since or "30d")

    async def read(deps: Deps) -> PriceHistory | None:
        from gateway.prices.history import plan_of, price_history

        offer_id = plan if plan.startswith("off_") else None
        plan_id = plan if offer_id is None else await plan_of(deps.pool, offer_id)
        if plan_id is None:
            return None
        return await price_history(
            deps.pool,
            deps.settings,
            plan_id,
            since=moment,
            mode=mode,
            suppliers=tuple(supplier or ()),
            offer_id=offer_id,
        )

    found = run_connected(state_dir, read)
    if found is None:
        raise ConfigurationError(f"no supplier has, or had in this time, {plan}")
    if as_json:
        print_json(found)
    elif as_csv:
        from gateway.prices.change_tables import of_history

        print_csv(of_history(found))
    else:
        _print_history(found)


def changes(
    kind: Kinds = None,
    supplier: Suppliers = None,
    country: Annotated[str | None, typer.Option(help="Only offers that cover this country.")] = None,
    plan: Annotated[str | None, typer.Option("--plan", help="Only this plan's offers.", metavar="PLAN")] = None,
    since: Since = None,
    min_percent: Annotated[str | None, typer.Option(help="Costs that moved by so many percent or more.")] = None,
    min_amount: Annotated[str | None, typer.Option(help="Costs that moved by so much, in base currency.")] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=10_000)] = 50,
    summary: Annotated[bool, typer.Option("--summary", help="Sums by supplier and country, since 24h ago.")] = False,
    mode: Side = None,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Show what changed at the suppliers, the newest first: costs up and down, offers new and gone, stock."""
    from gateway.prices.change_rules import ChangeFilter

    wanted = ChangeFilter(
        kinds=_kinds(kind or ()),
        suppliers=tuple(dict.fromkeys(supplier or ())),
        mode=mode,
        country=None if country is None else _country(country),
        plan_id=plan,
        since=None if since is None else _moment(since),
        min_percent=_figure(min_percent),
        min_amount=_figure(min_amount),
    )
    if summary:
        _summary(wanted.since or _moment("24h"), wanted, state_dir, as_csv=as_csv, as_json=as_json)
        return

    async def read(deps: Deps) -> list[Change]:
        from gateway.kit.pages import PageRequest
        from gateway.prices.changes import feed

        base, cursor = deps.settings.base_currency, None
        found: list[Change] = []
        while len(found) < limit:
            page = await feed(deps.pool, base, wanted, PageRequest(min(_A_PAGE, limit - len(found)), cursor))
            found += page.data
            cursor = page.next_cursor
            if cursor is None:
                break
        return found

    found = run_connected(state_dir, read)
    if as_json:
        print_json(found)
    elif as_csv:
        from gateway.prices.change_tables import of_changes

        print_csv(of_changes(found))
    else:
        _print_changes(found)


def _summary(since: datetime, wanted: ChangeFilter, state_dir: Path | None, *, as_csv: bool, as_json: bool) -> None:
    async def read(deps: Deps) -> ChangeSummary:
        from gateway.prices.changes import summary

        base = deps.settings.base_currency
        return await summary(deps.pool, base, since, mode=wanted.mode, suppliers=wanted.suppliers)

    found = run_connected(state_dir, read)
    if as_json:
        print_json(found)
    elif as_csv:
        from gateway.prices.change_tables import of_summary

        print_csv(of_summary(found))
    else:
        _print_summary(found)


def _kinds(words: Sequence[str]) -> frozenset[ChangeKind]:
    from gateway.prices.change_rules import KINDS

    if unknown := [word for word in words if word not in KINDS]:
        raise ConfigurationError(f"{unknown[0]!r} is no kind of change; kinds are {', '.join(KINDS)}")
    return frozenset(kind for kind in KINDS if kind in words)


def _moment(text: str) -> datetime:
    from gateway.kit.since import since

    found = since(text, datetime.now(UTC))
    if found is None:
        raise ConfigurationError(f"{text!r} is no time; such as 24h, 7d, 2026-11-20")
    return found


def _figure(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or found < 0:
        raise ConfigurationError(f"{text!r} is no figure of 0 or more")
    return found


def _country(text: str) -> str:
    from providers.kit.places import country

    code = country(text)
    if code is None:
        raise ConfigurationError(f"{text!r} is no country")
    return code


# -- on the terminal


def _print_changes(found: list[Change]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from gateway.prices.change_tables import note

    if not found:
        print("nothing changed", file=sys.stderr)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, justify in (("when", "left"), ("", "left"), ("supplier", "left"), ("plan", "left"), ("was", "right")):
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("is", justify="right", no_wrap=True)
    table.add_column("by", justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for one in found:
        share = "" if one.percent is None else f"{one.percent:+g} %"
        table.add_row(
            f"{one.at:%Y-%m-%d %H:%M}",
            Text(one.kind, _STYLES.get(one.kind, "")),
            Text(one.supplier),
            Text(one.plan_id),
            _money(one.old),
            _money(one.new),
            share,
            Text(" ".join(filter(None, (note(one), one.name or one.supplier_plan_id)))),
        )
    Console().print(table)


def _print_summary(found: ChangeSummary) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    console.print(f"since {found.since:%Y-%m-%d %H:%M} UTC")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "up", "down", "new", "gone", "in stock", "out", "good syncs", "failed", "held"):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for one in found.suppliers:
        figures = (one.up, one.down, one.new, one.gone, one.in_stock, one.out_of_stock)
        syncs = (one.good, one.failed, one.quarantined)
        table.add_row(Text(one.supplier), *map(str, (*figures, *syncs)))
    for country in found.countries:
        table.add_row(Text(country.country), *map(str, (country.up, country.down, country.new, country.gone)))
    console.print(table)
    if not found.complete:
        console.print(f"countries: of the newest {found.looked_at} changes only")


def _print_history(found: PriceHistory) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("supplier", "offer", "from"):
        table.add_column(name, no_wrap=True)
    for name in ("cost", f"in {found.currency}"):
        table.add_column(name, justify="right", no_wrap=True)
    for offer in found.offers:
        first = True
        for step in reversed(offer.steps):
            named = (Text(offer.supplier, "bold"), Text(offer.supplier_plan_id)) if first else ("", "")
            cost = "not listed" if step.cost is None else f"{step.cost.amount} {step.cost.currency}"
            table.add_row(*named, f"{step.at:%Y-%m-%d %H:%M}", cost, _money(step.cost_base, currency=False))
            first = False
    console.print(table)
    for one in found.gaps:
        for gap in one.gaps:
            console.print(
                f"{one.supplier} was not synced from {gap.since:%Y-%m-%d %H:%M} to {gap.until:%Y-%m-%d %H:%M}"
            )
    if not found.complete:
        console.print("there is more than is shown here; narrow it with --supplier or --since")


def _money(price: Price | None, *, currency: bool = True) -> str:
    if price is None:
        return "-"
    return f"{price.amount} {price.currency}" if currency else price.amount
