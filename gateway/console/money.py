"""Money: what we have at each supplier, how long it lasts, its books beside ours, and deposits."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from aiohttp import web

from gateway.console.forms import Form, form_data, query_form
from gateway.console.history import as_money
from gateway.console.pages import (
    Csv,
    Notice,
    Pages,
    View,
    deps_of,
    invalid,
    mode,
    next_page,
    page_request_of,
    see_other,
    visitor,
)
from gateway.console.saved_filters import with_saved_filters
from gateway.console.suppliers import FEW_DAYS
from gateway.kit.pages import PageRequest
from gateway.kit.problem import Problem
from gateway.kit.sheet import sheet_of
from gateway.ledger import alike_rows, deposits, money
from gateway.ledger.money_tables import LEDGER, MONEY
from gateway.suppliers import supplier_list_rows
from schemas.api_money import SupplierMoney

pages = Pages()
_LIST = "/console/money"
_PAGE, _DEPOSITS = 50, 20
_DAYS = (1, 7, 14, 31, money.MOST_DAYS)
_LEVELS = {
    "same": "good", "apart": "idle", "explained": "idle", "open": "warn", "statement_not_read": "idle",
    "only_theirs": "bad", "only_ours": "bad", "amount_differs": "bad",
}  # fmt: skip


@pages("GET", _LIST, nav="Money")
async def money_page(request: web.Request) -> View:
    """All suppliers of a mode, each on a line, and the deposits that were begun last."""
    deps = deps_of(request)
    found = await money.of_all(deps, page_request_of(request, _PAGE), mode(request))
    begun = await money.deposits_begun(deps, PageRequest(_DEPOSITS), mode=mode(request))
    context = {
        "suppliers": [(supplier, _amounts(supplier)) for supplier in found.data],
        "next": next_page(request, found),
        "deposits": [(deposit, as_money(deposit.amount)) for deposit in begun.data],
        "few_days": FEW_DAYS,
    }
    return View("money.html", context, title="Money", csv=Csv("money", *sheet_of(MONEY, found.data)))


@pages("GET", _LIST + "/{name}", nav="Money")
@with_saved_filters
async def supplier_money(request: web.Request) -> View:
    """One supplier: what its balance is made of, ways to fill it, and its statement beside the ledger for some days."""
    return await _one(request, request.match_info["name"])


@pages("POST", _LIST + "/refresh", role="operator", nav="Money")
async def refresh(request: web.Request) -> web.Response:
    """Ask the suppliers now, one or all."""
    form = await form_data(request)
    deps, name = deps_of(request), form.text("supplier", most=40)
    if name and name not in deps.accounts:
        raise web.HTTPNotFound
    await money.refresh(deps, [name] if name else None)
    return see_other(request, f"{_LIST}/{name}" if name else _LIST, message="Balances requested from the suppliers.")


@pages("POST", _LIST + "/{name}/deposits", role="operator", nav="Money")
async def begin_deposit(request: web.Request) -> View | web.Response:
    """Ask the supplier for a payment page."""
    deps, name, form = deps_of(request), request.match_info["name"], await form_data(request)
    ways = {way.name: way for way in deposits.ways(deps.accounts.get(name)) if way.online}
    way = form.choice("way", list(ways))
    amount = form.money("amount", (ways[way].currency if way else None) or "USD", required=True)
    if not form or amount is None:
        return invalid(await _one(request, name), form)
    made = await deposits.begin(deps, name, way, amount, visitor(request))
    if isinstance(made, Problem):
        form.wrong("amount", made.detail)
        return invalid(await _one(request, name), form)
    message = f"{amount} by {ways[way].title}: pay on the page linked below. The balance is polled every minute."
    return see_other(request, f"{_LIST}/{name}", message=message)


@pages.notice
async def short_of_money(request: web.Request) -> list[Notice]:
    """Suppliers that have offers which our money there does not suffice for."""
    deps = deps_of(request)
    if deps.index is None:
        return []
    try:
        index = deps.index(mode(request))
    except LookupError:
        return []
    return [
        Notice("warn", f"{name} has offers that cost more than our balance there: they are not sold", _page(name))
        for name, _ in index.standing.affordable
    ]


async def _one(request: web.Request, name: str) -> View:
    deps, form = deps_of(request), query_form(request)
    if not await supplier_list_rows.is_supplier(deps.pool, name):
        raise web.HTTPNotFound
    (supplier,) = await money.of(deps, [name])
    first, last, days = _days(request, form)
    differing = form.ticked("differing")
    found = await money.ledger(
        deps, name, first, last, page_request_of(request, _PAGE, alike_rows.SORTS), differing=differing
    )
    if found is None:
        raise web.HTTPNotFound
    begun = await money.deposits_begun(deps, PageRequest(_DEPOSITS), supplier=name)
    context = {
        "name": name,
        "supplier": supplier,
        "amounts": _amounts(supplier),
        "online": [(way.name, way.title) for way in supplier.deposit_ways if way.online],
        "deposits": [(each, as_money(each.amount)) for each in begun.data],
        "lines": [(line, as_money(line.theirs), as_money(line.ours), _LEVELS[line.verdict]) for line in found.data],
        "totals": [(total, as_money(total.theirs), as_money(total.ours)) for total in found.totals],
        "statements": found.books,
        "first": first,
        "last": last,
        "days": days,
        "days_among": [(str(each), f"{each} days" if each > 1 else "1 day") for each in _DAYS],
        "differing": differing,
        "few_days": FEW_DAYS,
        "next": next_page(request, found),
        "typed": {},
        "errors": {},
    }
    sheet = Csv(f"books of {name}", *sheet_of(LEDGER, found.data))
    return View("money_supplier.html", context, title=f"Money at {name}", csv=sheet)


def _days(request: web.Request, form: Form) -> tuple[date, date, int]:
    """The days that are asked for; what cannot be is left out."""
    today = money.usual_days(deps_of(request).clock())[1]
    days = form.whole("days", least=1, most=money.MOST_DAYS) or money.USUAL_DAYS
    moment = form.moment("last")
    last = today if moment is None else min(moment.date(), today)
    last = max(last, date(2000, 1, 1))
    return last - timedelta(days=days - 1), last, days


def _amounts(supplier: SupplierMoney) -> dict[str, Any]:
    balance = supplier.balance
    return {
        "balance": as_money(balance.balance),
        "spendable": as_money(balance.spendable),
        "room": as_money(balance.room),
        "reserved": as_money(balance.reserved),
        "credit": as_money(balance.credit),
        "per_day": as_money(balance.spent_per_day),
    }


def _page(name: str) -> str:
    return f"{_LIST}/{name}"
