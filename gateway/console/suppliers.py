"""Suppliers: how each does, our money there, and the switches that pause it or stop all selling."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from aiohttp import web

from gateway.access import audit_rows
from gateway.console.forms import form_data
from gateway.console.history import as_money
from gateway.console.pages import (
    CONTEXT,
    Csv,
    Hit,
    Notice,
    Pages,
    View,
    deps_of,
    mode,
    next_page,
    page_request_of,
    see_other,
    visitor,
)
from gateway.kit.pages import PageRequest
from gateway.kit.problem import Problem
from gateway.kit.sheet import sheet_of
from gateway.prices import supplier_figure_rows as rows
from gateway.prices import supplier_figures, supplier_retry
from gateway.prices.supplier_tables import FIGURES
from gateway.suppliers import (
    balances,
    checkup,
    key_rotation,
    stops,
    supplier_check_rows,
    supplier_key_rows,
    webhook_setup,
)
from gateway.suppliers.deps import Deps
from gateway.suppliers.state_rules import described
from providers.contract import Capability
from schemas.api_suppliers import SupplierFigures
from schemas.page import Page

pages = Pages()
_LIST = "/console/suppliers"
_PAGE = 50
_LAST_SYNCS, _OPEN = 10, 50
FEW_DAYS = 3.0
_ACCOUNT = "/console/suppliers/{name}"
# Longer than a supplier's test takes, and no longer than a visitor waits for a page.
_ARRIVES_SECONDS = 10.0
_FIGURES: web.RequestKey[Awaitable[Page[SupplierFigures]]] = web.RequestKey("console_supplier_figures")
_CHECK_LEVELS = {"bad": "bad", "warn": "warn", "ok": "ok", "unknown": ""}
_SAID = {
    "arrived": "The test event arrived and its signature is valid.",
    "by_hand": "The supplier does not support this.",
    "refused": "It was refused",
    "forged": "Its signature is invalid",
    "not_arrived": "No event arrived",
}


@pages("GET", _LIST, nav="Suppliers")
async def suppliers(request: web.Request) -> View:
    """All suppliers of a mode, each on a line."""
    deps = deps_of(request)
    found = await supplier_figures.figures(deps, page_request_of(request, _PAGE), mode(request))
    context = {
        "suppliers": [(row, as_money(row.balance.spendable)) for row in found.data],
        "next": next_page(request, found),
        "stopped": [stop for stop in await rows.stops(deps.pool) if stop.supplier == supplier_figures.ALL],
        "few_days": FEW_DAYS,
        "hours": supplier_figures.HOURS,
    }
    return View("suppliers.html", context, title="Suppliers", csv=Csv("suppliers", *sheet_of(FIGURES, found.data)))


@pages("GET", _LIST + "/{name}", nav="Suppliers")
async def supplier(request: web.Request) -> View:
    """One supplier in full."""
    deps, name = deps_of(request), request.match_info["name"]
    figures = await supplier_figures.figures_of(deps, name)
    if figures is None:
        raise web.HTTPNotFound
    account = deps.accounts.get(name)
    now = deps.clock()
    seen = await balances.history(deps.pool, name, now)
    context = {
        "figures": figures,
        "blocked": sorted((figures.why_not or {}).items(), key=lambda entry: -entry[1]),
        "money_of": {
            "balance": as_money(figures.balance.balance),
            "spendable": as_money(figures.balance.spendable),
            "per_day": as_money(figures.balance.spent_per_day),
        },
        "points": [point.spendable for point in seen],
        "span": (seen[0].at, seen[-1].at) if seen else None,
        "capabilities": [
            (each.value, each.value in figures.supplier.capabilities, _note(account, each)) for each in Capability
        ],
        "syncs": await rows.last_syncs(deps.pool, name, _LAST_SYNCS),
        "open": await rows.open_attempts(deps.pool, name, _OPEN),
        "few_days": FEW_DAYS,
        "stopped_here": [stop for stop in figures.stops if not stop.everything],
        "set_aside_url": f"/console/unmapped?supplier={name}",
        "account": await account_of(request, deps, name),
    }
    return View("supplier.html", context, title=name)


@pages("POST", _LIST + "/{name}/pause", role="operator", nav="Suppliers")
async def pause(request: web.Request) -> web.Response:
    """Take its offers out of the selection."""
    name = request.match_info["name"]
    problem = await supplier_figures.set_paused(deps_of(request), name, visitor(request), paused=True)
    return _done(request, name, problem, f"{name} is paused: its offers are no longer selected. It is still synced.")


@pages("POST", _LIST + "/{name}/resume", role="operator", nav="Suppliers")
async def resume(request: web.Request) -> web.Response:
    """Put them back."""
    name = request.match_info["name"]
    problem = await supplier_figures.set_paused(deps_of(request), name, visitor(request), paused=False)
    return _done(request, name, problem, f"{name} is resumed: its offers are selected again.")


@pages("POST", _LIST + "/{name}/stop", role="operator", nav="Suppliers")
async def stop(request: web.Request) -> web.Response:
    """Send no purchase there any more, not even for orders that wait."""
    name, form = request.match_info["name"], await form_data(request)
    done = await stops.stop(deps_of(request), name, visitor(request), form.text("note", most=500))
    problem = done if isinstance(done, Problem) else None
    return _done(request, name, problem, f"Selling from {name} is stopped.")


@pages("POST", _LIST + "/{name}/sell", role="operator", nav="Suppliers")
async def sell(request: web.Request) -> web.Response:
    """Lift the stop."""
    name = request.match_info["name"]
    problem = await stops.resume(deps_of(request), name, visitor(request))
    return _done(request, name, problem, f"{name} is selling again.")


@pages("POST", _LIST + "/{name}/try-again", role="operator", nav="Suppliers")
async def try_again(request: web.Request) -> web.Response:
    """Ask it now: its balance, and whether it answers again."""
    name = request.match_info["name"]
    found = await supplier_retry.try_again(deps_of(request), name, visitor(request))
    if isinstance(found, Problem):
        return _done(request, name, found, "")
    return _done(request, name, None, found.description)


@pages("POST", "/console/selling/stop", role="operator", nav="Suppliers")
async def stop_all(request: web.Request) -> web.Response:
    """Buy nothing more anywhere."""
    form = await form_data(request)
    await stops.stop(deps_of(request), None, visitor(request), form.text("note", most=500))
    return see_other(request, _LIST, message="Selling is stopped everywhere.")


@pages("POST", "/console/selling/resume", role="operator", nav="Suppliers")
async def sell_all(request: web.Request) -> web.Response:
    """Lift that stop."""
    problem = await stops.resume(deps_of(request), None, visitor(request))
    return see_other(request, _LIST, message=problem.detail if problem else "Selling is resumed.")


@pages.notice
async def troubles(request: web.Request) -> list[Notice]:
    """What is the matter with suppliers."""
    deps = deps_of(request)
    found = await figures_of_mode(request)
    notices = [
        Notice("bad", f"Selling is stopped everywhere{_because(stop.note)}", _LIST)
        for stop in await rows.stops(deps.pool)
        if stop.supplier == supplier_figures.ALL
    ]
    for figures in found.data:
        notices += [
            Notice(level, f"{figures.supplier.name} {text}", _page(figures.supplier.name))
            for level, text in _of(figures)
        ]
    return notices


@pages.finds("Suppliers")
async def find(request: web.Request, question: str) -> list[Hit]:
    """Suppliers by a part of their name."""
    accounts = deps_of(request).accounts
    names = [name for name in sorted(accounts) if question.lower() in name]
    return [
        Hit(
            name, _page(name), f"{accounts[name].manifest.title}, {accounts[name].settings.mode}", only=name == question
        )
        for name in names[:10]
    ]


async def figures_of_mode(request: web.Request) -> Page[SupplierFigures]:
    """The suppliers of the visitor's mode with their figures: read once for a request, whatever parts show them."""
    if _FIGURES not in request:
        reading = supplier_figures.figures(deps_of(request), PageRequest(_PAGE), mode(request))
        request[_FIGURES] = asyncio.ensure_future(reading)
    return await request[_FIGURES]


