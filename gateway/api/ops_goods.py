"""What operators see of digital goods, and let through."""

from __future__ import annotations

from aiohttp import web

from gateway.api.goods import GOOD_PART
from gateway.api.ops_changes import who
from gateway.api.ordering import deps_of, refusal
from gateway.api.paging import json_answer
from gateway.api.parameters import NoParameters, PageParameters
from gateway.api.parameters_goods import OpsGoodsParameters
from gateway.api.reading import read_query, unset_to_none
from gateway.api.spec import Table
from gateway.kit.problem import Problem
from gateway.selling import ops_goods
from gateway.selling.goods_view_rows import Narrowed
from schemas.api_goods import GoodChange, GoodReleased, GoodSetAside, GoodsWalk, OpsGood
from schemas.page import Page

routes = Table()


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
