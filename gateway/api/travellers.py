"""How the pages of storefronts for travellers look, for operators."""

from __future__ import annotations

from aiohttp import web

from gateway.api.changes import actor_of
from gateway.api.ordering import refusal
from gateway.api.paging import json_answer, pool_of
from gateway.api.parameters import NoParameters
from gateway.api.problems import Refusal
from gateway.api.reading import read_body, read_query
from gateway.api.spec import Table
from gateway.kit.problem import Problem
from gateway.travellers import appearance
from schemas.api_travellers import TravellerSettings, TravellerSettingsPatch

routes = Table()
_PATH = "/v1/ops/storefronts/{id}/traveller-settings"
_PART = {"id": ("^[A-Za-z0-9_-]{1,60}$", "The storefront's `id`.")}


@routes(
    "GET", _PATH,
    access="ops:read", tag="travellers", answer=TravellerSettings, parts=_PART,
    parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def get_traveller_settings(request: web.Request) -> web.Response:
    """How a storefront's pages for travellers look.

    Its name, logo and colours on the page that every delivered eSIM has, and the top-up button.
    """
    read_query(request, NoParameters)
    found = await appearance.find(pool_of(request), request.match_info["id"])
    if found is None:
        raise Refusal("not_found", "there is no such storefront")
    return json_answer(found)


@routes(
    "PATCH", _PATH,
    access="ops", tag="travellers", answer=TravellerSettings, parts=_PART,
    parameters=NoParameters, bodies=(TravellerSettingsPatch,),
    problems=("not_found", "conflict", "invalid", "unavailable"),
)  # fmt: skip
async def change_traveller_settings(request: web.Request) -> web.Response:
    """Change how a storefront's pages for travellers look.

    What is left out stays as it is, an empty text takes it away. Pages show it from the next time they are loaded.
    409 for a logo that is no picture and a link that is not https, each pointed at.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, TravellerSettingsPatch)
    changed = await appearance.change(pool_of(request), request.match_info["id"], sent, actor_of(request))
    if isinstance(changed, Problem):
        raise refusal(changed)
    return json_answer(changed)
