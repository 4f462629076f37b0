"""History: what a plan's offers cost over time at each supplier, as a chart and as tables."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from gateway.console.forms import Form, query_form
from gateway.console.pages import Csv, Pages, View, deps_of, mode
from gateway.kit.sheet import sheet_of
from gateway.kit.since import since as moment_of
from gateway.prices.change_rules import ChangeFilter
from gateway.prices.change_tables import history_columns, history_steps
from gateway.prices.changes import largest_moves
from gateway.prices.history import plan_of, price_history
from gateway.prices.prices import FEWEST_COMPARED, MOST_COMPARED
from schemas.api import Price
from schemas.api_changes import OfferHistory, PriceHistory
from schemas.money import Money

pages = Pages()
RANGES = (("24h", "24 hours"), ("7d", "7 days"), ("30d", "30 days"), ("90d", "90 days"), ("1y", "a year"))
_USUAL = "30d"
_MOVES = 15
_SHOWN_CHANGES = 100


@pages("GET", "/console/history", nav="History")
async def history(request: web.Request) -> View:
    """The history of one plan, or what moved most lately for those who have none in mind."""
    form = query_form(request)
    span = form.choice("range", [value for value, _ in RANGES], required=False) or _USUAL
    plan_id, offer_id = form.text("plan", most=100), form.text("offer", most=60)
    if plan_id.startswith("off_"):
        plan_id, offer_id = "", plan_id
    since = moment_of(span, datetime.now(UTC)) or datetime.now(UTC)
    context: dict[str, Any] = {"plan": plan_id, "offer": offer_id, "range": span, "ranges": RANGES, "supplier": ""}
    pool = deps_of(request).pool
    if offer_id and not plan_id:
        plan_id = context["plan"] = await plan_of(pool, offer_id) or ""
    if not plan_id:
        return await _start(request, context)
    supplier = context["supplier"] = form.text("supplier", most=40)
    found = await price_history(
        pool, deps_of(request).settings, plan_id, since=since, mode=mode(request), offer_id=offer_id or None
    )
    if found is None:
        return View("history.html", {**context, "found": None, "moves": []}, title="History")
    suppliers = sorted({offer.supplier for offer in found.offers})
    if supplier:
        found = _only(found, supplier)
    sheet = sheet_of(history_columns(found.currency), history_steps(found))
    context |= {
        "found": found,
        "suppliers": suppliers,
        "several": {o.supplier for o in found.offers if sum(o.supplier == x.supplier for x in found.offers) > 1},
        "name": found.offers[0].name if found.offers else plan_id,
        "compare_url": _compare(found),
        "chart": chart_of(found),
        "now": [(offer, as_money(offer.cost), as_money(offer.cost_base)) for offer in found.offers],
        "steps": [(offer, steps_of(offer, found.until)) for offer in found.offers],
        "changes": [(c, as_money(c.old), as_money(c.new)) for c in found.changes[:_SHOWN_CHANGES]],
        "moves": [],
    }
    return View("history.html", context, title="History", csv=Csv(f"history-{plan_id}", sheet.columns, sheet.rows))


async def _start(request: web.Request, context: dict[str, Any]) -> View:
    since = moment_of("7d", datetime.now(UTC))
    wanted = ChangeFilter(since=since, mode=mode(request))
    moves = await largest_moves(deps_of(request).pool, deps_of(request).settings, wanted, _MOVES)
    missed = bool(context["offer"])
    rows = [(move, as_money(move.old), as_money(move.new)) for move in moves]
    return View("history.html", {**context, "found": None, "moves": rows, "missed": missed}, title="History")


def _only(found: PriceHistory, supplier: str) -> PriceHistory:
    return msgspec.structs.replace(
        found,
        offers=[offer for offer in found.offers if offer.supplier == supplier],
        gaps=[gap for gap in found.gaps if gap.supplier == supplier],
        changes=[change for change in found.changes if change.supplier == supplier],
    )


def _compare(found: PriceHistory) -> str | None:
    """The page that compares the offers of today; None where there are not two."""
    there = [offer.offer_id for offer in found.offers if offer.gone_at is None][:MOST_COMPARED]
    return f"/console/compare?{urlencode({'offer': there}, doseq=True)}" if len(there) >= FEWEST_COMPARED else None


def chart_of(found: PriceHistory) -> str:
    """What the chart draws, as JSON: moments, a line of costs for each offer, and the spans without a sync."""
    moments = sorted({found.until, *(step.at for offer in found.offers for step in offer.steps)})
    return msgspec.json.encode(
        {
            "currency": found.currency,
            "from": moments[0].timestamp(),
            "x": [moment.timestamp() for moment in moments],
            "lines": [
                {"label": f"{offer.supplier} {offer.supplier_plan_id}"[:60], "y": _line(offer, moments)}
                for offer in found.offers
                if offer.steps
            ],
            "gaps": [
                [gap.since.timestamp(), gap.until.timestamp()] for supplier in found.gaps for gap in supplier.gaps
            ],
        }
    ).decode()


def _line(offer: OfferHistory, moments: list[datetime]) -> list[float | None]:
    line: list[float | None] = []
    at, value = 0, None
    for moment in moments:
        while at < len(offer.steps) and offer.steps[at].at <= moment:
            cost = offer.steps[at].cost_base
            value = None if cost is None else float(cost.amount)
            at += 1
        line.append(value)
    return line


def steps_of(offer: OfferHistory, until: datetime) -> list[tuple[datetime, datetime, Money | None, Money | None]]:
    """From when until when an offer cost what, the newest first."""
    ends = [*(step.at for step in offer.steps[1:]), until]
    steps = [(step.at, end, as_money(step.cost), as_money(step.cost_base)) for step, end in zip(offer.steps, ends)]  # noqa: B905
    return steps[::-1]


def as_money(price: Price | None) -> Money | None:
    """Money to be shown."""
    return None if price is None else Money(Decimal(price.amount), price.currency)


def since_of(form: Form, last_visit: datetime | None, usual: str = "") -> datetime | None:
    """From when on a page shows what changed: a date, a span, or the end of the last visit; None: all of it."""
    day = form.moment("from")
    if day is not None:
        return day
    word = form.text("since", most=40) or usual
    if not word:
        return None
    if word == "visit":
        return last_visit or moment_of("24h", datetime.now(UTC))
    found = moment_of(word, datetime.now(UTC))
    if found is None:
        form.wrong("since", "is no time")
    return found
