"""Digital goods for storefronts that have the scope: the list, one good, the categories."""

from __future__ import annotations

from decimal import Decimal

from aiohttp import web
from msgspec import UNSET

from gateway.api.ordering import deps_of, refusal, whose
from gateway.api.paging import json_answer
from gateway.api.parameters_goods import CategoryParameters, GoodParameters, GoodsParameters
from gateway.api.problems import invalid
from gateway.api.reading import read_query, unset_to_none
from gateway.api.spec import Table
from gateway.items.goods_rows import Wanted
from gateway.kit.problem import Problem
from gateway.selling import goods
from gateway.selling.goods import Asker
from providers.kit.places import is_country
from schemas.api_goods import DigitalGood, GoodCategoryList
from schemas.page import Page

routes = Table()

GOOD_PART = {"id": ("^good_[0-9a-f]{24}$", "The good's `id`.")}


@routes(
    "GET", "/v1/goods",
    access="goods", tag="Digital goods", answer=Page[DigitalGood],
    parameters=GoodsParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_goods(request: web.Request) -> web.Response:
    """List digital goods.

    Vouchers and recharges beside eSIMs, by name, with their prices of now.
    """
    sent = read_query(request, GoodsParameters)
    if sent.country is not UNSET and not is_country(sent.country):
        raise invalid("/country", f"{sent.country} is no country")
    wanted = Wanted(
        category=unset_to_none(sent.category),
        type=unset_to_none(sent.type),
        country=unset_to_none(sent.country),
        attributes=tuple((code, value) for code, _, value in (text.partition(":") for text in sent.attribute)),
        q=unset_to_none(sent.q),
        locale=unset_to_none(sent.locale),
    )
    storefront, mode = whose(request)
    asker = Asker(storefront, mode, unset_to_none(sent.currency), unset_to_none(sent.locale))
    found = await goods.page(deps_of(request), asker, wanted, sent.page)
    if isinstance(found, Problem):
        raise refusal(found)
    return json_answer(found)


@routes(
    "GET", "/v1/goods/categories",
    access="goods", tag="Digital goods", answer=GoodCategoryList,
    parameters=CategoryParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_good_categories(request: web.Request) -> web.Response:
    """Categories of digital goods.

    With the attributes that goods in them carry, and how many goods stand in each.
    """
    sent = read_query(request, CategoryParameters)
    return json_answer(await goods.categories(deps_of(request), whose(request)[1], unset_to_none(sent.locale)))


@routes(
    "GET", "/v1/goods/{id}",
    access="goods", tag="Digital goods", answer=DigitalGood, parts=GOOD_PART, narrow=True, parameters=GoodParameters,
    problems=("not_found", "conflict", "invalid", "unavailable"),
)  # fmt: skip
async def get_good(request: web.Request) -> web.Response:
    """One digital good.

    With `amount`, the price of that denomination where it is of one's choice; 409 for one that it cannot have.
    """
    sent = read_query(request, GoodParameters)
    storefront, mode = whose(request)
    asker = Asker(storefront, mode, unset_to_none(sent.currency), unset_to_none(sent.locale))
    amount = None if sent.amount is UNSET else Decimal(sent.amount)
    found = await goods.one(deps_of(request), asker, request.match_info["id"], amount)
    if isinstance(found, Problem):
        raise refusal(found)
    return json_answer(found)
