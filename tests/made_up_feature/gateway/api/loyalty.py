"""Points of storefronts, for operators."""

from __future__ import annotations

import msgspec
from aiohttp import web
from gateway.loyalty import point_rows
from gateway.loyalty.point_rows import Points

from gateway.api.paging import json_answer, pool_of
from gateway.api.parameters import NoParameters
from gateway.api.reading import read_query
from gateway.api.spec import Table

routes = Table()


class PointsList(msgspec.Struct, frozen=True):
    """The points of every storefront."""

    data: list[Points]


@routes(
    "GET", "/v1/ops/loyalty",
    access="ops:read", tag="operations", answer=PointsList, parameters=NoParameters, problems=("unavailable",),
)  # fmt: skip
async def list_points(request: web.Request) -> web.Response:
    """Points of storefronts."""
    read_query(request, NoParameters)
    return json_answer(PointsList(await point_rows.by_storefront(pool_of(request))))
