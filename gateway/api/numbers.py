"""Virtual numbers: where they are sold, for how long and for how much, and those of a storefront."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta, UnsetType

from gateway.api.changes import actor_of
from gateway.api.ordering import deps_of, refusal, storefront_of
from gateway.api.paging import json_answer
from gateway.api.parameters import Currency, CurrencyParameters, NoParameters, PageParameters
from gateway.api.problems import Refusal
from gateway.api.reading import read_body, read_query, require_country, unset_to_none
from gateway.api.spec import Table
from gateway.inventory import numbers
from gateway.kit.problem import Problem
from schemas.api import CountryCode
from schemas.api_numbers import NumberCountryList, NumberTierList, OpsNumberTier, ReleaseTier, VirtualNumber
from schemas.page import Page

routes = Table()

ID_PART = {"id": ("^num_[0-9a-f]{24}$", "The number's `id`.")}


class TierParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tiers, everywhere or in one country."""

    country: Annotated[CountryCode, Meta(description="As they are there.")] | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET


@routes(
    "GET", "/v1/numbers/countries",
    access="storefront", tag="numbers", answer=NumberCountryList,
    parameters=CurrencyParameters, problems=("invalid", "no_rate", "unavailable"),
)  # fmt: skip
async def list_number_countries(request: web.Request) -> web.Response:
    """Countries in which virtual numbers are sold.

    Each with the price of its cheapest tier.
    """
    sent = read_query(request, CurrencyParameters)
    found = await numbers.countries(deps_of(request), *storefront_of(request), unset_to_none(sent.currency))
    if isinstance(found, Problem):
        raise refusal(found)
    return json_answer(found)


@routes(
    "GET", "/v1/numbers/tiers",
    access="storefront", tag="numbers", answer=NumberTierList,
    parameters=TierParameters, problems=("invalid", "no_rate", "unavailable"),
)  # fmt: skip
async def list_number_tiers(request: web.Request) -> web.Response:
    """How long virtual numbers are held.

    With the price of each, in one country or the lowest of all. An order names country and tier:
    `{"number": {"country": "US", "tier_id": "7d"}}`.
    """
    sent = read_query(request, TierParameters)
    require_country(sent.country)
    found = await numbers.tiers(
        deps_of(request), *storefront_of(request), unset_to_none(sent.country), unset_to_none(sent.currency)
    )
    if isinstance(found, Problem):
        raise refusal(found)
    return json_answer(found)


@routes(
    "GET", "/v1/numbers",
    access="storefront", tag="numbers", answer=Page[VirtualNumber], parameters=PageParameters,
    problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_numbers(request: web.Request) -> web.Response:
    """Your virtual numbers, the newest first.

    Expiry and renewal are as the supplier last said; it is asked every hour.
    """
    sent = read_query(request, PageParameters)
    return json_answer(await numbers.page(deps_of(request), *storefront_of(request), sent.page))


@routes(
    "GET", "/v1/numbers/{id}",
    access="storefront", tag="numbers", answer=VirtualNumber,
    parts=ID_PART, narrow=True, parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def get_number(request: web.Request) -> web.Response:
    """One virtual number.

    As its supplier last reported it.
    """
    read_query(request, NoParameters)
    found = await numbers.find(deps_of(request), *storefront_of(request), request.match_info["id"])
    if found is None:
        raise Refusal("not_found", "there is no such number")
    return json_answer(found)


@routes(
    "GET", "/v1/ops/numbers",
    access="ops:read", tag="numbers", answer=Page[OpsNumberTier], parameters=NoParameters, problems=("unavailable",),
)  # fmt: skip
async def list_ops_number_tiers(request: web.Request) -> web.Response:
    """Tiers of virtual numbers by account.

    With what they cost, and why one is not sold. Prices are those of storefronts without rules of their own.
    """
    read_query(request, NoParameters)
    return json_answer(Page.complete(await numbers.ops_tiers(deps_of(request))))


@routes(
    "POST", "/v1/ops/numbers/release",
    access="ops", tag="numbers", answer=Page[OpsNumberTier], bodies=(ReleaseTier,), parameters=NoParameters,
    problems=("conflict", "invalid", "unavailable"),
)  # fmt: skip
async def release_number_tier(request: web.Request) -> web.Response:
    """Let a tier of virtual numbers be sold again.

    Its present cost, however far it moved, and whatever its numbers were stopped for.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, ReleaseTier)
    found = await numbers.release(deps_of(request), sent.supplier, sent.tier_id, Decimal(sent.cost), actor_of(request))
    if found is not None:
        raise refusal(found)
    return json_answer(Page.complete(await numbers.ops_tiers(deps_of(request))))
