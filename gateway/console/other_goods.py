"""Other goods: what is sold beside eSIMs."""

from __future__ import annotations

from aiohttp import web

from gateway.console import goods, numbers
from gateway.console.pages import Pages, View
from gateway.console.saved_filters import with_saved_filters

pages = Pages()


@pages("GET", goods.PLACE, nav="Other goods")
@with_saved_filters
async def other_goods(request: web.Request) -> View:
    """Virtual numbers, vouchers and recharges of every account."""
    context, csv = await goods.half(request)
    context |= await numbers.half(request)
    return View("other_goods.html", context, title="Other goods", csv=csv)
