"""``esim-gateway suppliers money``, ``transactions``, ``ledger``, ``deposit``, ``deposits``: our money at them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.connected import agreed, print_json, run_connected, who
from gateway.cli.sheets import print_table
from gateway.cli.state import StateDir
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.kit.problem import Problem
    from gateway.suppliers.deps import Deps
    from schemas.api import Price
    from schemas.api_money import DepositShown, SupplierLedgerPage, SupplierMoney, SupplierTransaction

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DIFFERENT = 3
MOST = 1_000


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    for name, command in (
        ("money", money),
        ("transactions", transactions),
        ("ledger", ledger),
        ("deposit", deposit),
        ("deposits", deposits),
    ):
        app.command(name)(command)


def money(
    name: Annotated[str | None, typer.Argument(help="Only this supplier.")] = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask the suppliers now.")] = False,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Show our money at each supplier: balance, what can be spent now, how many days it lasts, how to fill it."""

    async def read(deps: Deps) -> list[SupplierMoney]:
        from gateway.ledger import money as flow

        names = _named(deps, name)
        if refresh:
            await flow.refresh(deps, names)
        return await flow.of(deps, names)

    rows = run_connected(state_dir, read)
    if as_json:
        print_json(rows)
        return
    print_table([_money_line(row) for row in rows], "no supplier is configured")
    for row in rows:
        for way in row.deposit_ways:
            how = f"suppliers deposit {row.balance.supplier} --way {way.name} --amount …" if way.online else "by hand"
            print(f"\n{row.balance.supplier}, {way.title}: {how}\n  {way.what_to_do}")


def transactions(
    supplier: Annotated[str | None, typer.Option(help="Only this supplier.")] = None,
    kind: Annotated[str | None, typer.Option(help="charge, refund, deposit, adjustment or other.")] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=MOST)] = 50,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Show the suppliers' own books, the newest first, as they were read."""

    async def read(deps: Deps) -> list[SupplierTransaction]:
        from gateway.kit.pages import PageRequest
        from gateway.ledger import money as flow

        return (await flow.transactions(deps, PageRequest(limit), supplier=supplier, kind=kind)).data

    rows = run_connected(state_dir, read)
    if as_json:
        print_json(rows)
        return
    table = [
        {
            "at": f"{row.at:%Y-%m-%d %H:%M:%S}",
            "supplier": row.supplier,
            "kind": row.kind,
            "amount": _money(row.amount),
            "order": row.supplier_order_id,
            "transaction": row.transaction_id,
        }
        for row in rows
    ]
    print_table(table, "nothing was read yet; a worker reads every ten minutes, `suppliers money --refresh` now")


def ledger(
    name: Annotated[str, typer.Argument(help="The supplier.")],
    days: Annotated[int, typer.Option(help="How many days.", min=1, max=92)] = 7,
    last: Annotated[str | None, typer.Option(help="The last of them, UTC (2026-11-20) [today].")] = None,
    differing: Annotated[bool, typer.Option("--differing", help="Only what differs or is open.")] = False,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Show a supplier's books beside ours, each difference by name. Exit code 3: something differs.

    As far as its books were read; `reconcile` asks the supplier anew.
    """
    given = _day(last)

    async def read(deps: Deps) -> SupplierLedgerPage | None:
        from gateway.kit.pages import PageRequest
        from gateway.ledger import money as flow

        until = given or flow.usual_days(deps.clock())[1]
        begin = until - timedelta(days=days - 1)
        return await flow.ledger(deps, name, begin, until, PageRequest(MOST), differing=differing)

    found = run_connected(state_dir, read)
    if found is None:
        raise ConfigurationError(f"there is no supplier {name}")
    if as_json:
        print_json({"data": found.data, "totals": found.totals, "books": found.books})
    else:
        table = [
            {
                "at": f"{row.at:%Y-%m-%d %H:%M:%S}",
                "kind": row.kind,
                "verdict": row.verdict if row.why in (None, row.verdict) else f"{row.verdict}: {row.why}",
                "theirs": _money(row.theirs),
                "ours": _money(row.ours),
                "order": row.order_id,
                "movement": row.movement,
            }
            for row in found.data
        ]
        print_table(table, "nothing moved in these days")
        print("" if found.books is None else f"\nread up to {found.books.whole_to or 'nowhere yet'}")
    if any(row.differences for row in found.totals):
        raise typer.Exit(DIFFERENT)


def deposit(
    name: Annotated[str, typer.Argument(help="The supplier.")],
    way: Annotated[str, typer.Option(help="One of its ways; `suppliers money` lists them.")],
    amount: Annotated[str, typer.Option(help="How much (100 or 99.50).")],
    currency: Annotated[str, typer.Option(help="Of which currency.")] = "USD",
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Begin a deposit: prints the page at which a person pays. No money moves before that."""
    from gateway.kit.problem import Problem
    from schemas.money import Money

    try:
        asked = Money.of(Decimal(amount), currency.upper())
    except (InvalidOperation, ValueError):
        raise ConfigurationError(f"--amount: {amount!r} is no amount such as 99.50") from None

    async def begin(deps: Deps) -> DepositShown | Problem:
        from gateway.ledger import deposits as flow
        from gateway.ledger.money import deposit_shown

        made = await flow.begin(deps, name, way, asked, who())
        return made if isinstance(made, Problem) else deposit_shown(made)

    made = run_connected(state_dir, begin)
    if isinstance(made, Problem):
        agreed(made)
        return
    if as_json:
        print_json(made)
        return
    print(f"{made.id}: {_money(made.amount)} to {name}\npay at {made.url}")
    print("The balance is looked at every minute for an hour; `suppliers money --refresh` looks now.")


def deposits(
    supplier: Annotated[str | None, typer.Option(help="Only this supplier.")] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=MOST)] = 50,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Show deposits that somebody began, the newest first."""

    async def read(deps: Deps) -> list[DepositShown]:
        from gateway.kit.pages import PageRequest
        from gateway.ledger import money as flow

        return (await flow.deposits_begun(deps, PageRequest(limit), supplier=supplier)).data

    rows = run_connected(state_dir, read)
    if as_json:
        print_json(rows)
        return
    table = [
        {
            "begun": f"{row.begun_at:%Y-%m-%d %H:%M:%S}",
            "by": row.begun_by,
            "supplier": row.supplier,
            "way": row.way,
            "amount": _money(row.amount),
            "state": row.state,
            "page": row.url if row.state == "begun" else row.error,
        }
        for row in rows
    ]
    print_table(table, "nobody began a deposit")


def _named(deps: Deps, name: str | None) -> list[str]:
    if name is None:
        return sorted(deps.accounts)
    if name not in deps.accounts:
        raise ConfigurationError(f"there is no supplier {name}")
    return [name]


def _money_line(row: SupplierMoney) -> dict[str, Any]:
    one = row.balance
    return {
        "supplier": one.supplier,
        "balance": _money(one.balance),
        "spendable": _money(one.spendable),
        "now": _money(one.room),
        "reserved": _money(one.reserved),
        "credit": _money(one.credit),
        "wallets": ", ".join(f"{wallet.name}: {wallet.amount}" for wallet in one.wallets) or None,
        "days left": one.days_left,
        "seen": None if one.at is None else f"{one.at:%Y-%m-%d %H:%M}",
        "why none": one.why_none or one.error,
    }


def _money(amount: Price | None) -> str | None:
    return None if amount is None else f"{amount.amount} {amount.currency}"


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"--last: {text!r} is no day such as 2026-11-20") from None