def _of(figures: SupplierFigures) -> list[tuple[Any, str]]:
    """What is the matter with one, each with how bad it is. A stop of all suppliers is told by itself."""
    everywhere = sum(stop.everything for stop in figures.stops)
    found: list[tuple[Any, str]] = [
        (_LEVELS.get(each.cause, "warn"), f"is {figures.supplier.state}: {described(each)}")
        for each in figures.supplier.problems[everywhere:]
    ]
    left = figures.balance.days_left
    if left is not None and left < FEW_DAYS:
        found.append(("bad" if left < 1 else "warn", f"has money for {left:g} days"))
    return found


_LEVELS = {"stop": "bad", "pause": "info", "balance": "bad", "expired": "bad", "breaker": "bad"}


def _because(note: str) -> str:
    return f": {note}" if note else ""


def _note(account: Any, capability: Capability) -> str:
    return "" if account is None else account.manifest.capability_notes.get(capability, "")


def _page(name: str) -> str:
    return f"{_LIST}/{name}"


def _done(request: web.Request, name: str, problem: Problem | None, message: str) -> web.Response:
    if problem is not None and problem.code == "not_found":
        raise web.HTTPNotFound
    return see_other(request, _page(name), message=problem.detail if problem is not None else message)


async def account_of(request: web.Request, deps: Deps, name: str) -> dict[str, Any]:
    """What the supplier's page shows of our account there; nothing of it asks the supplier."""
    account = deps.accounts.get(name)
    if account is None:
        return {"report": None, "rotation": None, "able": frozenset()}
    newest = await supplier_key_rows.newest(deps.pool, name)
    return {
        "report": await supplier_check_rows.last(deps.pool, name),
        "levels": _CHECK_LEVELS,
        "rotation": None if newest is None else key_rotation.present(newest),
        "stored": account.key,
        "able": {capability.value for capability in account.manifest.capabilities},
        "hears": Capability.WEBHOOKS in account.manifest.capabilities,
        "heard": await supplier_check_rows.heard(deps.pool, name),
        "advice": account.manifest.webhook_advice,
        "origin": request.app[CONTEXT].origin(request),
    }


