"""Virtual numbers on the page of other goods: tiers by account, what keeps one from sale, and when they were read."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from aiohttp import web

from gateway.console.forms import form_data
from gateway.console.goods import PLACE
from gateway.console.history import as_money
from gateway.console.pages import Pages, deps, mode, see_other, visitor
from gateway.inventory import numbers

pages = Pages()
RELEASE = "/console/number-tiers/release"
_CAN_BE_RELEASED = frozenset({"suspect_price", "stopped"})


async def half(request: web.Request) -> dict[str, Any]:
    """What the template ``_numbers.html`` shows."""
    behind, side = deps(request), mode(request)
    tiers = [one for one in await numbers.ops_tiers(behind) if one.mode == side]
    return {
        "tiers": [
            (one, as_money(one.cost), as_money(one.price), bool(one.stopped or _CAN_BE_RELEASED & set(one.why_not)))
            for one in tiers
        ],
        "number_lists": [one for one in await numbers.lists(behind) if one.mode == side],
        "release_url": RELEASE,
    }


@pages("POST", RELEASE, role="operator", nav="Other goods")
async def release(request: web.Request) -> web.Response:
    """Let a tier be sold at the cost that the page showed, and no other."""
    form = await form_data(request)
    supplier, tier, written = form.text("supplier", most=60), form.text("tier"), form.text("cost", most=40)
    try:
        cost = Decimal(written)
    except InvalidOperation:
        raise web.HTTPNotFound from None
    problem = await numbers.release(deps(request), supplier, tier, cost, visitor(request))
    told = "It is sold again at its present cost." if problem is None else f"Nothing was done: {problem.detail}."
    return see_other(request, PLACE, told=told)
