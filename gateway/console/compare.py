"""Compare: two to ten offers side by side, and what tells them apart."""

from __future__ import annotations

from urllib.parse import urlencode

from aiohttp import web

from gateway.console.pages import Csv, Pages, View, deps_of
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
    ids = [offer_id[:_ID_LENGTH] for offer_id in ids[: prices.MOST_COMPARED]]
    found = await prices.compare(deps_of(request).pool, index_of(request), ids)
    table = lines(found.data, country or None) if found.data else []
    context = {
        "offers": found.data,
        "missing": found.missing,
        "lines": table,
        "country": country,
        "country_name": places.country_name(country) if country else "",
        "without": {offer.offer_id: _address(found.data, country, leave=offer.offer_id) for offer in found.data},
        "too_many": too_many,
        "fewest": prices.FEWEST_COMPARED,
        "most": prices.MOST_COMPARED,
        "countries": _shared(found.data),
    }
    csv = Csv("compare", *price_tables.of_comparison(table)) if table else None
    return View("compare.html", context, title="Compare", csv=csv)


def _address(offers: list[ComparedOffer], country: str, *, leave: str) -> str:
    query = [("offer", offer.offer_id) for offer in offers if offer.offer_id != leave]
    return f"{PATH}?{urlencode([*query, *([('country', country)] if country else [])])}"


def _shared(offers: list[ComparedOffer]) -> list[tuple[str, str]]:
    """The countries that all of them cover: those whose networks can be compared."""
    if not offers:
        return []
    codes = set(offers[0].countries).intersection(*(offer.countries for offer in offers[1:]))
    return sorted(((code, places.country_name(code)) for code in codes), key=lambda country: country[1])
