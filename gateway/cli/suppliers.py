"""``esim-gateway suppliers``: what is known of each supplier, and whether it answers now."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.state import StateDir, database_url, settings_here

if TYPE_CHECKING:
    from gateway.kit.settings import Settings
    from gateway.suppliers.deps import Deps
    from schemas.api_suppliers import SupplierFigures

app = typer.Typer(help="The suppliers: what is known of them, and whether they answer.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
MOST = 1_000


@app.command("list")
def list_(as_json: AsJson = False, state_dir: StateDir = None) -> None:
    """Show each supplier's state, last sync, offers and breaker, as they stand in the database."""
    rows = asyncio.run(_stored(settings_here(state_dir)))
    _print(rows, as_json=as_json)


@app.command()
def figures(
    hours: Annotated[int, typer.Option(help="How far back orders are looked at.", min=1, max=720)] = 24,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Show how each supplier does: success, answers, rate left, what is open and stopped, our money there."""
    from gateway.cli.connected import print_json, run_connected

    async def read(deps: Deps) -> list[SupplierFigures]:
        from gateway.kit.pages import PageRequest
        from gateway.prices import supplier_figures

        return (await supplier_figures.figures(deps, PageRequest(MOST), hours=hours)).data

    rows = run_connected(state_dir, read)
    if as_json:
        print_json(rows)
        return
    _print([_line(row) for row in rows], as_json=False)


async def _stored(settings: Settings) -> list[dict[str, Any]]:
    import msgspec

    from gateway.kit.pool import open_pool
    from gateway.prices.supplier_states import of_settings
    from gateway.suppliers import supplier_rows
    from gateway.suppliers.state_rules import UNKNOWN

    pool = await open_pool(database_url(settings))
    try:
        rows, states = await supplier_rows.all_configured(pool), await of_settings(pool, settings)
    finally:
        await pool.close()
    return [
        msgspec.to_builtins(row) | {"state": state.state, "reason": state.words or None}
        for row, state in ((row, states.get(row.name, UNKNOWN)) for row in rows)
    ]


def _line(row: SupplierFigures) -> dict[str, Any]:
    from gateway.suppliers.state_rules import described

    one, orders, money = row.supplier, row.orders, row.balance
    rate = orders.success_rate
    limit, left = one.rate_limit.reported_limit or one.rate_limit.per_minute, one.rate_limit.remaining
    return {
        "name": one.name,
        "mode": one.mode,
        "state": one.state,
        "breaker": one.breaker.state,
        "orders": orders.attempts,
        "success": None if rate is None else f"{rate:.1%}",
        "p50": None if orders.p50_ms is None else f"{orders.p50_ms} ms",
        "p95": None if orders.p95_ms is None else f"{orders.p95_ms} ms",
        "open": row.open_attempts,
        "rate left": None if limit is None else f"{'?' if left is None else left}/{limit}",
        "offers": one.offers,
        "catalogue": row.freshness,
        "balance": None if money.spendable is None else f"{money.spendable.amount} {money.spendable.currency}",
        "days left": money.days_left,
        "reason": described(one.problems[0]) if one.problems else None,
    }


def _print(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    from gateway.cli.connected import print_json
    from gateway.cli.sheets import print_table

    if as_json:
        print_json(rows)
    else:
        print_table(rows, "no supplier is configured")
