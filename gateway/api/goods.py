"""Digital goods for storefronts that have the scope: the list, one good, the categories."""

from __future__ import annotations

from decimal import Decimal

from aiohttp import web
from msgspec import UNSET

from gateway.api.changes import who
from gateway.api.ordering import deps_of, refusal, whose
from gateway.api.paging import json_answer
from gateway.api.parameters import NoParameters, PageParameters
from gateway.api.parameters_goods import CategoryParameters, GoodParameters, GoodsParameters, OpsGoodsParameters
from gateway.api.problems import invalid
from gateway.api.reading import read_query, unset_to_none
from gateway.api.spec import Table
from gateway.items.goods_rows import Wanted
from gateway.kit.problem import Problem
from gateway.selling import goods, ops_goods
from gateway.selling.goods import Asker
from gateway.selling.goods_view_rows import Narrowed
from providers.kit.places import is_country
from schemas.api_goods import DigitalGood, GoodCategoryList, GoodChange, GoodReleased, GoodSetAside, GoodsWalk, OpsGood
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


@routes(
    "GET", "/v1/ops/goods",
    access="ops:read", tag="Operations", answer=Page[OpsGood],
    parameters=OpsGoodsParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_ops_goods(request: web.Request) -> web.Response:
    """Digital goods by account.

    With what they cost, and why one cannot be sold. Prices are those of storefronts without rules of their own.
    """
    sent = read_query(request, OpsGoodsParameters)
    narrowed = Narrowed(
        unset_to_none(sent.supplier), unset_to_none(sent.mode), unset_to_none(sent.why_not), unset_to_none(sent.q)
    )
    return json_answer(await ops_goods.page(deps_of(request), narrowed, sent.page))


@routes(
    "GET", "/v1/ops/goods/walks",
    access="ops:read", tag="Operations", answer=Page[GoodsWalk], parameters=NoParameters, problems=("unavailable",),
)  # fmt: skip
async def list_goods_walks(request: web.Request) -> web.Response:
    """Walks through digital goods.

    What became of the last one of each account.
    """
    read_query(request, NoParameters)
    return json_answer(Page.complete(await ops_goods.walks(deps_of(request))))


@routes(
    "GET", "/v1/ops/goods/changes",
    access="ops:read", tag="Operations", answer=Page[GoodChange],
    parameters=PageParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_goods_changes(request: web.Request) -> web.Response:
    """Changes of digital goods.

    Those that came and went, and prices that moved, the newest first.
    """
    sent = read_query(request, PageParameters)
    return json_answer(await ops_goods.changes(deps_of(request), sent.page))


@routes(
    "GET", "/v1/ops/goods/unmapped",
    access="ops:read", tag="Operations", answer=Page[GoodSetAside],
    parameters=PageParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_goods_unmapped(request: web.Request) -> web.Response:
    """Digital goods that were not understood.

    Each with the reason.
    """
    sent = read_query(request, PageParameters)
    return json_answer(await ops_goods.set_aside(deps_of(request), sent.page))


@routes(
    "POST", "/v1/ops/goods/{id}/release",
    access="ops", tag="Operations", answer=GoodReleased,
    parts=GOOD_PART, parameters=NoParameters, problems=("not_found", "unavailable"),
)  # fmt: skip
async def release_good(request: web.Request) -> web.Response:
    """Let a good be sold again.

    Its present price, however far it moved, and whatever it was stopped for.
    """
    read_query(request, NoParameters)
    found = await ops_goods.release(deps_of(request), request.match_info["id"], who(request))
    if isinstance(found, Problem):
        raise refusal(found)
    return json_answer(found)
