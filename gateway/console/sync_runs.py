"""Sync runs: what each brought, how far one is while it runs, and what was quarantined, to accept or refuse."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aiohttp import web

from gateway.console.forms import form_data, query_form
from gateway.console.history import as_money
from gateway.console.pages import (
    Csv,
    Hit,
    Pages,
    View,
    deps_of,
    invalid,
    is_htmx,
    next_page,
    page_request_of,
    see_other,
    visitor,
)
from gateway.kit.pages import PageRequest
from gateway.kit.problem import Problem
from gateway.kit.sheet import Column, columns, sheet_of
from gateway.prices.change_tables import difference_columns
from gateway.sync import requests, run_list_rows
from gateway.sync.quarantine_rows import MOST
from schemas.api_sync import SyncRun, SyncRunSupplier

pages = Pages()
_PAGE = 50
_LIST = "/console/sync-runs"
_KINDS = (("moved", "changed prices"), ("gone", "removed offers"), ("new", "new offers"))
_PARTS = columns(
    "supplier, state, total, mapped",
    Column("set aside", lambda part: sum(part.set_aside.values())),
    "other products=other_products, new, changed, gone, up, down, in stock=in_stock, out of stock=out_of_stock",
    "suspect, ms, error",
)


@pages("GET", _LIST, nav="Sync runs")
async def sync_runs(request: web.Request) -> View:
    """The runs, the newest first, and the form to start one."""
    return await _list(request)


@pages("POST", _LIST, role="operator", nav="Sync runs")
async def start(request: web.Request) -> View | web.Response:
    """Start one, of all suppliers or of those that were named."""
    form, deps = await form_data(request), deps_of(request)
    wanted = [name for name in form.all("supplier") if name]
    if unknown := [name for name in wanted if name not in deps.accounts]:
        form.wrong("supplier", f"no supplier {unknown[0][:60]} is configured")
    if not deps.accounts:
        form.wrong("supplier", "no supplier is configured")
    if not form:
        return invalid(await _list(request), form)
    run_id = await requests.ask_for_sync(deps.pool, deps.accounts, wanted, (), visitor(request))
    return see_other(request, f"{_LIST}/{run_id}", message="Sync requested. A worker starts it.")


@pages("GET", _LIST + "/{id}", nav="Sync runs")
async def sync_run(request: web.Request) -> View:
    """One run: each supplier's counts, reasons, errors and warnings; while it runs, how far it is."""
    found = await requests.detail(deps_of(request).pool, request.match_info["id"])
    if found is None:
        raise web.HTTPNotFound
    ended = {part.supplier for part in found.suppliers}
    context = {
        "run": found,
        "parts": [(part, _reasons(part)) for part in found.suppliers],
        "under_way": [(name, _far(found.progress, name)) for name in found.asked if name not in ended],
        "quarantines": {quarantine.supplier: quarantine for quarantine in found.quarantines},
        "seconds": _seconds(found.started_at, found.ended_at),
        "whole": not is_htmx(request),
    }
    return View("sync_run.html", context, title="Sync run", csv=Csv(found.id, *sheet_of(_PARTS, found.suppliers)))


@pages("GET", _LIST + "/{id}/difference/{supplier}", nav="Sync runs")
async def difference(request: web.Request) -> View:
    """How a quarantined walk differs from what stands: counts of all, the largest of each kind, and the decision."""
    return await _difference(request)


@pages("POST", _LIST + "/{id}/accept", role="operator", nav="Sync runs")
async def accept(request: web.Request) -> View | web.Response:
    """Take over what a supplier said."""
    form, deps = await form_data(request), deps_of(request)
    run_id, supplier = request.match_info["id"], form.text("supplier", most=40)
    why = form.text("why", most=500)
    answer = await requests.accept(deps.pool, deps.accounts, run_id, supplier, visitor(request), why)
    if isinstance(answer, Problem):
        return _refused(request, answer, run_id)
    message = f"Accepted: {supplier} is synced again and its offers are applied."
    return see_other(request, f"{_LIST}/{answer}", message=message)


