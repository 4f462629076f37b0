"""``esim-gateway suppliers``: what is known of each supplier, and whether it answers now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.cli import supplier_accounts, supplier_money
from gateway.cli.connected import print_json, run_on_database
from gateway.cli.declared import AsJson, Command, command_group
from gateway.cli.sheets import print_table
from gateway.cli.state import StateDir, settings_here

if TYPE_CHECKING:
    from gateway.kit.pool import Pool
    from gateway.kit.settings import Settings


app = command_group(
    "The suppliers: what is known of them, and whether they answer.",
    {
        "figures": Command(
            operation="suppliers.list_supplier_figures",
            help="Show how each supplier does: success, answers, rate left, what is open and stopped, our money there.",
            table="gateway.prices.supplier_tables:FIGURES",
            nothing="no supplier is configured",
        ),
        **supplier_money.COMMANDS,
    },
)
supplier_accounts.add_to(app)
supplier_money.add_to(app)


@app.command("list")
def list_(as_json: AsJson = False, state_dir: StateDir = None) -> None:
    """Show each supplier's state, last sync, offers and breaker, as they stand in the database."""
    rows = run_on_database(state_dir, lambda pool: _stored(pool, settings_here(state_dir)))
    if as_json:
        print_json(rows)
    else:
        print_table(rows, "no supplier is configured")


async def _stored(pool: Pool, settings: Settings) -> list[dict[str, Any]]:
    import msgspec

    from gateway.prices.supplier_states import of_settings
    from gateway.suppliers import supplier_rows
    from gateway.suppliers.state_rules import UNKNOWN

    rows, states = await supplier_rows.all_configured(pool), await of_settings(pool, settings)
    return [
        msgspec.to_builtins(row) | {"state": state.state, "reason": state.description or None}
        for row, state in ((row, states.get(row.name, UNKNOWN)) for row in rows)
    ]
