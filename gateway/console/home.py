"""The first page: how the shop does today, and what needs attention; and the search over all parts of the console.

What needs attention, and what waits for a decision, each part of the console tells of itself. A part that fails is
missing from the page and does not take it away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from aiohttp import web

from gateway.alerts import alert_rows
from gateway.console.decisions import or_none, pending_decisions
from gateway.console.history import as_money
from gateway.console.pages import (
    FINDERS,
    NOTICES,
    Hit,
    Notice,
    Pages,
    View,
    deps_of,
    mode,
    own_address,
    see_other,
    visitor,
)
from gateway.console.suppliers import FEW_DAYS, figures_of_mode
from gateway.kit.pages import PageRequest
from gateway.operations.setup import setup_checklist
from gateway.operations.setup_rules import SetupStep
from gateway.orders.rules.sales import AttemptCounts, DaySales, Sales, change
from gateway.orders.sales import ShopSales, shop_sales
from gateway.prices import changes
from gateway.prices.change_rules import ChangeFilter, news_since
from schemas.money import Money

pages = Pages()
_LEVELS = ("bad", "warn", "info")
_MOST = 4  # notices of one part that show at once
_BEST = 5  # suppliers and countries
_ACCOUNTS = 8  # those whose money runs out first
_MOVES = 5
_ALERTS = 5
_LONGEST_QUESTION = 200
# What each step of the set-up is, and where it is done.
_SETUP: Mapping[SetupStep, tuple[str, str]] = {
    "supplier": ("Configure a supplier", "/console/suppliers"),
    "sync": ("Sync its catalogue", "/console/sync-runs"),
    "key": ("Create a storefront with an API key", "/console/storefronts"),
    "pricing_rule": ("Add a pricing rule", "/console/pricing-rules"),
    "rates": ("Load exchange rates", "/console/rates"),
    "alert_channel": ("Add a channel for alerts", "/console/alerts"),
    "webhook": ("Add a webhook endpoint for a storefront", "/console/storefronts"),
}


@pages("GET", "/console", nav="Home")
async def home(request: web.Request) -> View:
    """The shop in figures beside what needs attention, the worst first."""
    app = request.app
    notices, decisions, parts = await asyncio.gather(
        asyncio.gather(*(or_none(source(request)) for source in app[NOTICES])),
        pending_decisions(request),
        asyncio.gather(*(or_none(part(request)) for part in (_sales, _money, _moves, _alerts, _setup))),
    )
    shown_parts = [sorted(part, key=_weight) for part in notices if part]
    shown_parts.sort(key=lambda part: _weight(part[0]))
    sales, money, moves, alerts, setup = parts
    context = {
        "parts": shown_parts,
        "most": _MOST,
        "failed": sum(part is None for part in (*notices, *decisions, *parts)),
        "decisions": sorted((d for d in decisions if d is not None), key=lambda decision: not decision.count),
        "sales": sales,
        "money_left": money,
        "moves": moves,
        "alerts": alerts,
        "setup": setup,
    }
    return View("home.html", context, title="Home")


@pages("GET", "/console/search")
async def search(request: web.Request) -> View | web.Response:
    """Everything that a word leads to; at once there where only one thing can be meant."""
    question = request.query.get("q", "").strip()[:_LONGEST_QUESTION]
    groups: list[tuple[str, Sequence[Hit]]] = []
    if question:
        finders = request.app[FINDERS]
        found = await asyncio.gather(*(or_none(finds(request, question)) for _, finds in finders))
        groups = [(kind, hits) for (kind, _), hits in zip(finders, found, strict=True) if hits]
        certain = [hit for _, hits in groups for hit in hits if hit.only]
        if len(certain) == 1:
            return see_other(request, certain[0].url)
    return View("search.html", {"searched": question, "groups": groups}, title="Search")


# -- parts of the first page: each a mapping for the template ---------------------------------------------------------


async def _sales(request: web.Request) -> Mapping[str, Any]:
    """Today's sales beside those of the same weekday a week before, and two weeks day by day."""
    deps = deps_of(request)
    found = await shop_sales(deps, mode(request), deps.clock(), _BEST)
    sold = [(day, _amount(day.revenue, found.base)) for day in found.days]
    return {
        "base": found.base,
        "spans": found.spans,
        "tiles": _tiles(found),
        "unknown_costs": found.today.unknown_costs,
        "charts": [
            ("Orders", _chart("Orders", [(day, Decimal(day.orders)) for day in found.days], "")),
            (f"Revenue, {found.base}", _chart("Revenue", [(day, revenue.amount) for day, revenue in sold], found.base)),
        ],
        "days": sold[::-1],
        "suppliers": [
            _line(each.line.name, each.line.today, each.line.before, found.base, each.today, each.before)
            for each in found.suppliers
        ],
        "countries": [_line(line.name, line.today, line.before, found.base) for line in found.countries],
    }


