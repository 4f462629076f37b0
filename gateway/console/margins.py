"""Margins: what is left of each price after fees and cost, the negative and thin ones first."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gateway.catalog.index import Index
from gateway.catalog.index.margins import MarginQuery, ranked
from gateway.console.filters import clean
from gateway.console.forms import Form, query_form
from gateway.console.pages import Csv, Notice, Pages, View, deps_of, is_htmx, mode, next_page, page_request_of
from gateway.console.saved_filters import with_saved_filters
from gateway.kit.pages import Sort
from gateway.prices import margins
from gateway.pricing import pricing_rule_rows
from providers.kit import places
from schemas.api_pricing import OfferMargin
from schemas.money import Money
from schemas.plan import Scope

pages = Pages()
A_PAGE = 100
_ONLY = (("negative", "losses only"), ("thin", "thin margins only"))
_SCOPES = (("country", "one country"), ("region", "regional"), ("global", "global"))


@pages("GET", "/console/margins", nav="Margins")
@with_saved_filters
async def list_(request: web.Request) -> View:
    """A hundred offers at a time; htmx fetches the next hundred when they come into sight."""
    deps, form = deps_of(request), query_form(request)
    storefronts = await pricing_rule_rows.storefronts(deps.pool)
    storefront = form.text("storefront") or None
    index = index_of(request, storefront)
    fees = margins.fees_of(deps.settings)
    wanted = _asked(form, index)
    page_request = page_request_of(request, A_PAGE, margins.SORTS)
    found = margins.page(index, fees, wanted, page_request)
    context: dict[str, Any] = {
        "rows": [_figures(margin) for margin in found.data],
        "next": next_page(request, found),
        "currency": index.base_currency,
    }
    if is_htmx(request) and page_request.cursor is not None:
        return View("_margins_rows.html", context)
    context |= {
        "summary": found.summary,
        "fees": (fees.percent, Money(fees.fixed, index.base_currency)),
        "filters_typed": form.typed,
        "wrong": form.errors,
        "storefronts": list(storefronts.items()),
        "suppliers": index.snapshot.suppliers,
        "regions": sorted(((code, name) for code, name, _ in index.snapshot.regions), key=lambda region: region[1]),
        "rules": _rules(index),
        "scopes": _SCOPES,
        "only": _ONLY,
        "first": page_request.cursor is None,
    }
    return View(
        "margins.html", context, title="Margins", csv=Csv("margins", *_file(request, index, wanted, page_request.sort))
    )


@pages.notice
async def losses(request: web.Request) -> list[Notice]:
    """Offers that are sold at a loss, after fees."""
    index = index_of(request, None)
    lost = ranked(index, margins.fees_of(deps_of(request).settings), MarginQuery(negative=True))
    if not len(lost.rows):
        return []
    return [Notice("warn", "offers are sold at a loss after fees", "/console/margins?only=negative", len(lost.rows))]


def index_of(request: web.Request, storefront_id: str | None) -> Index:
    """The catalogue of the side that the visitor looks at, priced for a storefront."""
    index = deps_of(request).index
    if index is None:
        raise web.HTTPServiceUnavailable
    return index(mode(request), storefront_id)


def _asked(form: Form, index: Index) -> MarginQuery:
    """The filters; what is wrong with them is noted in the form, and left out."""
    country = None
    if typed := form.text("country", most=60):
        country = places.country(typed) or places.country(typed.upper())
        if country is None:
            form.wrong("country", f"{typed[:40]} is not a known country")
    rule = form.whole("rule", least=0, most=len(index.rules.rules))
    only = form.choice("only", ("negative", "thin"), required=False)
    return MarginQuery(
        supplier=form.text("supplier", most=40) or None,
        country=country,
        region=form.choice("region", [code for code, _, _ in index.snapshot.regions], required=False) or None,
        scope=Scope(scope) if (scope := form.choice("scope", [s.value for s in Scope], required=False)) else None,
        rule=rule,
        negative=only == "negative",
        thin=only == "thin",
        below=form.decimal("below", least=-1000, most=100),
        everything=form.ticked("all"),
        triggers=form.ticked("triggers"),
    )


def _rules(index: Index) -> list[tuple[str, str]]:
    """The rules of the set, to choose among, the default last."""
    numbers = range(len(index.rules.rules) + 1)
    return [(str(number), clean(index.rules.describe(number))[:60]) for number in numbers]


def _file(request: web.Request, index: Index, wanted: MarginQuery, sort: Sort | None) -> tuple[Any, Any]:
    if request.query.get("format") != "csv":
        return (), ()
    found = margins.sheet(index, margins.fees_of(deps_of(request).settings), wanted, sort)
    return found.columns, found.rows


def _figures(margin: OfferMargin) -> dict[str, Any]:
    """A row as the page draws it."""
    return {
        "margin": margin,
        "level": "bad" if margin.negative else "warn" if margin.why_not == "thin_margin" else "",
        "same": margin.cost.currency == margin.cost_base.currency,
    }
