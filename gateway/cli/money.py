"""``esim-gateway suppliers money``, ``transactions``, ``ledger``, ``deposit``, ``deposits``: our money at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.connected import print_json
from gateway.cli.declared import AsJson, Command, Option
from gateway.cli.operation_client import Gateway, run_at_gateway
from gateway.cli.sheets import print_rows
from gateway.cli.state import StateDir
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from schemas.api_money import SupplierMoney

DIFFERENT = 3
MOST = 1_000
_TABLES = "gateway.ledger.money_tables"


def _show_ledger(ledger: Any) -> None:
    from gateway.ledger.money_tables import LEDGER

    print_rows(LEDGER, ledger.data, "nothing moved in these days")
    if ledger.books is not None:
        print(f"\nread up to {ledger.books.whole_to or 'nowhere yet'}")


COMMANDS = {
    "transactions": Command(
        operation="money.list_transactions",
        help="Show the suppliers' statements, the newest first, as they were read.",
        table=f"{_TABLES}:TRANSACTIONS",
        nothing="nothing was read yet; a worker reads every ten minutes, `suppliers money --refresh` now",
        most=MOST,
    ),
    "ledger": Command(
        operation="money.get_ledger",
        help="""Compare a supplier's statement with the ledger. Exit code 3: there are differences.

        As far as the statement was read; `reconcile` reads it again.""",
        options={"last": Option(help="The last of them, UTC (2026-11-20) [today].")},
        table=f"{_TABLES}:LEDGER",
        show=_show_ledger,
        json=lambda raw: {name: raw[name] for name in ("data", "totals", "books")},
        code=lambda ledger: DIFFERENT if any(row.differences for row in ledger.totals) else 0,
    ),
    "deposits": Command(
        operation="money.list_deposits",
        help="Show deposits, the newest first.",
        table=f"{_TABLES}:DEPOSITS",
        nothing="no deposits yet",
        most=MOST,
    ),
}


def add_to(app: typer.Typer) -> None:
    """Add the commands that no operation is alone."""
    app.command()(money)
    app.command()(deposit)


def money(
    name: Annotated[str | None, typer.Argument(help="Only this supplier.")] = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask the suppliers now.")] = False,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Show our money at each supplier: balance, what can be spent now, how many days it lasts, how to fill it."""
    import msgspec

    from schemas.api_money import SupplierMoney

    async def read(gateway: Gateway) -> Any:
        if refresh:
            return await gateway.call("money.refresh_money", supplier=name)
        return await gateway.walk("money.list_money")

    found = run_at_gateway(state_dir, read, "money")["data"]
    found = [row for row in found if name in (None, row["balance"]["supplier"])]
    if name is not None and not found:
        raise ConfigurationError(f"there is no supplier {name}")
    if as_json:
        print_json(found)
    else:
        _show_money(msgspec.convert(found, list[SupplierMoney]))


def deposit(
    name: Annotated[str, typer.Argument(help="The supplier.")],
    way: Annotated[str, typer.Option(help="One of its ways; `suppliers money` lists them.")],
    amount: Annotated[str, typer.Option(help="How much (100 or 99.50).")],
    currency: Annotated[str, typer.Option(help="Of which currency.")] = "USD",
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Start a deposit and print its payment page. No money moves before it is paid."""
    paid = {"amount": amount, "currency": currency.upper()}

    async def begin(gateway: Gateway) -> Any:
        return await gateway.call("money.begin_deposit", supplier=name, way=way, amount=paid)

    made = run_at_gateway(state_dir, begin, "money")
    if as_json:
        print_json(made)
        return
    print(f"{made['id']}: {made['amount']['amount']} {made['amount']['currency']} to {name}\npay at {made['url']}")
    print("The balance is polled every minute for an hour; `suppliers money --refresh` polls it now.")


def _show_money(found: list[SupplierMoney]) -> None:
    from gateway.ledger.money_tables import MONEY

    print_rows(MONEY, found, "no supplier is configured")
    for row in found:
        for way in row.deposit_ways:
            how = f"suppliers deposit {row.balance.supplier} --way {way.name} --amount …" if way.online else "by hand"
            print(f"\n{row.balance.supplier}, {way.title}: {how}\n  {way.what_to_do}")
