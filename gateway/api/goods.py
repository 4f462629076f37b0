"""Digital goods for storefronts that have the scope: the list, one good, the categories."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta, UnsetType

from gateway.api.changes import actor_of
from gateway.api.ordering import deps_of, refusal, storefront_of
from gateway.api.paging import json_answer
from gateway.api.parameters import Currency, NoParameters, PageParameters
from gateway.api.reading import read_query, require_country, unset_to_none
from gateway.api.spec import Table
from gateway.items.goods_rows import Wanted
from gateway.kit.problem import Problem
from gateway.selling import goods, ops_goods
from gateway.selling.goods import Asker
from gateway.selling.goods_view_rows import Narrowed
from schemas.api import CountryCode, SupplierName
from schemas.api_goods import (
    DigitalGood,
    GoodCategoryList,
    GoodChange,
    GoodReleased,
    GoodSetAside,
    GoodsWalk,
    Locale,
    OpsGood,
)
from schemas.page import Page

routes = Table()

Language = Annotated[Locale, Meta(description="The language of names and descriptions, where the supplier has it.")]
Words = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00]+\Z", description="Words of the name.")]


class GoodsParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The filters of the list of goods. Every one narrows."""

    category: (
        Annotated[
            str, Meta(pattern=r"^[^\x00]+\Z", max_length=60, description="A category's `id` in `/v1/goods/categories`.")
        ]
        | UnsetType
    ) = UNSET
    type: (
        Annotated[
            str,
            Meta(
                pattern=r"^[a-z_]+\Z",
                max_length=60,
                description="`voucher`, `recharge_fixed`, `recharge`, `voucher_open_range` or `other`.",
                examples=["voucher"],
            ),
        ]
        | UnsetType
    ) = UNSET
    q: Words | UnsetType = UNSET
    country: Annotated[CountryCode, Meta(description="Only goods accepted there.")] | UnsetType = UNSET
    attribute: Annotated[
        list[Annotated[str, Meta(pattern=r"^[^:\x00]+:[^\x00]+\Z", max_length=300, examples=["denomination:10"])]],
        Meta(max_length=10, description="`code:value`, to the letter; repeated: all of them."),
    ] = msgspec.field(default_factory=list)
    locale: Language | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET


class GoodParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One good."""

    amount: (
        Annotated[
            str,
            Meta(
                pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?\Z",
                max_length=16,
                description="A denomination of one's choice, in its own currency: the price is then of it.",
                examples=["25"],
            ),
        ]
        | UnsetType
    ) = UNSET
    locale: Language | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET


class CategoryParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The categories."""

    locale: Language | UnsetType = UNSET


class OpsGoodsParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Goods by account."""

    supplier: SupplierName | UnsetType = UNSET
    mode: Annotated[Literal["live", "test"], Meta(description="Only accounts of this mode.")] | UnsetType = UNSET
    why_not: (
        Annotated[Literal["suspect_price", "stopped"], Meta(description="Only goods that this keeps from sale.")]
        | UnsetType
    ) = UNSET
    q: Words | UnsetType = UNSET


GOOD_PART = {"id": ("^good_[0-9a-f]{24}$", "The good's `id`.")}


@routes(
    "GET", "/v1/goods",
    access="goods", tag="goods", answer=Page[DigitalGood],
    parameters=GoodsParameters, problems=("invalid", "no_rate", "unavailable"),
)  # fmt: skip
async def list_goods(request: web.Request) -> web.Response:
    """List digital goods.

    Vouchers and recharges beside eSIMs, by name, with their prices of now.
    """
    sent = read_query(request, GoodsParameters)
    require_country(sent.country)
    wanted = Wanted(
        category=unset_to_none(sent.category),
        type=unset_to_none(sent.type),
        country=unset_to_none(sent.country),
        attributes=tuple((code, value) for code, _, value in (text.partition(":") for text in sent.attribute)),
        q=unset_to_none(sent.q),
        locale=unset_to_none(sent.locale),
    )
    storefront, mode = storefront_of(request)
    asker = Asker(storefront, mode, unset_to_none(sent.currency), unset_to_none(sent.locale))
    found = await goods.page(deps_of(request), asker, wanted, sent.page)
    if isinstance(found, Problem):
        raise refusal(found)
    return json_answer(found)


@routes(
    "GET", "/v1/goods/categories",
    access="goods", tag="goods", answer=GoodCategoryList,
    parameters=CategoryParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_good_categories(request: web.Request) -> web.Response:
    """Categories of digital goods.

    With the attributes that goods in them carry, and how many goods are in each.
    """
    sent = read_query(request, CategoryParameters)
    return json_answer(await goods.categories(deps_of(request), storefront_of(request)[1], unset_to_none(sent.locale)))


@routes(
    "GET", "/v1/goods/{id}",
    access="goods", tag="goods", answer=DigitalGood, parts=GOOD_PART, narrow=True, parameters=GoodParameters,
    problems=("not_found", "conflict", "invalid", "no_rate", "unavailable"),
)  # fmt: skip
async def get_good(request: web.Request) -> web.Response:
    """One digital good.

    With `amount`, the price of that denomination where it is of one's choice; 409 for one that it cannot have.
    """
    sent = read_query(request, GoodParameters)
    storefront, mode = storefront_of(request)
    asker = Asker(storefront, mode, unset_to_none(sent.currency), unset_to_none(sent.locale))
    amount = None if sent.amount is UNSET else Decimal(sent.amount)
    found = await goods.find(deps_of(request), asker, request.match_info["id"], amount)
    if isinstance(found, Problem):
        raise refusal(found)
    return json_answer(found)


@routes(
    "GET", "/v1/ops/goods",
    access="ops:read", tag="goods", answer=Page[OpsGood],
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
    access="ops:read", tag="goods", answer=Page[GoodsWalk], parameters=NoParameters, problems=("unavailable",),
)  # fmt: skip
async def list_goods_walks(request: web.Request) -> web.Response:
    """Walks through digital goods.

    What became of the last one of each account.
    """
    read_query(request, NoParameters)
    return json_answer(Page.complete(await ops_goods.walks(deps_of(request))))


@routes(
    "GET", "/v1/ops/goods/changes",
    access="ops:read", tag="goods", answer=Page[GoodChange],
    parameters=PageParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_goods_changes(request: web.Request) -> web.Response:
    """Changes of digital goods.

    New and removed goods and changed prices, the newest first.
    """
    sent = read_query(request, PageParameters)
    return json_answer(await ops_goods.changes(deps_of(request), sent.page))


@routes(
    "GET", "/v1/ops/goods/unmapped",
    access="ops:read", tag="goods", answer=Page[GoodSetAside],
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
    access="ops", tag="goods", answer=GoodReleased,
    parts=GOOD_PART, parameters=NoParameters, problems=("not_found", "unavailable"),
)  # fmt: skip
async def release_good(request: web.Request) -> web.Response:
    """Let a good be sold again.

    Its present price, however far it moved, and whatever it was stopped for.
    """
    read_query(request, NoParameters)
    found = await ops_goods.release(deps_of(request), request.match_info["id"], actor_of(request))
    if isinstance(found, Problem):
        raise refusal(found)
    return json_answer(found)
