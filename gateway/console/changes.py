"""Changes: what moved at the suppliers, one by one and summed up, and what waits to be accepted or refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from gateway.console.forms import Form, query_form
from gateway.console.history import as_money, since_of
from gateway.console.pages import (
    Csv,
    Notice,
    Pages,
    PendingDecision,
    View,
    deps_of,
    mode,
    next_page,
    page_request_of,
    visitor,
)
from gateway.console.plan_page import PLAN, moved, plan_view
from gateway.console.prices import index_of
from gateway.console.saved_filters import with_saved_filters
from gateway.kit.sheet import sheet_of
from gateway.prices import change_rows
from gateway.prices import changes as flow
from gateway.prices.change_rules import KINDS, ChangeFilter
from gateway.prices.change_tables import CHANGES, of_summary
from gateway.sync.requests import waiting
from providers.kit import places

pages = Pages()
_PAGE = 50
SYNC_RUNS = "/console/sync-runs"
SINCE = (("24h", "24 hours"), ("7d", "7 days"), ("30d", "30 days"), ("visit", "my last visit"))


@pages("GET", "/console/changes", nav="Changes")
@with_saved_filters
async def changes(request: web.Request) -> View | web.Response:
    """The feed, the newest first, with its filters in the address. That of one plan is a tab of the plan's page."""
    form, deps = query_form(request), deps_of(request)
    if plan_id := form.text("plan", most=100):
        return moved(request, plan_id, "changes")
    context, csv = await _feed(request, form)
    context |= {"quarantines": await waiting(deps.pool, mode(request)), "last_visit": visitor(request).last_visit}
    return View("changes.html", context, title="Changes", csv=csv)


@pages("GET", f"{PLAN}/changes", nav="Prices")
async def of_plan(request: web.Request) -> View:
    """What moved in the offers of a plan, the newest first."""
    context, csv = await _feed(request, query_form(request), request.match_info["id"])
    return await plan_view(request, index_of(request), "changes", context, csv)


async def _feed(request: web.Request, form: Form, plan_id: str | None = None) -> tuple[dict[str, Any], Csv]:
    """A page of the feed, of one plan where one is given, and the same as a file."""
    deps = deps_of(request)
    wanted = ChangeFilter(
        kinds=frozenset(kind for kind in KINDS if kind in form.all("kind")),
        suppliers=tuple(filter(None, [form.text("supplier", most=40)])),
        mode=mode(request),
        country=_country(form) if plan_id is None else None,
        plan_id=plan_id,
        since=since_of(form, visitor(request).last_visit),
        min_percent=form.decimal("percent", least=0, most=1_000_000),
        min_amount=form.decimal("amount", least=0, most=1_000_000),
    )
    found = await flow.feed(deps.pool, deps.settings, wanted, page_request_of(request, _PAGE, change_rows.SORTS))
    sheet = sheet_of(CHANGES, found.data)
    context = {
        "path": request.path,
        "rows": [(row, as_money(row.old), as_money(row.new)) for row in found.data],
        "next": next_page(request, found),
        "kinds": [(kind, kind in wanted.kinds) for kind in KINDS],
        "wanted": wanted,
        "filters_typed": form.typed,
        "errors": form.errors,
        "spans": SINCE,
        "suppliers": await flow.suppliers_of(deps.pool, mode(request)),
        "currency": deps.settings.base_currency,
    }
    return context, Csv("changes", sheet.columns, sheet.rows)


@pages("GET", "/console/changes/since", nav="Changes")
@with_saved_filters
async def since(request: web.Request) -> View:
    """What changed since a date or the last visit, for each supplier and each country."""
    form, deps = query_form(request), deps_of(request)
    user = visitor(request)
    usual = "visit" if user.last_visit is not None else "24h"
    moment = since_of(form, user.last_visit, usual) or datetime.now(UTC) - timedelta(days=1)
    found = await flow.summary(deps.pool, deps.settings, moment, mode=mode(request))
    sheet = of_summary(found)
    context = {
        "found": found,
        "largest": [(row, as_money(row.old), as_money(row.new)) for row in found.largest],
        "spans": SINCE,
        "chosen": "" if form.typed.get("from") else form.typed.get("since") or usual,
        "filters_typed": form.typed,
        "errors": form.errors,
        "since_text": moment.isoformat(timespec="seconds"),
    }
    return View("changes_since.html", context, title="Changes", csv=Csv("changed", sheet.columns, sheet.rows))


@pages.notice
async def quarantined(request: web.Request) -> list[Notice]:
    """Quarantined syncs that wait for a decision, each with its reason."""
    return [
        Notice(
            "bad",
            f"{quarantine.supplier}: a sync waits for a decision: {quarantine.reason}",
            f"{SYNC_RUNS}/{quarantine.run_id}/difference/{quarantine.supplier}",
        )
        for quarantine in await waiting(deps_of(request).pool, mode(request))
    ]


@pages.decision
async def to_accept(request: web.Request) -> PendingDecision:
    """Quarantined syncs."""
    found = await waiting(deps_of(request).pool, mode(request))
    url = f"{SYNC_RUNS}/{found[0].run_id}/difference/{found[0].supplier}" if len(found) == 1 else SYNC_RUNS
    return PendingDecision("Quarantined syncs", url, len(found))


def _country(form: Form) -> str | None:
    word = form.text("country", most=60)
    if not word:
        return None
    code = places.country(word)
    if code is None:
        form.wrong("country", "is not a known country")
    return code
