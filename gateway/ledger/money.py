"""Our money at the suppliers for console, API and command line: balances, statements beside the ledger, deposits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

import msgspec

from gateway.access.key_rows import Mode
from gateway.kit.pages import PageRequest, price_of
from gateway.ledger import alike_rows, deposit_rows, deposits, supplier_statements
from gateway.ledger import supplier_statement_rows as rows
from gateway.ledger.alike_rows import AgreeingSum
from gateway.ledger.ledger_view_rules import DIFFERENT, Line
from gateway.ledger.reconcile_rules import Day
from gateway.ledger.supplier_statement_rows import StoredStatementLine, Walk
from gateway.suppliers import balances, supplier_list_rows
from gateway.suppliers.accounts import Account
from gateway.suppliers.deps import Deps
from providers.contract import Capability
from schemas.api import Price
from schemas.api_money import (
    BooksRead,
    DepositShown,
    SupplierDepositWay,
    SupplierLedgerLine,
    SupplierLedgerPage,
    SupplierLedgerTotal,
    SupplierMoney,
    SupplierTransaction,
)
from schemas.money import Money
from schemas.page import Page

MOST_DAYS = 92
USUAL_DAYS = 7
REFRESH_SECONDS = 25.0


async def of_all(deps: Deps, page_request: PageRequest, mode: Mode | None = None) -> Page[SupplierMoney]:
    """Our money at each supplier, by name."""
    found = await supplier_list_rows.suppliers(deps.pool, page_request, supplier_list_rows.SupplierContext(), mode)
    return found.of(await of(deps, [supplier.name for supplier in found.data]))


async def of(deps: Deps, names: Sequence[str]) -> list[SupplierMoney]:
    """Our money at these suppliers, in their order."""
    known = await balances.of_accounts(deps, names)
    walks = await rows.walks(deps.pool, names)
    return [
        SupplierMoney(
            known[name],
            [SupplierDepositWay(**msgspec.structs.asdict(way)) for way in deposits.ways(deps.accounts.get(name))],
            _statement_reading(deps.accounts.get(name)),
            _read(walks.get(name)),
        )
        for name in names
    ]


async def refresh(deps: Deps, names: Sequence[str] | None = None, seconds: float = REFRESH_SECONDS) -> None:
    """Ask for balances and read the books at once; whoever has not told after so long is left for the schedule."""
    try:
        async with asyncio.timeout(seconds):
            await supplier_statements.refresh(deps, names)
    except TimeoutError:
        return


async def transactions(
    deps: Deps,
    page_request: PageRequest,
    *,
    supplier: str | None = None,
    kind: str | None = None,
    since: datetime | None = None,
    mode: Mode | None = None,
) -> Page[SupplierTransaction]:
    """The suppliers' books as they were read, the newest first."""
    found = await rows.listed(deps.pool, page_request, supplier=supplier, kind=kind, since=since, mode=mode)
    return found.map(_transaction)


async def ledger(
    deps: Deps, name: str, first: date, last: date, page_request: PageRequest, *, differing: bool = False
) -> SupplierLedgerPage | None:
    """A supplier's books beside ours for the days from ``first`` to ``last`` (UTC); None for no such supplier.

    ``differing``: only the lines that an operator has to look into, or that are open.
    """
    if not await supplier_list_rows.is_supplier(deps.pool, name):
        return None
    day = Day(datetime.combine(first, time(), UTC), datetime.combine(last + timedelta(days=1), time(), UTC))
    found = await supplier_statements.ledger(deps, name, day, None if differing else page_request)
    others = [line for line in found.others if not differing or line.verdict in {*DIFFERENT, "open"}]
    oldest_first = page_request.sort is not None
    wanted = [*_behind(others, alike_rows.SORTS.position(page_request), oldest_first=oldest_first), *found.agreeing]
    key = alike_rows.SORTS.key(page_request)
    page = page_request.page(
        sorted(wanted, key=_place, reverse=not oldest_first),
        lambda line: key({"at": line.at, "movement": line.movement}),
    ).map(_line)
    walk = (await rows.walks(deps.pool, [name])).get(name)
    return SupplierLedgerPage(
        **msgspec.structs.asdict(page),
        supplier=name,
        first=first,
        last=last,
        totals=totals(found.others, found.sums),
        books=_read(walk),
    )