async def _money(request: web.Request) -> Mapping[str, Any]:
    """Our money at the suppliers, that first which runs out first."""
    found = [figures.balance for figures in (await figures_of_mode(request)).data]
    soonest = sorted(found, key=lambda b: (b.days_left is None, b.days_left or 0, b.supplier))
    return {
        "rows": [(balance, as_money(balance.spendable)) for balance in soonest[:_ACCOUNTS]],
        "rest": max(0, len(soonest) - _ACCOUNTS),
        "few_days": FEW_DAYS,
    }


async def _moves(request: web.Request) -> Mapping[str, Any]:
    """What moved at the suppliers since the visitor was last here."""
    deps, last_visit = deps_of(request), visitor(request).last_visit
    since = news_since(last_visit, deps.clock())
    wanted = ChangeFilter(since=since, mode=mode(request))
    suppliers, largest = await asyncio.gather(
        changes.by_supplier(deps.pool, since, mode(request)),
        changes.largest_moves(deps.pool, deps.settings, wanted, _MOVES),
    )
    counts = [(word, sum(getattr(supplier, word) for supplier in suppliers)) for word in ("up", "down", "new", "gone")]
    return {
        "since": since,
        "visited": last_visit is not None,
        "counts": counts,
        "largest": [(moved, as_money(moved.old), as_money(moved.new)) for moved in largest],
        "any": any(count for _, count in counts) or bool(largest),
    }


async def _alerts(request: web.Request) -> Mapping[str, Any]:
    """The open alerts that were raised last."""
    pool = deps_of(request).pool
    found, counts = await asyncio.gather(
        alert_rows.newest(pool, PageRequest(_ALERTS), state="standing"), alert_rows.counts(pool)
    )
    return {
        "rows": [(alert, own_address(alert.link, "/console/alerts")) for alert in found.data],
        "count": sum(counts.values()),
    }


async def _setup(request: web.Request) -> Mapping[str, Any]:
    """The steps of the set-up; nothing once all are done."""
    deps = deps_of(request)
    found = await setup_checklist(deps.pool, deps.settings, mode(request))
    if found is None:
        return {}
    steps = [(*_SETUP[step], done) for step, done in found.steps]
    return {"steps": steps, "done": found.done, "sells": found.sells}


# -- how figures are put together -------------------------------------------------------------------------------------


def _tiles(found: ShopSales) -> list[dict[str, Any]]:
    """The four figures of the day: each now, a week before, the change, and that whole day where it is known."""
    today, before, base = found.today, found.before, found.base
    return [
        {
            "name": "Orders",
            "now": today.orders,
            "before": before.orders,
            "change": change(today.orders, before.orders),
            "whole_day": found.week_ago.orders,
        },
        {
            "name": "Revenue",
            "now": _amount(today.revenue, base),
            "before": _amount(before.revenue, base),
            "change": change(today.revenue, before.revenue),
            "whole_day": _amount(found.week_ago.revenue, base),
        },
        {
            "name": "Margin",
            "now": _amount(today.margin, base),
            "before": _amount(before.margin, base),
            "change": change(today.margin, before.margin),
            "share": today.margin_share,
        },
        {"name": "Success rate", "rate": today.success_rate, "rate_before": before.success_rate, "open": _open(today)},
    ]


def _line(
    name: str | None,
    today: Sales,
    before: Sales,
    base: str,
    ended: AttemptCounts | None = None,
    ended_before: AttemptCounts | None = None,
) -> dict[str, Any]:
    """A supplier or country with its figures. Without counts of attempts its success is that of its orders."""
    return {
        "name": name,
        "orders": today.orders,
        "orders_before": before.orders,
        "revenue": _amount(today.revenue, base),
        "revenue_before": _amount(before.revenue, base),
        "margin": _amount(today.margin, base),
        "rate": (today if ended is None else ended).success_rate,
        "rate_before": (before if ended_before is None else ended_before).success_rate,
    }


def _chart(name: str, days: Sequence[tuple[DaySales, Decimal]], unit: str) -> dict[str, Any]:
    """What a bar chart of days needs: the bars with their names, and the whole in words."""
    values = [value for _, value in days]
    said = [f"{sold.day:%a} {sold.day.day} {sold.day:%b}: {value:,f} {unit}".strip() for sold, value in days]
    most, least = f"{max(values):,f} {unit}".strip(), f"{min(values):,f} {unit}".strip()
    return {
        "bars": list(zip(said, values, strict=True)),
        "label": f"{name} of the last {len(days)} days: {least} to {most} a day. Today so far: {said[-1]}.",
        "first": days[0][0].day,
        "most": most,
    }


def _amount(amount: Decimal, base: str) -> Money:
    return Money(amount, base).rounded_half_up()


def _open(sales: Sales) -> int:
    return sales.orders - sales.succeeded - sales.failed


def _weight(notice: Notice) -> int:
    return _LEVELS.index(notice.level)
