"""Changes: what moved at the suppliers, one by one and summed up, and what waits to be accepted or refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

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
from gateway.kit.sheet import sheet_of
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
async def changes(request: web.Request) -> View:
    """The feed, the newest first, with its filters in the address."""
    form, deps = query_form(request), deps_of(request)
    user = visitor(request)
    wanted = ChangeFilter(
        kinds=frozenset(kind for kind in KINDS if kind in form.all("kind")),
        suppliers=tuple(filter(None, [form.text("supplier", most=40)])),
        mode=mode(request),
        country=_country(form),
        plan_id=form.text("plan", most=100) or None,
        since=since_of(form, user.last_visit),
        min_percent=form.decimal("percent", least=0, most=1_000_000),
        min_amount=form.decimal("amount", least=0, most=1_000_000),
    )
    base = deps.settings.base_currency
    found = await flow.feed(deps.pool, deps.settings, wanted, page_request_of(request, _PAGE))
    sheet = sheet_of(CHANGES, found.data)
    context = {
        "rows": [(row, as_money(row.old), as_money(row.new)) for row in found.data],
        "next": next_page(request, found),
        "kinds": [(kind, kind in wanted.kinds) for kind in KINDS],
        "wanted": wanted,
        "filters_typed": form.typed,
        "errors": form.errors,
        "spans": SINCE,
        "suppliers": await flow.suppliers_of(deps.pool, mode(request)),
        "quarantines": await waiting(deps.pool, mode(request)),
        "currency": base,
        "last_visit": user.last_visit,
    }
    return View("changes.html", context, title="Changes", csv=Csv("changes", sheet.columns, sheet.rows))


@pages("GET", "/console/changes/since", nav="Changes")
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
        "countries": [(country, places.country_name(country.country)) for country in found.countries],
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
