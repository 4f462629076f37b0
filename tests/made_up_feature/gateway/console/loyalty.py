"""Loyalty: how many points each storefront has."""

from __future__ import annotations

from aiohttp import web
from gateway.loyalty import point_rows

from gateway.console.pages import Csv, NavEntry, Pages, View, deps_of

pages = Pages(NavEntry("Orders", "Loyalty", "z"))


@pages("GET", "/console/loyalty", nav="Loyalty")
async def loyalty(request: web.Request) -> View:
    """The points of every storefront."""
    found = await point_rows.by_storefront(deps_of(request).pool)
    rows = [(row.storefront, row.points) for row in found]
    return View("loyalty.html", {"rows": rows}, title="Loyalty", csv=Csv("loyalty", ("storefront", "points"), rows))
