"""Pricing rules: which cost becomes which price, in which order, and what a change would do."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from aiohttp import web
from msgspec import UNSET, Meta, UnsetType

from gateway.api import state
from gateway.api.changes import actor_of
from gateway.api.ordering import refusal
from gateway.api.paging import json_answer, pool_of
from gateway.api.parameters import NoParameters, PageParameters, Triggers
from gateway.api.problems import Refusal, invalid
from gateway.api.reading import read_body, read_query, unset_to_none
from gateway.api.spec import Table
from gateway.catalog.index.margins import MarginQuery
from gateway.kit.problem import Problem
from gateway.prices import margins, pricing_preview
from gateway.pricing import edit_rules
from providers.kit.places import is_country, unknown_country
from schemas.api import CountryCode, SupplierName
from schemas.api_pricing import (
    MarginPage,
    Percent,
    PreviewRequest,
    PricingPreview,
    PricingRule,
    PricingRulePage,
    Region,
    RuleBody,
    RuleOrder,
    RulePatch,
    StorefrontName,
)
from schemas.plan import Scope

routes = Table()


class MarginParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Margins."""

    mode: Annotated[Literal["live", "test"], Meta(description="The key's own side by default.")] | UnsetType = UNSET
    storefront: Annotated[StorefrontName, Meta(description="By this storefront's prices.")] | UnsetType = UNSET
    supplier: SupplierName | UnsetType = UNSET
    country: Annotated[CountryCode, Meta(description="Offers that cover it.")] | UnsetType = UNSET
    region: Region | UnsetType = UNSET
    scope: Scope | UnsetType = UNSET
    only: (
        Annotated[Literal["negative", "thin"], Meta(description="Only losses, or what its price keeps from sale.")]
        | UnsetType
    ) = UNSET
    below: Annotated[Percent, Meta(description="Only margins under so many percent of the price.")] | UnsetType = UNSET
    all: Annotated[bool, Meta(description="Offers, too, that cannot be sold now.")] = False
    triggers: Triggers = False


_PART = {"id": ("^pr_[0-9a-f]{16}$", "The rule's `id`.")}


@routes(
    "GET", "/v1/ops/pricing-rules",
    access="ops:read", tag="pricing", answer=PricingRulePage,
    parameters=NoParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_pricing_rules(request: web.Request) -> web.Response:
    """Pricing rules, in order.

    The first that is in force and matches an offer prices it; what none matches, `default` prices, which is
    `[pricing]` of the settings. All of them come in one page.
    """
    read_query(request, NoParameters)
    return json_answer(await edit_rules.every(pool_of(request), request.app[state.SETTINGS]))


@routes(
    "POST", "/v1/ops/pricing-rules",
    access="ops", tag="pricing", status=201, answer=PricingRule, parameters=NoParameters, bodies=(RuleBody,),
    problems=("conflict", "invalid", "no_rate", "unavailable"),
)  # fmt: skip
async def create_pricing_rule(request: web.Request) -> web.Response:
    """Create a pricing rule.

    It is added last unless a `position` is sent, and is in force everywhere within two seconds. 409 for a storefront or
    supplier that is not there and for bounds that contradict each other, each pointed at.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, RuleBody)
    made = await edit_rules.create(pool_of(request), request.app[state.SETTINGS], actor_of(request), sent)
    return await _changed(request, made, 201)


@routes(
    "GET", "/v1/ops/pricing-rules/{id}",
    access="ops:read", tag="pricing", answer=PricingRule,
    parts=_PART, narrow=True, parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def get_pricing_rule(request: web.Request) -> web.Response:
    """One pricing rule.

    With its place among the others and whether it is in force.
    """
    read_query(request, NoParameters)
    found = await edit_rules.find(pool_of(request), request.match_info["id"])
    if found is None:
        raise Refusal("not_found", "there is no such pricing rule")
    return json_answer(found)


@routes(
    "PUT", "/v1/ops/pricing-rules/{id}",
    access="ops", tag="pricing", answer=PricingRule,
    parts=_PART, narrow=True, parameters=NoParameters, bodies=(RuleBody,),
    problems=("not_found", "conflict", "invalid", "no_rate", "unavailable"),
)  # fmt: skip
async def replace_pricing_rule(request: web.Request) -> web.Response:
    """Word a pricing rule anew.

    What is not sent is as in a new rule, but for its `position`.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, RuleBody)
    pool, settings = pool_of(request), request.app[state.SETTINGS]
    return await _changed(
        request, await edit_rules.replace(pool, settings, actor_of(request), request.match_info["id"], sent)
    )


