"""History of a need: what the cheapest offer of each supplier cost over time in a country, for an amount and days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
from aiohttp import web

from gateway.console import buckets
from gateway.console.history import RANGES
from gateway.console.pages import Csv, Pages, View, deps_of
from gateway.console.prices import index_of
from gateway.console.saved_filters import with_saved_filters
from gateway.kit.sheet import Columns, columns, sheet_of
from gateway.kit.since import since as moment_of
from gateway.prices.need_history import NeedHistory, need_history
from gateway.prices.need_history_rules import CheapestStep, SupplierLine
from providers.kit import places
from schemas.money import Money

pages = Pages()
_USUAL = "30d"
_MOST_STEPS = 100  # of all suppliers together; the file has every one


class Span(msgspec.Struct, frozen=True):
    """What was cheapest at a supplier from one moment until another."""

    supplier: str
    step: CheapestStep
    until: datetime


@pages("GET", "/console/prices/{country}/history", nav="Prices")
@with_saved_filters
async def need(request: web.Request) -> View:
    """The cheapest cost of each supplier over time, as a chart and as tables."""
    code = request.match_info["country"]
    if not places.is_country(code):
        raise web.HTTPNotFound
    index, deps = index_of(request), deps_of(request)
    filters = buckets.read(request, index)
    span = filters.form.choice("range", [value for value, _ in RANGES], required=False) or _USUAL
    since = moment_of(span, datetime.now(UTC)) or datetime.now(UTC) - timedelta(days=30)
    found = await need_history(deps.pool, deps.settings, index, filters.bucket, code, since)
    spans = [each for line in found.lines for each in spans_of(line, found.until)]
    context = {
        "selection": filters,
        "country": code,
        "found": found,
        "range": span,
        "ranges": RANGES,
        "chart": chart_of(found),
        "now": [(line, line.now.offer, _money(line.now.cost, found.currency)) for line in found.lines],
        "spans": [
            (each, _money(each.step.cost, found.currency))
            for each in sorted(spans, key=lambda each: each.step.at, reverse=True)[:_MOST_STEPS]
        ],
    }
    title = f"History of {places.country_name(code)}"
    csv = Csv(f"history-{code.lower()}", *sheet_of(_columns(found.currency), spans))
    return View("need_history.html", context, title=title, csv=csv)


def spans_of(line: SupplierLine, until: datetime) -> list[Span]:
    """The steps of a supplier with their ends, the newest first."""
    ends = [*(step.at for step in line.steps[1:]), until]
    return [Span(line.supplier, step, end) for step, end in zip(line.steps, ends, strict=True)][::-1]


def _columns(currency: str) -> Columns:
    return columns(
        f"supplier, from=step.at, until, cost {currency}=step.cost, supplier's id=step.offer.supplier_plan_id",
        "offer=step.offer.id, name=step.offer.name",
    )


def _money(cost: Decimal | None, currency: str) -> Money | None:
    return None if cost is None else Money(cost, currency)


def chart_of(found: NeedHistory) -> str:
    """What the chart draws, as JSON: moments, a line of costs for each supplier, and the spans without a sync."""
    moments = sorted({found.until, *(step.at for line in found.lines for step in line.steps)})
    return msgspec.json.encode(
        {
            "currency": found.currency,
            "from": found.since.timestamp(),
            "x": [moment.timestamp() for moment in moments],
            "lines": [{"label": line.supplier, "y": _costs(line, moments)} for line in found.lines],
            "gaps": [
                [gap.since.timestamp(), gap.until.timestamp()] for supplier in found.gaps for gap in supplier.gaps
            ],
        }
    ).decode()


def _costs(line: SupplierLine, moments: list[datetime]) -> list[float | None]:
    costs: list[float | None] = []
    at, value = 0, None
    for moment in moments:
        while at < len(line.steps) and line.steps[at].at <= moment:
            cost = line.steps[at].cost
            value = None if cost is None else round(float(cost), 4)
            at += 1
        costs.append(value)
    return costs
