"""Suspect prices: what is not sold because of its price, what it was compared with, and letting it through."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from gateway.console.forms import Form, form_data, query_form
from gateway.console.history import as_money
from gateway.console.pages import (
    Csv,
    Pages,
    PendingDecision,
    View,
    deps_of,
    mode,
    next_page,
    page_request_of,
    see_other,
    visitor,
)
from gateway.console.saved_filters import with_saved_filters
from gateway.kit.sheet import columns, sheet_of
from gateway.sync import requests, suspect_rows, suspects
from schemas.api_suspects import SuspectRule

pages = Pages()
_LIST = "/console/suspects"
_PAGE = 50
RULES: Mapping[SuspectRule, str] = {
    "moved": "far from its own last good cost",
    "below_others": "far below the median of others",
    "below_less": "far below what others ask for less",
    "below_minimum": "next to nothing",
}
_SUSPECTS = columns(
    "supplier, id at the supplier=supplier_plan_id, plan=plan_id, name, cost:amount, last good cost=good_cost:amount",
    "rule, reason, since",
)


@pages("GET", _LIST, nav="Suspect prices")
@with_saved_filters
async def suspect_prices(request: web.Request) -> View:
    """The groups by supplier and rule, and each offer with its evidence."""
    deps, form = deps_of(request), query_form(request)
    supplier = form.text("supplier", most=40) or None
    rule = _rule(form)
    page_request = page_request_of(request, _PAGE, suspect_rows.SORTS)
    found = await suspect_rows.suspects(deps.pool, page_request, supplier, rule, mode(request))
    groups = await suspect_rows.groups(deps.pool, mode(request))
    context = {
        "groups": groups,
        "rows": [
            (
                offer,
                as_money(offer.cost),
                as_money(offer.good_cost),
                [(c, as_money(c.cost)) for c in offer.compared_with],
            )
            for offer in found.data
        ],
        "next": next_page(request, found),
        "supplier": supplier,
        "rule": rule,
        "rules": list(RULES.items()),
        "rule_names": RULES,
        "suppliers": sorted({group.supplier for group in groups}),
        "quarantines": await requests.waiting(deps.pool, mode(request)),
    }
    csv = Csv("suspect-prices", *sheet_of(_SUSPECTS, found.data))
    return View("suspects.html", context, title="Suspect prices", csv=csv)


@pages("POST", _LIST + "/release", role="operator", nav="Suspect prices")
async def release_all(request: web.Request) -> web.Response:
    """Let a supplier's suspect prices through, or those of one rule."""
    form, deps = await form_data(request), deps_of(request)
    supplier = form.text("supplier", most=40)
    rule = _rule(form)
    released = await suspects.release_all(deps.pool, supplier, rule, visitor(request))
    if released is None:
        raise web.HTTPNotFound
    return see_other(request, _LIST, message=f"{released} offers of {supplier} are sold again at their present cost.")


@pages("POST", _LIST + "/{id}/release", role="operator", nav="Suspect prices")
async def release(request: web.Request) -> web.Response:
    """Let one offer's price through."""
    await form_data(request)
    if await suspects.release_one(deps_of(request).pool, request.match_info["id"], visitor(request)) is None:
        raise web.HTTPNotFound
    return see_other(request, _LIST, message="It is sold again at its present cost.")


@pages.decision
async def to_release(request: web.Request) -> PendingDecision:
    """Offers that are not sold because of their price."""
    return PendingDecision("Suspect prices", _LIST, await suspect_rows.count(deps_of(request).pool, mode(request)))


def _rule(form: Form) -> SuspectRule | None:
    chosen = form.choice("rule", list(RULES), required=False)
    return next((rule for rule in RULES if rule == chosen), None)
