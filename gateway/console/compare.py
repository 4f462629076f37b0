"""Compare: two to ten offers side by side, and what tells them apart."""

from __future__ import annotations

from urllib.parse import urlencode

from aiohttp import web

from gateway.console.pages import Csv, Pages, View, deps
from gateway.console.prices import index_of
from gateway.prices import price_tables, prices
from gateway.prices.comparison_rules import lines
from providers.kit import places
from schemas.api_prices import ComparedOffer

pages = Pages()
PATH = "/console/compare"
_ID_LENGTH = 60


@pages("GET", PATH, nav="Compare")
async def compare(request: web.Request) -> View:
    """The offers that the address names, in its order."""
    ids = list(dict.fromkeys(request.query.getall("offer", [])))
    country = request.query.get("country", "")
    country = country if places.is_country(country) else ""
    too_many = len(ids) > prices.MOST_COMPARED
    ids = [one[:_ID_LENGTH] for one in ids[: prices.MOST_COMPARED]]
    found = await prices.compare(deps(request).pool, index_of(request), ids)
    told = lines(found.data, country or None) if found.data else []
    context = {
        "offers": found.data,
        "missing": found.missing,
        "lines": told,
        "country": country,
        "country_name": places.country_name(country) if country else "",
        "without": {one.offer_id: _address(found.data, country, leave=one.offer_id) for one in found.data},
        "too_many": too_many,
        "fewest": prices.FEWEST_COMPARED,
        "most": prices.MOST_COMPARED,
        "countries": _shared(found.data),
    }
    csv = Csv("compare", *price_tables.of_comparison(told)) if told else None
    return View("compare.html", context, title="Compare", csv=csv)


def _address(offers: list[ComparedOffer], country: str, *, leave: str) -> str:
    query = [("offer", one.offer_id) for one in offers if one.offer_id != leave]
    return f"{PATH}?{urlencode([*query, *([('country', country)] if country else [])])}"


def _shared(offers: list[ComparedOffer]) -> list[tuple[str, str]]:
    """The countries that all of them cover: those whose networks can be compared."""
    if not offers:
        return []
    codes = set(offers[0].countries).intersection(*(one.countries for one in offers[1:]))
    return sorted(((code, places.country_name(code)) for code in codes), key=lambda one: one[1])
