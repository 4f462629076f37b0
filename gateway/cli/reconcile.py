"""``esim-gateway reconcile``: the suppliers' books beside ours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.connected import print_json, run_connected
from gateway.cli.state import StateDir
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.ledger.reconcile import Reconciled
    from gateway.ledger.reconcile_rules import Difference
    from gateway.suppliers.deps import Deps

DIFFERENT = 3
NOT_COMPARED = 4
_FIRST_DAY = date(2000, 1, 1)

_WORDS = {
    "charge_without_attempt": "charged for an order that no attempt of ours knows",
    "not_settled": "charged for an attempt that is still open; it is followed",
    "charge_not_booked": "charged, and our ledger lacks it",
    "charge_not_found": "our ledger has a charge that the supplier does not show",
    "amount_differs": "the amounts differ",
    "refund_not_booked": "refunded, and our ledger lacks it",
    "refund_not_found": "our ledger has a refund that the supplier does not show",
    "movement_without_order": "money moved without an order",
    "balance_fell_more": "the balance fell by more than all orders of the time took together",
}
_PAID = {
    "not_judged": "written down a moment ago",
    "under_way": "its order is being bought; it is followed",
    "not_accepted": "for no order, and no review is open",
    "without_order": "without an order, and no review is open",
    "not_delivered": "its order was not delivered, and no review is open",
}


def reconcile(
    day: Annotated[
        str | None,
        typer.Option("--date", help="The day, UTC (2026-11-20) [today; after a restore, all days since the backup]."),
    ] = None,
    supplier: Annotated[list[str] | None, typer.Option(help="Only this supplier; may be repeated.")] = None,
    explain: Annotated[
        str | None, typer.Option(metavar="MOVEMENT", help="Note why this difference is right; with --supplier, --note.")
    ] = None,
    note: Annotated[str | None, typer.Option(help="Why it is right; kept.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    state_dir: StateDir = None,
) -> None:
    """Compare what the suppliers took and gave back with our ledger, and name every difference.

    Exit code 0: nothing is left to explain; 3: there are differences; 4: a supplier could not be compared. After
    `db restored` a clean run over all suppliers switches sending on again.
    """
    only = tuple(supplier or ())
    if explain is not None and (len(only) != 1 or not note):
        raise ConfigurationError("--explain needs one --supplier and a --note")
    chosen_day = _date(day)

    async def compare(deps: Deps) -> Reconciled:
        from gateway.ledger import reconcile as flow
        from gateway.ledger import reconcile_rows

        today = datetime.now(UTC).date()
        first = chosen_day or await reconcile_rows.restored_as_of(deps.pool) or today
        last = chosen_day or today
        if explain is not None:
            report = await flow.reconcile(deps, first, last, only)
            if not await flow.explain(deps, report, only[0], explain, note or ""):
                raise ConfigurationError(f"{only[0]} has no difference {explain} there")
        return await flow.reconcile(deps, first, last, only)

    report = run_connected(state_dir, compare)
    if as_json:
        print_json(report)
    else:
        _print(report)
    if any(part.state != "compared" for part in report.suppliers):
        raise typer.Exit(NOT_COMPARED)
    if not report.clean:
        raise typer.Exit(DIFFERENT)


def _date(text: str | None) -> date | None:
    try:
        day = None if text is None else date.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"--date: {text!r} is no day such as 2026-11-20") from None
    if day is not None and not _FIRST_DAY <= day <= datetime.now(UTC).date() + timedelta(days=1):
        raise ConfigurationError(f"--date: nothing was bought on {day}")
    return day


def _print(report: Reconciled) -> None:
    print(f"{report.first} to {report.last} (UTC)")
    for part in report.suppliers:
        said = part.error or f"{part.movements} movements, {len(part.differences)} differences"
        print(f"  {part.supplier}: {part.state}, {said}")
        for difference in part.differences:
            print(f"    {difference.at:%Y-%m-%d %H:%M:%S}  {_WORDS[difference.what]}: {_sums(difference)}")
            names = (difference.movement, difference.attempt or difference.reference, difference.order_id)
            print(f"      {'  '.join(name for name in names if name)}")
    for paid in report.payments:
        print(f"  payment {paid.payment_id} at {paid.account}: {paid.amount:f} {paid.currency}, {_PAID[paid.what]}")
        print(f"    {'  '.join(name for name in (paid.checkout_id, paid.order_id) if name)}")
    if report.sending_resumed:
        print("clean since the restore: sending is on again")


def _sums(difference: Difference) -> str:
    return f"theirs {difference.theirs or '-'}, ours {difference.ours or '-'}"