@pages("POST", _ACCOUNT + "/check", role="operator", nav="Suppliers")
async def check(request: web.Request) -> web.Response:
    """Look at the account now."""
    name = request.match_info["name"]
    found = await checkup.check(deps_of(request), name)
    if isinstance(found, Problem):
        raise web.HTTPNotFound
    deps = deps_of(request)
    async with deps.pool.acquire() as connection, connection.transaction():
        await audit_rows.record(connection, visitor(request), "supplier.checked", f"supplier:{name}")
    wrong = sum(finding.level == "bad" for finding in found.findings)
    message = "No problems found." if not wrong else f"Problems found: {wrong}. See below."
    return _back(request, message)


@pages("POST", _ACCOUNT + "/keys/rotate", role="admin", nav="Suppliers")
async def rotate(request: web.Request) -> web.Response:
    """Rotate the key, as far as that goes now."""
    name = request.match_info["name"]
    done = await key_rotation.rotate(deps_of(request), name, visitor(request))
    if isinstance(done, Problem):
        return _problem(request, done)
    if done.in_force:
        return _back(request, "The new key is in force. The old one is revoked once every process uses the new one.")
    return _back(request, f"No new key is in force: {done.error or done.state}")


@pages("POST", _ACCOUNT + "/webhooks", role="admin", nav="Suppliers")
async def webhooks(request: web.Request) -> web.Response:
    """Have it send its webhooks here, and wait for a test."""
    name, form = request.match_info["name"], await form_data(request)
    base = form.text("base_url", required=True, most=500)
    done = await webhook_setup.set_up(deps_of(request), name, base, visitor(request), seconds=_ARRIVES_SECONDS)
    if isinstance(done, Problem):
        return _problem(request, done)
    text = _SAID[done.state]
    if done.state in {"refused", "forged", "not_arrived"}:
        text = f"{text}: {done.detail}."
    return _back(request, f"{text} {done.what_to_do}".strip())


def _problem(request: web.Request, problem: Problem) -> web.Response:
    if problem.code == "not_found":
        raise web.HTTPNotFound
    return _back(request, problem.detail)


def _back(request: web.Request, message: str) -> web.Response:
    return see_other(request, _ACCOUNT.format(name=request.match_info["name"]), message=message)
