"""``esim-gateway prices history|changes``: what suppliers asked over time, and what moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gateway.cli.connected import print_json, run_connected
from gateway.cli.declared import AsCsv, AsJson
from gateway.cli.operation_client import Gateway, run_at_gateway
from gateway.cli.sheets import print_csv, print_rows, print_sheet
from gateway.cli.state import StateDir
from gateway.cli.typed_values import country_code, moment
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.suppliers.deps import Deps
    from schemas.api_changes import ChangeSummary, PriceHistory

Since = Annotated[str | None, typer.Option(help="24h, 7d, 12w, 1y, or a date.", metavar="WHEN")]
Suppliers = Annotated[list[str] | None, typer.Option("--supplier", help="Only this supplier; may be repeated.")]
Kinds = Annotated[
    list[str] | None, typer.Option("--kind", help="Only up, down, price, new, gone or stock; may be repeated.")
]
OnlyMode = Annotated[Literal["live", "test"] | None, typer.Option("--mode", help="Only suppliers in this mode.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to a group."""
    app.command("history")(history)
    app.command("changes")(changes)


def history(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="A plan's id, or an offer's (off_…).")],
    supplier: Suppliers = None,
    since: Since = "30d",
    mode: OnlyMode = None,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Show what a plan's offers cost over time, and when their suppliers were not synced."""
    begin = moment(since or "30d")

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
            since=begin,
            mode=mode,
            suppliers=tuple(supplier or ()),
            offer_id=offer_id,
        )

    found = run_connected(state_dir, read)
    if found is None:
        raise ConfigurationError(f"no supplier has, or had in this time, {plan}")
    if as_json:
        print_json(found)
    else:
        _print_history(found, as_csv=as_csv)


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
    mode: OnlyMode = None,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Show what changed at the suppliers, the newest first: costs up and down, offers new and gone, stock."""
    import msgspec

    from gateway.prices.change_tables import CHANGES, of_summary
    from schemas.api_changes import Change, ChangeSummary

    begin = None if since is None and not summary else moment(since or "24h")
    narrowed: dict[str, Any] = {
        "mode": mode,
        "supplier": supplier,
        "since": None if begin is None else begin.isoformat(),
    }
    wanted: dict[str, Any] = {
        "kind": kind,
        "country": None if country is None else country_code(country),
        "plan_id": plan,
        "min_percent": min_percent,
        "min_amount": min_amount,
    }

    async def read(gateway: Gateway) -> Any:
        if summary:
            return await gateway.call("changes.sum_changes", **narrowed)
        return (await gateway.walk("changes.list_changes", most=limit, **narrowed, **wanted))["data"]

    found = run_at_gateway(state_dir, read, "changes")
    if as_json:
        print_json(found)
    elif not summary:
        print_rows(CHANGES, msgspec.convert(found, list[Change]), "nothing changed", as_csv=as_csv)
    elif as_csv:
        print_csv(of_summary(msgspec.convert(found, ChangeSummary)))
    else:
        _print_summary(msgspec.convert(found, ChangeSummary))


def _print_summary(found: ChangeSummary) -> None:
    from gateway.prices.change_tables import of_summary

    print(f"since {found.since:%Y-%m-%d %H:%M} UTC")
    print_sheet(of_summary(found))
    if not found.complete:
        print(f"countries: of the newest {found.looked_at} changes only")


def _print_history(found: PriceHistory, *, as_csv: bool) -> None:
    from gateway.prices.change_tables import history_columns, history_steps

    print_rows(history_columns(found.currency), history_steps(found), as_csv=as_csv)
    if as_csv:
        return
    for missed in found.gaps:
        for gap in missed.gaps:
            print(f"{missed.supplier} was not synced from {gap.since:%Y-%m-%d %H:%M} to {gap.until:%Y-%m-%d %H:%M}")
    if not found.complete:
        print("there is more than is shown here; narrow it with --supplier or --since")
