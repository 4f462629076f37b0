"""A plan: its offers, the first tab of its page. Addresses of before its page had tabs lead to it."""

from __future__ import annotations

from aiohttp import web

from gateway.console.forms import query_form
from gateway.console.pages import Csv, Pages, View, deps_of
from gateway.console.plan_page import PLAN, moved, plan_view
from gateway.console.prices import index_of
from gateway.kit.sheet import sheet_of
from gateway.prices import price_tables
from gateway.prices.history import plan_of
from gateway.prices.prices import plan_offers

pages = Pages()


@pages("GET", PLAN, nav="Prices")
async def offers(request: web.Request) -> View:
    """What suppliers ask for the plan now, and what can be sold."""
    index, plan_id = index_of(request), request.match_info["id"]
    found = plan_offers(index, plan_id)
    context = {"offers": found, "next": None, "currency": index.base_currency}
    return await plan_view(request, index, "", context, Csv(plan_id, *sheet_of(price_tables.OFFERS, found)))


@pages("GET", "/console/history")
async def history(request: web.Request) -> web.Response:
    """The history of the plan or offer that the address names; without one, what moved most in a week."""
    form = query_form(request)
    plan_id, offer_id = form.text("plan", most=100), form.text("offer", most=60)
    if plan_id.startswith("off_"):
        plan_id, offer_id = "", plan_id
    if offer_id and not plan_id:
        plan_id = await plan_of(deps_of(request).pool, offer_id) or offer_id
    if not plan_id:
        return web.Response(status=301, headers={"Location": "/console/changes/since?since=7d"})
    return moved(request, plan_id, "history", offer=offer_id or None)