def usual_days(now: datetime) -> tuple[date, date]:
    """The last week, today as its last day (UTC)."""
    today = now.astimezone(UTC).date()
    return today - timedelta(days=USUAL_DAYS - 1), today


def totals(lines: Sequence[Line], agreeing: Sequence[AgreeingSum] = ()) -> list[SupplierLedgerTotal]:
    """The lines of each kind and currency together, with the charges that agree and are only summed up."""
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        amount = line.theirs or line.ours
        groups.setdefault((line.kind, amount.currency if amount else ""), []).append(line)
    same = {("charge", alike.currency): alike for alike in agreeing}
    return [_total(*group, groups.get(group, []), same.get(group)) for group in sorted(groups.keys() | same.keys())]


async def deposits_begun(
    deps: Deps, page_request: PageRequest, *, supplier: str | None = None, mode: Mode | None = None
) -> Page[DepositShown]:
    """Deposits that somebody began, the newest first."""
    found = await deposit_rows.listed(deps.pool, page_request, supplier=supplier, mode=mode)
    return found.map(deposit_shown)


def deposit_shown(deposit: deposit_rows.Deposit) -> DepositShown:
    """A deposit as the API writes it."""
    fields = msgspec.structs.asdict(deposit) | {"amount": price_of(Money(deposit.amount, deposit.currency))}
    del fields["currency"], fields["session_id"]
    return msgspec.convert(fields, DepositShown)


_KINDS: dict[str, Literal["charge", "refund", "deposit", "adjustment", "other"]] = {
    "charge": "charge", "refund": "refund", "deposit": "deposit", "adjustment": "adjustment", "other": "other",
}  # fmt: skip


def _statement_reading(account: Account | None) -> Literal["transactions", "orders"] | None:
    able = account.manifest.capabilities if account is not None else frozenset()
    if Capability.TRANSACTIONS in able:
        return "transactions"
    return "orders" if Capability.ORDER_HISTORY in able else None


def _read(walk: Walk | None) -> BooksRead | None:
    return None if walk is None else BooksRead(walk.whole_from, walk.whole_to, walk.asked_at, walk.error)


def _transaction(line: StoredStatementLine) -> SupplierTransaction:
    fields = msgspec.structs.asdict(line) | {"amount": price_of(Money(line.amount, line.currency))}
    del fields["currency"]
    return msgspec.convert(fields, SupplierTransaction)


def _line(line: Line) -> SupplierLedgerLine:
    fields = msgspec.structs.asdict(line) | {"theirs": price_of(line.theirs), "ours": price_of(line.ours)}
    return msgspec.convert(fields, SupplierLedgerLine)


def _behind(lines: Sequence[Line], position: tuple[Any, ...] | None, *, oldest_first: bool) -> list[Line]:
    """The lines behind a position."""
    if position is None:
        return []
    if oldest_first:
        return [line for line in lines if not position or _place(line) > position]
    return [line for line in lines if not position or _place(line) < position]


def _place(line: Line) -> tuple[datetime, str]:
    return line.at, line.movement


def _total(kind: str, currency: str, lines: Sequence[Line], alike: AgreeingSum | None) -> SupplierLedgerTotal:
    agreeing = [Money(alike.amount.normalize(), currency)] if alike is not None else []
    return SupplierLedgerTotal(
        kind=_KINDS[kind],
        currency=currency,
        lines=len(lines) + (alike.lines if alike is not None else 0),
        theirs=_sum([*agreeing, *(line.theirs for line in lines)], currency),
        ours=_sum([*agreeing, *(line.ours for line in lines)], currency),
        differences=sum(line.verdict in DIFFERENT for line in lines),
    )


def _sum(amounts: Sequence[Money | None], currency: str) -> Price | None:
    there = [amount for amount in amounts if amount is not None and amount.currency == currency]
    total = there[0] if there else None
    for price in there[1:]:
        total = price if total is None else total + price
    return price_of(total)