@routes(
    "PATCH", "/v1/ops/pricing-rules/{id}",
    access="ops", tag="pricing", answer=PricingRule, example={"enabled": False, "state": "off"},
    parts=_PART, narrow=True, parameters=NoParameters, bodies=(RulePatch,),
    problems=("not_found", "conflict", "invalid", "no_rate", "unavailable"),
)  # fmt: skip
async def change_pricing_rule(request: web.Request) -> web.Response:
    """Change parts of a pricing rule.

    What is not sent stays; null takes a condition or a bound away.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, RulePatch)
    pool, settings = pool_of(request), request.app[state.SETTINGS]
    return await _changed(
        request, await edit_rules.patch(pool, settings, actor_of(request), request.match_info["id"], sent)
    )


@routes(
    "DELETE", "/v1/ops/pricing-rules/{id}",
    access="ops", tag="pricing", answer=PricingRulePage, example={"data": []},
    parts=_PART, narrow=True, parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def remove_pricing_rule(request: web.Request) -> web.Response:
    """Take a pricing rule out.

    The answer is the rules that are left.
    """
    read_query(request, NoParameters)
    if not await edit_rules.remove(pool_of(request), actor_of(request), request.match_info["id"]):
        raise Refusal("not_found", "there is no such pricing rule")
    return await _all(request)


@routes(
    "POST", "/v1/ops/pricing-rules/order",
    access="ops", tag="pricing", answer=PricingRulePage, parameters=NoParameters, bodies=(RuleOrder,),
    problems=("conflict", "invalid", "unavailable"),
)  # fmt: skip
async def order_pricing_rules(request: web.Request) -> web.Response:
    """Put the pricing rules in another order.

    Send the ids of all of them; 409 when these are not the rules that there are.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, RuleOrder)
    problem = await edit_rules.put_in_order(pool_of(request), actor_of(request), sent.ids)
    if problem is not None:
        raise refusal(problem)
    return await _all(request)


@routes(
    "POST", "/v1/ops/pricing-rules/preview",
    access="ops:read", tag="pricing", answer=PricingPreview, parameters=NoParameters, bodies=(PreviewRequest,),
    problems=("not_found", "conflict", "invalid", "no_rate", "unavailable"),
)  # fmt: skip
async def preview_pricing_rules(request: web.Request) -> web.Response:
    """What a change of pricing rules would do.

    To every price of the catalogue: how many rise and fall and how far, what would no longer be sold, and the fifty
    that move furthest. Nothing is changed.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, PreviewRequest)
    catalog, settings = request.app[state.CATALOG], request.app[state.SETTINGS]
    mode = sent.mode or request[state.CALLER].mode
    found = await pricing_preview.preview(pool_of(request), settings, catalog.index, sent, mode)
    if isinstance(found, Problem):
        raise refusal(found)
    return json_answer(found)


@routes(
    "GET", "/v1/ops/margins",
    access="ops:read", tag="pricing", answer=MarginPage,
    parameters=MarginParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def list_margins(request: web.Request) -> web.Response:
    """What is left of each price, the negative and thin ones first.

    Price less fees (`[pricing] fee_percent fee_fixed`) less cost, in base currency.
    """
    sent = read_query(request, MarginParameters)
    storefront, name = None, unset_to_none(sent.storefront)
    if name is not None:
        storefront = await edit_rules.storefront_of(pool_of(request), name)
        if storefront is None:
            raise Refusal("not_found", f"there is no storefront {name}")
    index = request.app[state.CATALOG].index(unset_to_none(sent.mode) or request[state.CALLER].mode, storefront)
    country, region, below = unset_to_none(sent.country), unset_to_none(sent.region), unset_to_none(sent.below)
    if country is not None and not is_country(country):
        raise invalid("/country", unknown_country(country))
    if region is not None and index.snapshot.region(region) is None:
        raise invalid("/region", f"no region {region!r}")
    query = MarginQuery(
        supplier=unset_to_none(sent.supplier),
        country=country,
        region=region,
        scope=unset_to_none(sent.scope),
        negative=sent.only == "negative",
        thin=sent.only == "thin",
        below=None if below is None else Decimal(below),
        everything=sent.all,
        triggers=sent.triggers,
    )
    fees = margins.fees_of(request.app[state.SETTINGS])
    return json_answer(margins.page(index, fees, query, sent.page))


async def _changed(request: web.Request, made: PricingRule | Problem, status: int = 200) -> web.Response:
    if isinstance(made, Problem):
        raise refusal(made)
    await request.app[state.CATALOG].refresh()
    return json_answer(made, status)


async def _all(request: web.Request) -> web.Response:
    await request.app[state.CATALOG].refresh()
    return json_answer(await edit_rules.every(pool_of(request), request.app[state.SETTINGS]))
