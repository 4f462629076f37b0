"""The catalogue as storefronts read it: plans, countries, regions. Answered from memory alone."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from aiohttp import web

from gateway.api import state
from gateway.api.answers import Answer
from gateway.api.parameters import CurrencyParameters, PlanParameters
from gateway.api.problems import Refusal, invalid, left_catalogue
from gateway.api.reading import clamped, read_query, require_country, unset_to_none
from gateway.api.spec import Table
from gateway.catalog import wanted_rules
from gateway.catalog.index import Gone, Index, InStock, PlanQuery, QueryError
from gateway.catalog.wanted_rules import InvalidFeature
from schemas.api import CountryList, OfferList, Plan, PlanList, RegionList
from schemas.features import Wanted
from schemas.quotes import NeedFeatures

routes = Table()

_PLAN_PART = {"plan_id": ("^[a-z0-9][a-z0-9.-]{0,99}$", "The plan's `id`.")}
# What the index calls a field is not always what the query calls it.
_NAMES = {"countries": "country"}


@routes(
    "GET", "/v1/plans",
    access="catalog", tag="catalog", answer=PlanList, parameters=PlanParameters, problems=("invalid", "no_rate"),
    cached=True,
)  # fmt: skip
async def list_plans(request: web.Request) -> Answer:
    """List plans.

    Each with the cheapest offer in stock that meets the filters, the cheapest plan first. Send the answer's ETag
    as If-None-Match to learn cheaply that nothing changed.
    """
    sent = read_query(request, PlanParameters)
    query = PlanQuery(
        countries=_known_countries(sent.country),
        region=unset_to_none(sent.region),
        scope=unset_to_none(sent.scope),
        min_data_mb=unset_to_none(sent.min_data_mb),
        unlimited=unset_to_none(sent.unlimited),
        min_days=unset_to_none(sent.min_days),
        max_days=unset_to_none(sent.max_days),
        wanted=wanted(sent),
        max_price=Decimal(sent.max_price) if sent.max_price is not msgspec.UNSET else None,
        currency=unset_to_none(sent.currency),
        in_stock=InStock(sent.in_stock),
        q=unset_to_none(sent.q),
        updated_since=clamped(sent.updated_since) if sent.updated_since is not msgspec.UNSET else None,
        sort=sent.sort,
        limit=sent.limit,
        cursor=unset_to_none(sent.cursor),
        triggers=sent.triggers,
        networks=bool(sent.expand) or request.app[state.SETTINGS].catalog.networks_in_lists,
    )
    try:
        body = index_of(request).plans(query).body
    except QueryError as error:
        raise question(error) from None
    return _remember(request, body)


@routes(
    "GET", "/v1/plans/{plan_id}",
    access="catalog", tag="catalog", answer=Plan, parts=_PLAN_PART,
    parameters=CurrencyParameters, problems=("not_found", "gone", "plan_replaced", "invalid", "no_rate"), cached=True,
)  # fmt: skip
async def get_plan(request: web.Request) -> Answer:
    """One plan.

    410 when it was in the catalogue once and has left it.
    """
    sent = read_query(request, CurrencyParameters)
    try:
        found = index_of(request).plan(request.match_info["plan_id"], unset_to_none(sent.currency))
    except QueryError as error:
        raise question(error) from None
    return _remember(request, _there(found))


@routes(
    "GET", "/v1/plans/{plan_id}/offers",
    access="ops:read", tag="offers", answer=OfferList, parts=_PLAN_PART,
    parameters=CurrencyParameters, problems=("not_found", "gone", "plan_replaced", "invalid", "no_rate"), cached=True,
)  # fmt: skip
async def list_plan_offers(request: web.Request) -> Answer:
    """The offers of a plan, with what they cost.

    Those that can be sold first, each group cheapest first; `why_not` says why one cannot.
    """
    sent = read_query(request, CurrencyParameters)
    try:
        found = index_of(request).offers(request.match_info["plan_id"], unset_to_none(sent.currency))
    except QueryError as error:
        raise question(error) from None
    return _remember(request, _there(found), keep=False)  # what is kept is given to every key


@routes(
    "GET", "/v1/countries",
    access="catalog", tag="catalog", answer=CountryList,
    parameters=CurrencyParameters, problems=("invalid", "no_rate"), cached=True,
)  # fmt: skip
async def list_countries(request: web.Request) -> Answer:
    """Countries that plans in stock cover.

    With how many, and the lowest price.
    """
    sent = read_query(request, CurrencyParameters)
    try:
        return _remember(request, index_of(request).countries(unset_to_none(sent.currency)))
    except QueryError as error:
        raise question(error) from None


@routes(
    "GET", "/v1/regions",
    access="catalog", tag="catalog", answer=RegionList,
    parameters=CurrencyParameters, problems=("invalid", "no_rate"), cached=True,
)  # fmt: skip
async def list_regions(request: web.Request) -> Answer:
    """Regions.

    Named groups of countries, with how many plans in stock are of each and the lowest price.
    """
    sent = read_query(request, CurrencyParameters)
    try:
        return _remember(request, index_of(request).regions(unset_to_none(sent.currency)))
    except QueryError as error:
        raise question(error) from None


def index_of(request: web.Request) -> Index:
    """The catalogue of the caller's mode, priced for its storefront."""
    caller = request[state.CALLER]
    return request.app[state.CATALOG].index(caller.mode, caller.key.storefront_id)


def wanted(sent: PlanParameters | NeedFeatures) -> Wanted:
    """The features asked for. Raises ``Refusal`` for a country that is none."""
    try:
        return wanted_rules.read(sent)
    except InvalidFeature as error:
        prefix = "/features" if isinstance(sent, NeedFeatures) else ""
        raise invalid(f"{prefix}/{error.feature}", error.detail) from None


def question(error: QueryError, names: dict[str, str] | None = None) -> Refusal:
    """The 422 for what the index cannot answer."""
    name = (_NAMES if names is None else names).get(error.parameter, error.parameter)
    return Refusal(error.code, f"{name}: {error.detail}", errors=[(f"/{name}", error.detail)])


def _known_countries(codes: list[str]) -> tuple[str, ...]:
    for code in codes:
        require_country(code)
    return tuple(sorted(set(codes)))


def _there(found: bytes | Gone | None) -> bytes:
    if found is None:
        raise Refusal("not_found", "there is no such plan")
    if isinstance(found, Gone):
        raise left_catalogue(f"this plan left the catalogue at {found.gone_at:%Y-%m-%dT%H:%M:%SZ}", found.successors)
    return found


def _remember(request: web.Request, body: bytes, *, keep: bool = True) -> Answer:
    request.app[state.METRICS].computed.inc()
    memory = request.app[state.MEMORIES].of(index_of(request))
    resource = request.match_info.route.resource
    route = resource.canonical if resource is not None else ""
    return memory.answer(request.raw_path, body, route, request.app[state.HEADS], keep=keep)
