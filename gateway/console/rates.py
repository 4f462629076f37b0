"""Exchange rates: how old each is and who says so, its history, a form to set one, and those that wait."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from aiohttp import web

from gateway.console.forms import Form, form_data
from gateway.console.pages import (
    Csv,
    Notice,
    Pages,
    PendingDecision,
    View,
    deps_of,
    invalid,
    next_page,
    page_request_of,
    see_other,
    visitor,
)
from gateway.kit.pages import PageRequest
from gateway.kit.problem import Problem
from gateway.kit.sheet import sheet_of
from gateway.pricing import edit_rates, fetch_rates, fx_rows
from gateway.pricing.rate_tables import HISTORY, RATES
from gateway.pricing.rates import rate_report
from schemas.api_rates import ExchangeRatePage, RateEntry, StoredRate

pages = Pages()
_LIST = "/console/rates"
_PAGE, _DRAWN = 60, 800
_DIGITS = 5  # significant ones on a chart
_RATE = Decimal(10) ** 12


@pages("GET", _LIST, nav="Rates")
async def rates(request: web.Request) -> View:
    """Every currency, what is old, and the form to set a rate."""
    deps = deps_of(request)
    return _list(request, await edit_rates.every(deps.pool, deps.settings))


@pages("GET", _LIST + "/{currency}", nav="Rates")
async def rate(request: web.Request) -> View:
    """One currency: its rate, and the history of it as a chart and a table."""
    deps, currency = deps_of(request), request.match_info["currency"]
    every = await edit_rates.every(deps.pool, deps.settings)
    newest = next((row for row in every.data if row.currency == currency), None)
    found = await edit_rates.history(deps.pool, deps.settings, currency, page_request_of(request, _PAGE, fx_rows.SORTS))
    if newest is None and not found.data:
        raise web.HTTPNotFound
    drawn = await edit_rates.history(deps.pool, deps.settings, currency, PageRequest(_DRAWN))
    context = {
        "currency": currency,
        "base": every.base,
        "newest": newest,
        "rows": found.data,
        "next": next_page(request, found),
        "chart": chart_of(drawn.data, currency, every.base),
    }
    sheet = sheet_of(HISTORY, drawn.data)
    return View("rate.html", context, title=f"Rate of {currency}", csv=Csv(f"rate-{currency}", *sheet))


@pages("POST", _LIST + "/set", role="operator", nav="Rates")
async def set_rate(request: web.Request) -> View | web.Response:
    """Set a rate."""
    deps, form = deps_of(request), await form_data(request)
    entry = _entry(form)
    made: Any = None
    if entry is not None:
        made = await edit_rates.set_rate(deps.pool, deps.settings, visitor(request), entry)
        if isinstance(made, Problem):
            for pointer, why in made.errors:
                form.wrong(pointer.strip("/"), why)
    if not form or made is None:
        return invalid(_list(request, await edit_rates.every(deps.pool, deps.settings)), form)
    state = "is in force within a minute" if made.in_force else "is kept; another day's rate stands"
    return see_other(request, f"{_LIST}/{made.currency}", message=f"The rate of {made.currency} {state}.")


@pages("POST", _LIST + "/accept", role="operator", nav="Rates")
async def accept(request: web.Request) -> web.Response:
    """Let a rate that waits be in force, if it is still the one that was seen."""
    deps, form = deps_of(request), await form_data(request)
    currency, day = form.text("currency", required=True, most=4), form.moment("as_of", required=True)
    if day is None:
        raise web.HTTPBadRequest
    made = await edit_rates.accept(deps.pool, deps.settings, visitor(request), currency, day.date())
    message = made.detail if isinstance(made, Problem) else f"The rate of {currency} is in force within a minute"
    return see_other(request, _LIST, message=f"{message}.")


@pages("POST", _LIST + "/update", role="operator", nav="Rates")
async def update(request: web.Request) -> web.Response:
    """Fetch from all sources now."""
    deps = deps_of(request)
    made = await fetch_rates.update(deps.pool, deps.settings, visitor(request))
    if isinstance(made, Problem):
        return see_other(request, _LIST, message=f"{made.detail}.")
    message = (
        f"{source.source}: {source.error or f'{source.rates} rates of {source.as_of}'}" for source in made.sources
    )
    return see_other(request, _LIST, message="; ".join(message))


@pages.notice
async def waiting(request: web.Request) -> list[Notice]:
    """Rates that wait for an operator."""
    deps = deps_of(request)
    found = (await rate_report(deps.pool, deps.settings)).waiting
    if not found:
        return []
    return [Notice("warn", f"exchange rates wait to be accepted: {', '.join(found)}", _LIST, len(found))]


@pages.decision
async def to_accept(request: web.Request) -> PendingDecision:
    """Exchange rates that moved too far in a day."""
    deps = deps_of(request)
    waiting_now = (await rate_report(deps.pool, deps.settings)).waiting
    return PendingDecision("Exchange rates to accept", _LIST, len(waiting_now))


def _list(request: web.Request, found: ExchangeRatePage) -> View:
    context = {
        "rates": found.data,
        "base": found.base,
        "sources": found.sources,
        "configured": bool(deps_of(request).settings.rates.sources),
        "warnings": found.warnings,
    }
    return View("rates.html", context, title="Exchange rates", csv=Csv("rates", *sheet_of(RATES, found.data)))


def chart_of(rows: list[StoredRate], currency: str, base: str) -> str:
    """What the chart draws, as JSON: what one unit of base currency buys, day by day; empty without a history."""
    values = [float(row.per_base) for row in reversed(rows)]
    today = datetime.now(UTC)
    days = [datetime.combine(row.as_of, time.min, UTC) for row in reversed(rows)]
    first = days[0] if days else today
    digits = 2 if not values else max(2, _DIGITS - len(f"{int(max(values))}"))
    return msgspec.json.encode(
        {
            "currency": currency,
            "digits": digits,
            "from": min(first, today - timedelta(days=30)).timestamp(),
            "x": [day.timestamp() for day in days],
            "lines": [{"label": f"1 {base}", "y": values}] if values else [],
            "gaps": [],
        }
    ).decode()


def _entry(form: Form) -> RateEntry | None:
    base, currency = (form.text(name, required=True, most=4).upper() for name in ("base", "currency"))
    figure = form.decimal("rate", required=True, least=0, most=_RATE)
    moment = form.moment("date")
    day: date | None = None if moment is None else moment.date()
    if not form or figure is None:
        return None
    try:
        return msgspec.convert({"base": base, "currency": currency, "rate": f"{figure:f}", "date": day}, RateEntry)
    except msgspec.ValidationError as error:
        _, _, path = str(error).partition(" - at `$.")
        form.wrong(path.strip("`") or "", "must be a currency such as IDR" if "rate" not in path else "is no rate")
        return None
