"""Quotes: the cheapest plan in stock for a need, its price held."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from aiohttp import web

from gateway.api import state
from gateway.api.catalog import index_of, question, wanted
from gateway.api.parameters import NoParameters
from gateway.api.problems import Refusal, invalid, left_catalogue
from gateway.api.reading import read_body, read_query, unset_to_none
from gateway.api.spec import Table
from gateway.catalog.index import Missed, Need, NoMatch, QueryError
from gateway.catalog.quote import make_quote
from providers.kit.places import is_country, unknown_country
from schemas.api import Plan
from schemas.features import Wanted
from schemas.problems import MissedThing, NearestPlan
from schemas.quotes import Quote, QuoteForNeed, QuoteForPlan

routes = Table()


@routes(
    "POST", "/v1/quotes",
    access="storefront", tag="quotes", status=201, answer=Quote,
    parameters=NoParameters, bodies=(QuoteForPlan, QuoteForNeed), body_example={"countries": ["JP", "KR"]},
    problems=("no_plan", "no_stock", "gone", "plan_replaced", "invalid", "no_rate"),
)  # fmt: skip
async def create_quote(request: web.Request) -> web.Response:
    """Create a quote.

    Send a need (countries, data, days, features) or a plan's id. The answer is the cheapest plan in stock that meets
    it, its price held until `expires_at`, and why it was chosen. Regional and unlimited plans compete with local ones.
    404 `no_plan` says what was missing, and lists in `nearest` up to three plans that miss the least of it, the
    cheapest first; 409 `no_stock`: plans match, but none can be sold now.
    """
    read_query(request, NoParameters)
    sent: QuoteForPlan | QuoteForNeed = await read_body(request, QuoteForPlan, QuoteForNeed)
    caller = request[state.CALLER]
    try:
        quote = make_quote(
            index_of(request),
            _need(sent),
            request.app[state.SETTINGS],
            storefront=caller.key.storefront_id,
            mode=caller.mode,
            now=datetime.now(UTC),
        )
    except QueryError as error:
        raise question(error, {}) from None
    if isinstance(quote, NoMatch):
        if quote.gone:
            raise left_catalogue(quote.missing, quote.successors)
        raise Refusal(quote.code, quote.missing, nearest=[_near(*near) for near in quote.nearest])
    return web.Response(status=201, body=quote.body, content_type="application/json")


def _near(plan: bytes, missed: tuple[Missed, ...]) -> NearestPlan:
    misses = [MissedThing(thing.what, thing.wanted, thing.has) for thing in missed]
    return NearestPlan(msgspec.json.decode(plan, type=Plan), misses)


def _need(sent: QuoteForPlan | QuoteForNeed) -> Need:
    features = wanted(sent.features) if sent.features is not msgspec.UNSET else Wanted()
    if isinstance(sent, QuoteForPlan):
        return Need(plan_id=sent.plan_id, wanted=features, currency=unset_to_none(sent.currency))
    for place, code in enumerate(sent.countries):
        if not is_country(code):
            raise invalid(f"/countries/{place}", unknown_country(code))
    return Need(
        countries=tuple(sorted(set(sent.countries))),
        data_mb=unset_to_none(sent.data_mb),
        days=unset_to_none(sent.days),
        unlimited=sent.unlimited,
        wanted=features,
        currency=unset_to_none(sent.currency),
        triggers=sent.triggers,
    )
