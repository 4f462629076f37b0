"""History: what a plan's offers cost over time at each supplier, as a chart and as tables."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from aiohttp import web

from gateway.console.forms import Form, query_form
from gateway.console.pages import Csv, Pages, View, deps_of, mode
from gateway.console.plan_page import PLAN, plan_view
from gateway.console.prices import index_of
from gateway.kit.sheet import sheet_of
from gateway.kit.since import since as moment_of
from gateway.prices.change_tables import history_columns, history_steps
from gateway.prices.history import price_history
from schemas.api import Price
from schemas.api_changes import OfferHistory, PriceHistory
from schemas.money import Money

pages = Pages()
RANGES = (("24h", "24 hours"), ("7d", "7 days"), ("30d", "30 days"), ("90d", "90 days"), ("1y", "a year"))
_USUAL = "30d"
_SHOWN_CHANGES = 100


@pages("GET", f"{PLAN}/history", nav="Prices")
async def history(request: web.Request) -> View:
    """The costs of a plan's offers over time, of all of them or of one, as a chart and as tables."""
    form = query_form(request)
    plan_id = request.match_info["id"]
    offer_id, supplier = form.text("offer", most=60), form.text("supplier", most=40)
    span = form.choice("range", [value for value, _ in RANGES], required=False) or _USUAL
    since = moment_of(span, datetime.now(UTC)) or datetime.now(UTC)
    found = await price_history(
        deps_of(request).pool,
        deps_of(request).settings,
        plan_id,
        since=since,
        mode=mode(request),
        offer_id=offer_id or None,
    )
    context: dict[str, Any] = {
        "found": found,
        "offer": offer_id,
        "range": span,
        "ranges": RANGES,
        "supplier": supplier,
        "suppliers": sorted({offer.supplier for offer in found.offers}) if found is not None else [],
    }
    if found is None:
        return await plan_view(request, index_of(request), "history", context)
    if supplier:
        found = _only(found, supplier)
    context |= {
        "found": found,
        "chart": chart_of(found),
        "now": [(offer, as_money(offer.cost), as_money(offer.cost_base)) for offer in found.offers],
        "steps": [(offer, steps_of(offer, found.until)) for offer in found.offers],
        "changes": [(c, as_money(c.old), as_money(c.new)) for c in found.changes[:_SHOWN_CHANGES]],
    }
    sheet = sheet_of(history_columns(found.currency), history_steps(found))
    csv = Csv(f"history-{plan_id}", sheet.columns, sheet.rows)
    return await plan_view(request, index_of(request), "history", context, csv)


def _only(found: PriceHistory, supplier: str) -> PriceHistory:
    return msgspec.structs.replace(
        found,
        offers=[offer for offer in found.offers if offer.supplier == supplier],
        gaps=[gap for gap in found.gaps if gap.supplier == supplier],
        changes=[change for change in found.changes if change.supplier == supplier],
    )


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
