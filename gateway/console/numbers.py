"""Virtual numbers on the page of other goods: tiers by account, what keeps one from sale, and when they were read."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from aiohttp import web

from gateway.console.forms import form_data
from gateway.console.goods import PLACE
from gateway.console.history import as_money
from gateway.console.pages import Pages, deps_of, mode, see_other, visitor
from gateway.inventory import numbers

pages = Pages()
RELEASE = "/console/number-tiers/release"
_CAN_BE_RELEASED = frozenset({"suspect_price", "stopped"})


async def half(request: web.Request) -> dict[str, Any]:
    """What the template ``_numbers.html`` shows."""
    deps, side = deps_of(request), mode(request)
    tiers = [tier for tier in await numbers.ops_tiers(deps) if tier.mode == side]
    return {
        "tiers": [
            (
                tier,
                as_money(tier.cost),
                as_money(tier.price),
                bool(tier.stopped or _CAN_BE_RELEASED & set(tier.why_not)),
            )
            for tier in tiers
        ],
        "number_lists": [status for status in await numbers.lists(deps) if status.mode == side],
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
    problem = await numbers.release(deps_of(request), supplier, tier, cost, visitor(request))
    message = "Selling resumed at the current cost." if problem is None else f"Nothing was done: {problem.detail}."
    return see_other(request, PLACE, message=message)
