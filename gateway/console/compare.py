"""Compare: two to ten offers side by side, and what tells them apart; those of a plan are a tab of its page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from gateway.catalog.index import Index
from gateway.console.pages import Csv, Pages, View, deps_of
from gateway.console.plan_page import PLAN, plan_url, plan_view
from gateway.console.prices import index_of
from gateway.prices import price_tables, prices
from gateway.prices.comparison_rules import lines
from providers.kit import places
from schemas.api_prices import ComparedOffer

pages = Pages()
PATH = "/console/compare"
_ID_LENGTH = 60


@pages("GET", PATH, nav="Prices")
async def compare(request: web.Request) -> View:
    """The offers that the address names, in its order, of whatever plans."""
    context, csv = await _comparison(request, index_of(request), request.query.getall("offer", []), PATH)
    return View("compare.html", context, title="Compare", csv=csv)


@pages("GET", f"{PLAN}/compare", nav="Prices")
async def of_plan(request: web.Request) -> View:
    """The offers of a plan, or those of them that the address names."""
    index, plan_id = index_of(request), request.match_info["id"]
    every = [offer.offer_id for offer in prices.plan_offers(index, plan_id)]
    chosen = request.query.getall("offer", []) or every
    context, csv = await _comparison(request, index, chosen, plan_url(plan_id, "compare"))
    return await plan_view(request, index, "compare", {**context, "count": len(every)}, csv)


async def _comparison(
    request: web.Request, index: Index, wanted: Sequence[str], path: str
) -> tuple[dict[str, Any], Csv | None]:
    """What a page at this path shows of these offers, and the same as a file."""
    ids = list(dict.fromkeys(wanted))
    country = request.query.get("country", "")
    country = country if places.is_country(country) else ""
    too_many = len(ids) > prices.MOST_COMPARED
    ids = [offer_id[:_ID_LENGTH] for offer_id in ids[: prices.MOST_COMPARED]]
    found = await prices.compare(deps_of(request).pool, index, ids)
    table = lines(found.data, country or None) if found.data else []
    context = {
        "offers": found.data,
        "missing": found.missing,
        "lines": table,
        "country": country,
        "path": path,
        "without": {offer.offer_id: _address(path, found.data, country, leave=offer.offer_id) for offer in found.data},
        "too_many": too_many,
        "fewest": prices.FEWEST_COMPARED,
        "most": prices.MOST_COMPARED,
        "countries": _shared(found.data),
    }
    return context, Csv("compare", *price_tables.of_comparison(table)) if table else None


def _address(path: str, offers: list[ComparedOffer], country: str, *, leave: str) -> str:
    query = [("offer", offer.offer_id) for offer in offers if offer.offer_id != leave]
    return f"{path}?{urlencode([*query, *([('country', country)] if country else [])])}"


def _shared(offers: list[ComparedOffer]) -> list[tuple[str, str]]:
    """The countries that all of them cover: those whose networks can be compared."""
    if not offers:
        return []
    codes = set(offers[0].countries).intersection(*(offer.countries for offer in offers[1:]))
    return sorted(((code, places.country_name(code)) for code in codes), key=lambda country: country[1])
