"""What suppliers ask, side by side: the matrix of countries and suppliers, the offers of a cell, a comparison."""

from __future__ import annotations

from aiohttp import web

from gateway.api import state
from gateway.api.paging import json_answer, pool_of
from gateway.api.parameters import BucketParameters, CompareParameters, PricedOfferParameters, PriceParameters
from gateway.api.problems import Refusal, invalid
from gateway.api.reading import read_query, require_country, unset_to_none
from gateway.api.spec import Table
from gateway.catalog.index import Index
from gateway.catalog.index.matrix import Bucket
from gateway.prices import prices
from providers.kit.places import is_country
from schemas.api_prices import Comparison, PricedOffer, PriceMatrix
from schemas.page import Page

routes = Table()

_COUNTRY_PART = {"country": ("^[A-Z]{2}$", "The country, ISO 3166-1 alpha-2.")}


@routes(
    "GET", "/v1/ops/prices",
    access="ops:read", tag="prices", answer=PriceMatrix, parameters=PriceParameters, problems=("invalid",),
)  # fmt: skip
async def list_prices(request: web.Request) -> web.Response:
    """The matrix of prices.

    For each country, by name, and each supplier the offer that a need of that country alone would buy there: the
    lowest cost in base currency. Regional and unlimited plans compete. `cheapest` names the lowest of the row, by
    the figure that `per` names, and by how much it beats the next.
    """
    sent = read_query(request, PriceParameters)
    index = _index(request, sent)
    for code in sent.country:
        require_country(code)
    region = unset_to_none(sent.region)
    if region is not None and index.snapshot.region(region) is None:
        raise invalid("/region", f"no region {region!r}")
    ask = prices.Ask(
        _bucket(sent, everything=sent.all),
        sent.per,
        tuple(sent.country),
        region,
        sent.page,
    )
    return json_answer(prices.prices(index, ask))


@routes(
    "GET", "/v1/ops/prices/{country}/offers",
    access="ops:read", tag="prices", answer=Page[PricedOffer],
    parts=_COUNTRY_PART, parameters=PricedOfferParameters, problems=("not_found", "invalid"),
)  # fmt: skip
async def list_priced_offers(request: web.Request) -> web.Response:
    """The offers that compete in a country.

    Of one supplier: those of that cell of the matrix. Those that can be sold first, each group cheapest first;
    `why_not` says why one cannot.
    """
    sent = read_query(request, PricedOfferParameters)
    country = request.match_info["country"]
    if not is_country(country):
        raise Refusal("not_found", "there is no such country")
    found = prices.offers(
        _index(request, sent),
        _bucket(sent),
        country,
        unset_to_none(sent.supplier),
        sent.page,
    )
    return json_answer(found)


@routes(
    "GET", "/v1/ops/offers/compare",
    access="ops:read", tag="prices", answer=Comparison,
    parameters=CompareParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def compare_offers(request: web.Request) -> web.Response:
    """Two to ten offers side by side.

    In the order asked for, each once. `missing` names those that are not in the catalogue now.
    """
    sent = read_query(request, CompareParameters)
    return json_answer(await prices.compare(pool_of(request), _index(request, sent), sent.offer))


def _index(request: web.Request, sent: BucketParameters | CompareParameters) -> Index:
    return request.app[state.CATALOG].index(unset_to_none(sent.mode) or request[state.CALLER].mode)


def _bucket(sent: BucketParameters, *, everything: bool = False) -> Bucket:
    return Bucket(
        data_mb=unset_to_none(sent.data_mb),
        days=unset_to_none(sent.days),
        unlimited=sent.unlimited is True,
        exact=sent.exact,
        scope=unset_to_none(sent.scope),
        everything=everything,
        triggers=sent.triggers,
    )
