"""Checkouts: who was to pay what and did, the payment cases of operators, and the form that resolves one."""

from __future__ import annotations

import asyncio
from typing import Any, cast, get_args
from urllib.parse import urlencode

from aiohttp import web

from gateway.checkouts import checkout_view_rows
from gateway.checkouts import presenter as flow
from gateway.checkouts.checkout_rules import Decided
from gateway.checkouts.decisions import decide
from gateway.console.forms import form_data, query_form
from gateway.console.history import as_money
from gateway.console.orders import part
from gateway.console.pages import (
    Csv,
    Hit,
    Notice,
    Pages,
    PendingDecision,
    View,
    deps_of,
    invalid,
    mode,
    next_page,
    page_request_of,
    see_other,
    visitor,
)
from gateway.console.saved_filters import with_saved_filters
from gateway.kit.pages import PageRequest
from gateway.kit.problem import Problem
from gateway.kit.sheet import Column, Columns, columns, sheet_of
from schemas.checkouts import CheckoutStatus, OpsCheckout, PaymentCase

pages = Pages()
LIST = "/console/checkouts"
CASES = "/console/payment-cases"
_PAGE = 50
_MOST_CASES = 20
_STATUSES: tuple[str, ...] = get_args(CheckoutStatus)
_MODES = (("live", "live"), ("test", "test"), ("both", "both"))
_OUTCOMES: tuple[str, ...] = get_args(Decided)
_PLACED = ("placed", "place the order: it is bought now, at the held price")
_OTHERS = (
    ("refunded", "refunded: I refunded it at the payment supplier"),
    ("closed", "closed: settled in another way"),
)


@pages("GET", LIST, nav="Checkouts")
@with_saved_filters
async def checkouts(request: web.Request) -> View:
    """The checkouts, the newest first, and above them payments that belong to none."""
    form, deps = query_form(request), deps_of(request)
    side = form.choice("mode", [value for value, _ in _MODES], required=False) or mode(request)
    status = form.choice("status", _STATUSES, required=False) or None
    storefront = form.text("storefront") or None
    only = None if side == "both" else side
    page, strangers = await asyncio.gather(
        checkout_view_rows.of_all(
            deps.pool,
            page_request_of(request, _PAGE, checkout_view_rows.SORTS),
            mode=only,
            status=status,
            storefront=storefront,
        ),
        flow.waiting(deps, PageRequest(_MOST_CASES), mode=only, reason="unknown_checkout"),
    )
    found = await flow.ops_checkouts(deps, page.data)
    context = {
        "rows": found,
        "strangers": strangers.data,
        "as_money": as_money,
        "statuses": [(status_name, status_name.replace("_", " ")) for status_name in _STATUSES],
        "modes": _MODES,
        "side": side,
        "filters_typed": form.typed,
        "base": deps.settings.base_currency,
        "next": next_page(request, page),
    }
    base = deps.settings.base_currency
    return View("checkouts.html", context, title="Checkouts", csv=Csv("checkouts", *sheet_of(_table(base), found)))


@pages("GET", LIST + "/{id}", nav="Checkouts")
async def checkout(request: web.Request) -> View:
    """One checkout: its payments, its cases, and everything that happened to it."""
    deps, checkout_id = deps_of(request), part(request, "id")
    found = await flow.ops_checkout(deps, checkout_id)
    if found is None:
        raise web.HTTPNotFound
    events = await checkout_view_rows.events(deps.pool, checkout_id)
    context = {
        "checkout": found,
        "events": events,
        "as_money": as_money,
        "audit_url": "/console/audit?" + urlencode({"object": f"checkout:{checkout_id}"}),
    }
    rows = [
        (event.at, event.type, ", ".join(f"{name}: {value}" for name, value in event.detail.items()))
        for event in events
    ]
    return View(
        "checkout.html", context, title=f"Checkout {found.id}", csv=Csv(found.id, ("at", "what", "facts"), rows)
    )


@pages("GET", CASES + "/{id}/resolve", role="operator", nav="Checkouts")
async def resolving(request: web.Request) -> View:
    """The form that says what is done about a payment, each answer explained."""
    return await _form(request)


@pages("POST", CASES + "/{id}/resolve", role="operator", nav="Checkouts")
async def resolve(request: web.Request) -> View | web.Response:
    """Decide it."""
    form, case_id = await form_data(request), part(request, "id")
    outcome = form.choice("as", _OUTCOMES)
    note = form.text("note", required=True, most=1000)
    if form:
        work = decide(deps_of(request), case_id, cast("Decided", outcome), note, visitor(request))
        # It goes on to its end although the browser goes away.
        closed = await asyncio.shield(asyncio.ensure_future(work))
        if not isinstance(closed, Problem):
            where = LIST if closed[0].checkout_id is None else f"{LIST}/{closed[0].checkout_id}"
            return see_other(request, where, message=f"Decided: {outcome}.")
        if closed.code == "not_found":
            raise web.HTTPNotFound
        form.wrong("", f"Nothing was done: {closed.detail}.")
    return invalid(await _form(request), form)


@pages.notice
async def notices(request: web.Request) -> list[Notice]:
    """How many payments wait, and for how long."""
    count, since = await checkout_view_rows.waiting(deps_of(request).pool, mode(request))
    if since is None:
        return []
    text = "payment needs attention" if count == 1 else "payments need attention"
    return [
        Notice("bad", f"{text}, the longest since {since:%Y-%m-%d %H:%M} UTC", "/console/attention#payments", count)
    ]


@pages.decision
async def to_settle(request: web.Request) -> PendingDecision:
    """Payments that did not end as they should."""
    count, _ = await checkout_view_rows.waiting(deps_of(request).pool, mode(request))
    return PendingDecision("Payment cases", "/console/attention#payments", count)


@pages.finds("Checkouts")
async def find(request: web.Request, question: str) -> list[Hit]:
    """Checkouts by their id, reference, link or payment."""
    found = await checkout_view_rows.find(deps_of(request).pool, question.strip()[:200])
    return [
        Hit(
            row.id,
            f"{LIST}/{row.id}",
            f"{str(row.plan.get('name', row.id))[:80]}, {row.storefront[:60]}, {row.status.replace('_', ' ')}",
            only=len(found) == 1,
        )
        for row in found
    ]


async def _form(request: web.Request) -> View:
    deps = deps_of(request)
    case = await flow.case(deps, part(request, "id"))
    if case is None:
        raise web.HTTPNotFound
    found = None if case.checkout_id is None else await flow.ops_checkout(deps, case.checkout_id)
    return View("payment_case.html", _context(case, found), title="Decide about a payment")


def _context(case: PaymentCase, found: OpsCheckout | None) -> dict[str, Any]:
    placeable = found is not None and flow.may_place(found, case)
    return {
        "case": case,
        "checkout": found,
        "as_money": as_money,
        "outcomes": (_PLACED, *_OTHERS) if placeable else _OTHERS,
    }


def _table(base: str) -> Columns:
    return columns(
        "checkout=id, at=created_at, status, storefront, mode, reference, plan=plan.name, price:amount",
        "currency=price.currency, fee:amount, margin:amount",
        Column("base currency", lambda _: base),
        "order=order_id, review=review.reason",
    )
