"""Suppliers: how each does, our money there, and the switches that pause it or stop all selling."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gateway.console.forms import form_data
from gateway.console.history import as_money
from gateway.console.pages import (
    Csv,
    Hit,
    Notice,
    Pages,
    View,
    deps,
    mode,
    next_page,
    page_asked,
    see_other,
    visitor,
)
from gateway.console.supplier_accounts import account_of
from gateway.kit.pages import PageRequest
from gateway.kit.problem import Problem
from gateway.prices import supplier_figure_rows as rows
from gateway.prices import supplier_figures, supplier_retry
from gateway.suppliers import balances, stops
from gateway.suppliers.state_rules import described
from providers.contract import Capability
from schemas.api_suppliers import SupplierFigures

pages = Pages()
_LIST = "/console/suppliers"
_PAGE = 50
_LAST_SYNCS, _OPEN = 10, 50
FEW_DAYS = 3.0
_COLUMNS = (
    *("supplier", "provider", "mode", "state", "reason", "freshness", "last good sync", "breaker", "orders", "success"),
    *("p50 ms", "p95 ms", "open", "rate limit", "rate left", "offers", "selectable", "set aside"),
    *("balance", "spendable", "currency", "balance at", "days left"),
)


@pages("GET", _LIST, nav="Suppliers")
async def suppliers(request: web.Request) -> View:
    """All suppliers of a mode, each on a line."""
    behind = deps(request)
    found = await supplier_figures.figures(behind, page_asked(request, _PAGE), mode(request))
    context = {
        "suppliers": [(one, as_money(one.balance.spendable)) for one in found.data],
        "next": next_page(request, found),
        "stopped": [stop for stop in await rows.stops(behind.pool) if stop.supplier == supplier_figures.ALL],
        "few_days": FEW_DAYS,
        "hours": supplier_figures.HOURS,
    }
    return View("suppliers.html", context, title="Suppliers", csv=Csv("suppliers", _COLUMNS, map(_row, found.data)))


@pages("GET", _LIST + "/{name}", nav="Suppliers")
async def supplier(request: web.Request) -> View:
    """One supplier in full."""
    behind, name = deps(request), request.match_info["name"]
    one = await supplier_figures.one(behind, name)
    if one is None:
        raise web.HTTPNotFound
    account = behind.accounts.get(name)
    now = behind.clock()
    seen = await balances.history(behind.pool, name, now)
    context = {
        "one": one,
        "held": sorted((one.why_not or {}).items(), key=lambda entry: -entry[1]),
        "money_of": {
            "balance": as_money(one.balance.balance),
            "spendable": as_money(one.balance.spendable),
            "per_day": as_money(one.balance.spent_per_day),
        },
        "points": [point.spendable for point in seen],
        "span": (seen[0].at, seen[-1].at) if seen else None,
        "capabilities": [
            (each.value, each.value in one.supplier.capabilities, _note(account, each)) for each in Capability
        ],
        "syncs": await rows.last_syncs(behind.pool, name, _LAST_SYNCS),
        "open": await rows.open_attempts(behind.pool, name, _OPEN),
        "few_days": FEW_DAYS,
        "stopped_here": [stop for stop in one.stops if not stop.everything],
        "set_aside_url": f"/console/unmapped?supplier={name}",
        "account": await account_of(request, behind, name),
    }
    return View("supplier.html", context, title=name)


@pages("POST", _LIST + "/{name}/pause", role="operator", nav="Suppliers")
async def pause(request: web.Request) -> web.Response:
    """Take its offers out of the selection."""
    name = request.match_info["name"]
    problem = await supplier_figures.set_paused(deps(request), name, visitor(request), paused=True)
    return _done(request, name, problem, f"{name} is paused: nothing more of it is chosen, and it is still synced.")


@pages("POST", _LIST + "/{name}/resume", role="operator", nav="Suppliers")
async def resume(request: web.Request) -> web.Response:
    """Put them back."""
    name = request.match_info["name"]
    problem = await supplier_figures.set_paused(deps(request), name, visitor(request), paused=False)
    return _done(request, name, problem, f"{name} is chosen from again.")


@pages("POST", _LIST + "/{name}/stop", role="operator", nav="Suppliers")
async def stop(request: web.Request) -> web.Response:
    """Send no purchase there any more, not even for orders that wait."""
    name, form = request.match_info["name"], await form_data(request)
    done = await stops.stop(deps(request), name, visitor(request), form.text("note", most=500))
    problem = done if isinstance(done, Problem) else None
    return _done(request, name, problem, f"Selling from {name} is stopped.")


@pages("POST", _LIST + "/{name}/sell", role="operator", nav="Suppliers")
async def sell(request: web.Request) -> web.Response:
    """Lift the stop."""
    name = request.match_info["name"]
    problem = await stops.resume(deps(request), name, visitor(request))
    return _done(request, name, problem, f"{name} sells again.")


@pages("POST", _LIST + "/{name}/try-again", role="operator", nav="Suppliers")
async def try_again(request: web.Request) -> web.Response:
    """Ask it now: its balance, and whether it answers again."""
    name = request.match_info["name"]
    found = await supplier_retry.try_again(deps(request), name, visitor(request))
    if isinstance(found, Problem):
        return _done(request, name, found, "")
    return _done(request, name, None, found.words)


@pages("POST", "/console/selling/stop", role="operator", nav="Suppliers")
async def stop_all(request: web.Request) -> web.Response:
    """Buy nothing more anywhere."""
    form = await form_data(request)
    await stops.stop(deps(request), None, visitor(request), form.text("note", most=500))
    return see_other(request, _LIST, told="Selling is stopped everywhere.")


@pages("POST", "/console/selling/resume", role="operator", nav="Suppliers")
async def sell_all(request: web.Request) -> web.Response:
    """Lift that stop."""
    problem = await stops.resume(deps(request), None, visitor(request))
    return see_other(request, _LIST, told=problem.detail if problem else "Selling is on again.")


@pages.notice
async def troubles(request: web.Request) -> list[Notice]:
    """What is the matter with suppliers."""
    behind = deps(request)
    found = await supplier_figures.figures(behind, PageRequest(_PAGE), mode(request))
    told = [
        Notice("bad", f"Selling is stopped everywhere{_because(one.note)}", _LIST)
        for one in await rows.stops(behind.pool)
        if one.supplier == supplier_figures.ALL
    ]
    for one in found.data:
        told += [Notice(level, f"{one.supplier.name} {words}", _page(one.supplier.name)) for level, words in _of(one)]
    return told


@pages.finds("Suppliers")
async def find(request: web.Request, question: str) -> list[Hit]:
    """Suppliers by a part of their name."""
    accounts = deps(request).accounts
    names = [name for name in sorted(accounts) if question.lower() in name]
    return [
        Hit(
            name, _page(name), f"{accounts[name].manifest.title}, {accounts[name].settings.mode}", only=name == question
        )
        for name in names[:10]
    ]


def _of(one: SupplierFigures) -> list[tuple[Any, str]]:
    """What is the matter with one, each with how bad it is. A stop of all suppliers is told by itself."""
    everywhere = sum(stop.everything for stop in one.stops)
    found: list[tuple[Any, str]] = [
        (_LEVELS.get(each.cause, "warn"), f"is {one.supplier.state}: {described(each)}")
        for each in one.supplier.problems[everywhere:]
    ]
    left = one.balance.days_left
    if left is not None and left < FEW_DAYS:
        found.append(("bad" if left < 1 else "warn", f"has money for {left:g} days"))
    return found


_LEVELS = {"stop": "bad", "pause": "info", "balance": "bad", "expired": "bad", "breaker": "bad"}


def _because(note: str) -> str:
    return f": {note}" if note else ""


def _note(account: Any, capability: Capability) -> str:
    return "" if account is None else account.manifest.capability_notes.get(capability, "")


def _row(one: SupplierFigures) -> tuple[Any, ...]:
    supplier, orders, money = one.supplier, one.orders, one.balance
    limit = supplier.rate_limit
    spendable = as_money(money.spendable)
    reason = described(supplier.problems[0]) if supplier.problems else None
    return (
        *(supplier.name, supplier.provider, supplier.mode, supplier.state, reason, one.freshness),
        supplier.last_sync.good_at if supplier.last_sync else None,
        *(supplier.breaker.state, orders.attempts, orders.success_rate, orders.p50_ms, orders.p95_ms),
        *(one.open_attempts, limit.reported_limit or limit.per_minute, limit.remaining),
        *(supplier.offers, one.selectable, supplier.set_aside, as_money(money.balance), spendable),
        *(spendable.currency if spendable else None, money.at, money.days_left),
    )


def _page(name: str) -> str:
    return f"{_LIST}/{name}"


def _done(request: web.Request, name: str, problem: Problem | None, told: str) -> web.Response:
    if problem is not None and problem.code == "not_found":
        raise web.HTTPNotFound
    return see_other(request, _page(name), told=problem.detail if problem is not None else told)