@pages("POST", _LIST + "/{id}/refuse", role="operator", nav="Sync runs")
async def refuse(request: web.Request) -> View | web.Response:
    """Leave what stands as it is, with a word why."""
    form, deps = await form_data(request), deps_of(request)
    run_id, supplier = request.match_info["id"], form.text("supplier", most=40)
    why = form.text("why", required=True, most=500)
    if not form:
        if await requests.difference(deps.pool, run_id, supplier, PageRequest(1)) is None:
            raise web.HTTPNotFound
        return invalid(await _difference(request, supplier), form)
    problem = await requests.refuse(deps.pool, deps.accounts, run_id, supplier, visitor(request), why)
    if problem is not None:
        return _refused(request, problem, run_id)
    return see_other(request, f"{_LIST}/{run_id}", message=f"Refused: the offers of {supplier} stay unchanged.")


@pages.finds("Sync runs")
async def find(request: web.Request, question: str) -> list[Hit]:
    """A run by its id."""
    found = await requests.detail(deps_of(request).pool, question) if question.startswith("sync_") else None
    return (
        [] if found is None else [Hit(found.id, f"{_LIST}/{found.id}", f"{found.started_at:%Y-%m-%d %H:%M}", only=True)]
    )


async def _list(request: web.Request) -> View:
    deps = deps_of(request)
    found = await run_list_rows.sync_runs(deps.pool, page_request_of(request, _PAGE, run_list_rows.SORTS))
    context = {
        "runs": [(run, _seconds(run.started_at, run.ended_at), _sums(run)) for run in found.data],
        "next": next_page(request, found),
        "accounts": sorted(deps.accounts),
        "quarantines": await requests.waiting(deps.pool),
    }
    rows = [
        (run.id, run.started_at, run.ended_at, run.state, *row)
        for run in found.data
        for row in sheet_of(_PARTS, run.suppliers).rows
    ]
    titles = ("run", "started", "ended", "run's state", *sheet_of(_PARTS, ()).columns)
    return View("sync_runs.html", context, title="Sync runs", csv=Csv("sync-runs", titles, rows))


async def _difference(request: web.Request, supplier: str = "") -> View:
    form = query_form(request)
    supplier = supplier or request.match_info["supplier"]
    kind = form.choice("kind", [value for value, _ in _KINDS], required=False) or "moved"
    found = await requests.difference(
        deps_of(request).pool, request.match_info["id"], supplier, page_request_of(request, _PAGE), kind=kind
    )
    if found is None:
        raise web.HTTPNotFound
    quarantine = found.quarantine
    counts = {"moved": quarantine.up + quarantine.down, "gone": quarantine.gone, "new": quarantine.new}
    context = {
        "quarantine": quarantine,
        "kind": kind,
        "kinds": [(value, label, counts[value]) for value, label in _KINDS],
        "all_of_kind": counts[kind],
        "kept": min(counts[kind], MOST[kind]),
        "rows": [(row, as_money(row.old), as_money(row.new)) for row in found.data],
        "next": next_page(request, found),
        "address": f"{_LIST}/{quarantine.run_id}/difference/{supplier}",
    }
    sheet = sheet_of(difference_columns(supplier), found.data)
    title = f"Differences at {supplier}"
    return View("difference.html", context, title=title, csv=Csv(f"difference-{supplier}", sheet.columns, sheet.rows))


def _refused(request: web.Request, problem: Problem, run_id: str) -> web.Response:
    if problem.code == "not_found":
        raise web.HTTPNotFound
    return see_other(request, f"{_LIST}/{run_id}", message=f"Nothing was done: {problem.detail}.")


def _reasons(part: SyncRunSupplier) -> list[tuple[str, int]]:
    return sorted(part.set_aside.items(), key=lambda entry: (-entry[1], entry[0]))


def _far(progress: list[Any], name: str) -> Any:
    return next((step for step in progress if step.supplier == name), None)


def _sums(run: SyncRun) -> dict[str, int]:
    """What all suppliers of a run come to together."""
    names = ("new", "changed", "gone", "up", "down", "out_of_stock", "suspect")
    return {name: sum(getattr(part, name) for part in run.suppliers) for name in names}


def _seconds(started: datetime, ended: datetime | None) -> float | None:
    return None if ended is None else (ended - started).total_seconds() * 1000
