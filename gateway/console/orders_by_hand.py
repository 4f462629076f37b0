"""Orders by hand: one placed for a storefront, and the refund of an ended one that no answer reported."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace

import msgspec
from aiohttp import web

from gateway.console.filters import clean
from gateway.console.forms import Form, form_data
from gateway.console.history import as_money
from gateway.console.orders import LIST, part
from gateway.console.pages import Pages, View, deps_of, invalid, mode, see_other, visitor
from gateway.kit.problem import Problem
from gateway.orders import order_search_rows
from gateway.orders.admit import Valid, validate
from gateway.orders.by_operator import place_order, refund_rest
from schemas.order_requests import OrderForPlan

pages = Pages()
_NEW = LIST + "/new"
_FIELDS = {"/plan_id": "plan", "/reference": "reference", "/customer/email": "email"}


@pages("GET", _NEW, role="operator", nav="Orders")
async def new(request: web.Request) -> View:
    """The form that places an order."""
    return await _form(request)


@pages("POST", _NEW, role="operator", nav="Orders")
async def place(request: web.Request) -> View | web.Response:
    """Check what it would cost, or place it."""
    form, deps = await form_data(request), deps_of(request)
    storefront, token = form.text("storefront", required=True, most=60), form.text("token", required=True, most=60)
    note = form.text("note", most=1000)
    known = dict(await order_search_rows.storefronts_named(deps.pool))
    if storefront not in known:
        form.wrong("storefront", "is not a storefront")
    body = _body(form)
    if not form or body is None:
        return invalid(await _form(request, token), form)
    if form.text("do") != "place":
        checked = await validate(deps, storefront, mode(request), body)
        if isinstance(checked, Problem):
            return invalid(await _form(request, token), _refused(form, checked))
        view = await _form(request, token, checked)
        return replace(view, context={**view.context, "typed": form.typed})
    work = place_order(deps, storefront, mode(request), body, token, note, visitor(request))
    placed = await asyncio.shield(asyncio.ensure_future(work))
    if isinstance(placed, Problem):
        return invalid(await _form(request, token), _refused(form, placed))
    return see_other(request, f"{LIST}/{placed.order_id}", message="The order is placed.")


@pages("POST", LIST + "/{id}/refund-rest", role="operator", nav="Orders")
async def refund(request: web.Request) -> web.Response:
    """Record that the supplier gave back what it still held."""
    form, order_id = await form_data(request), part(request, "id")
    done = await refund_rest(deps_of(request), order_id, form.text("note", most=1000), visitor(request))
    if isinstance(done, Problem):
        if done.code == "not_found":
            raise web.HTTPNotFound
        return see_other(request, f"{LIST}/{order_id}", message=f"Not recorded: {done.detail}.")
    amounts = ", ".join(str(amount.padded()) for amount in done)
    return see_other(request, f"{LIST}/{order_id}", message=f"Recorded: {amounts} refunded by the supplier.")


def _body(form: Form) -> OrderForPlan | None:
    """The order as a storefront would send it; what is wrong stands beside its field."""
    sent: dict[str, object] = {"plan_id": form.text("plan", required=True, most=100)}
    if reference := form.text("reference", most=100):
        sent["reference"] = reference
    if email := form.text("email", most=300):
        sent["customer"] = {"email": email}
    try:
        return msgspec.convert(sent, OrderForPlan)
    except msgspec.ValidationError as error:
        path = str(error).rpartition("`$.")[2].rstrip("`").replace(".", "/")
        form.wrong(_FIELDS.get(f"/{path}", ""), "is not of the form that the API takes")
        return None


def _refused(form: Form, problem: Problem) -> Form:
    for pointer, why in problem.errors:
        form.wrong(_FIELDS.get(pointer, ""), why)
    if not problem.errors:
        form.wrong("", f"Not placed: {problem.detail}.")
    return form


async def _form(request: web.Request, token: str = "", checked: Valid | None = None) -> View:
    storefronts = await order_search_rows.storefronts_named(deps_of(request).pool)
    context = {
        "storefronts": [(known, clean(name)[:60]) for known, name in storefronts],
        "plan": request.query.get("plan", "")[:100],
        "token": token or secrets.token_hex(12),
        "price": None if checked is None else as_money(checked.price),
    }
    return View("order_new.html", context, title="Place an order")
