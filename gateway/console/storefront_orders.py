"""A storefront's own orders, for its users.

They come from the functions by which the API answers a storefront, so nothing of costs, suppliers or attempts is here.
"""

from __future__ import annotations

from typing import get_args

from aiohttp import web

from gateway.console.forms import query_form
from gateway.console.history import as_money
from gateway.console.orders import part
from gateway.console.pages import Csv, Pages, View, deps_of, next_page, page_request_of, visitor
from gateway.console.saved_filters import with_saved_filters
from gateway.inventory import esim_rows
from gateway.kit.pages import PageRequest
from gateway.kit.problem import Problem
from gateway.kit.sheet import Column, columns, sheet_of
from gateway.orders import order_view_rows, presenter
from gateway.orders.order_search_rows import OrderFilter
from gateway.orders.order_view_rows import OrderRow, StorefrontScope
from gateway.orders.reveal import reveal as reveal_delivery
from gateway.orders.reveal import secret_of
from gateway.selling.sold_rules import name_of
from gateway.suppliers.deps import Deps
from schemas.orders import Kind, Order, OrderStatus
from schemas.page import Page

pages = Pages()
LIST = "/console/my/orders"
_PAGE = 50
_STATUSES = [(status, status.replace("_", " ")) for status in get_args(OrderStatus)]
_KINDS: tuple[str, ...] = get_args(Kind)
_COLUMNS = columns("order=id, at=created_at, status, kind, reference", Column("plan", name_of), "price:money")
_EVENTS = columns("at, what=type, text=detail")


@pages.for_storefront("GET", LIST, nav="Orders")
@with_saved_filters
async def list_orders(request: web.Request, own: StorefrontScope) -> View:
    """Its orders, the newest first, by filters; or those that a text names."""
    form, deps, page_request = query_form(request), deps_of(request), page_request_of(request, _PAGE)
    question = form.text("q", most=200)
    wanted = OrderFilter(
        status=form.choice("status", [status for status, _ in _STATUSES], required=False) or None,
        kind=form.choice("kind", _KINDS, required=False) or None,
        since=form.moment("from"),
    )
    if question:
        found = await named_orders(deps, own, question, page_request)
    else:
        found = await order_view_rows.newest_first(deps.pool, own, wanted, page_request)
    orders = await presenter.orders(deps, found.data)
    context = {
        "orders": [(order, name_of(order), as_money(order.price)) for order in orders],
        "question": question,
        "filters_typed": form.typed,
        "errors": form.errors,
        "statuses": _STATUSES,
        "kinds": _KINDS,
        "next": next_page(request, found),
    }
    return View("storefront_orders.html", context, title="Orders", csv=Csv("orders", *sheet_of(_COLUMNS, orders)))


@pages.for_storefront("GET", LIST + "/{id}", nav="Orders")
async def one_order(request: web.Request, own: StorefrontScope) -> View:
    """One order: what was sold for what, what it delivered, and what happened to it."""
    order = await _found(request, own)
    events = await order_view_rows.events(deps_of(request).pool, order.id)
    context = {
        "order": order,
        "name": name_of(order),
        "price": as_money(order.price),
        "refund": as_money(order.refund),
        "amount": as_money(order.voucher.amount) if order.voucher is not None else None,
        "secret": secret_of(order),
        "events": events,
    }
    return View(
        "storefront_order.html", context, title=f"Order {order.id}", csv=Csv(order.id, *sheet_of(_EVENTS, events))
    )


@pages.for_storefront("POST", LIST + "/{id}/reveal", nav="Orders")
async def reveal(request: web.Request, own: StorefrontScope) -> View:
    """What it delivered, on a page of its own. The audit log has the visit by then."""
    order_id = part(request, "id")
    secrets = await reveal_delivery(deps_of(request), order_id, visitor(request), own)
    if isinstance(secrets, Problem):
        raise web.HTTPNotFound
    return View("order_code.html", {"back": f"{LIST}/{order_id}", "secrets": secrets}, title="Delivered item")


async def named_orders(deps: Deps, own: StorefrontScope, text: str, page_request: PageRequest) -> Page[OrderRow]:
    """The storefront's orders that a text names: by order, eSIM, ICCID, its own reference or the e-mail address."""
    esim = await esim_rows.find(deps.pool, deps.seal, *own, "".join(text.split()))
    order = await order_view_rows.by_id(deps.pool, text if esim is None else esim.order_id, own)
    if order is not None:
        return Page.complete([order])
    found = await order_view_rows.newest_first(deps.pool, own, OrderFilter(reference=text), page_request)
    if found.data or "@" not in text:
        return found
    emails = deps.seal.digests(text.casefold())
    return await order_view_rows.newest_first(deps.pool, own, OrderFilter(emails=emails), page_request)


async def _found(request: web.Request, own: StorefrontScope) -> Order:
    order = await presenter.order(deps_of(request), part(request, "id"), own)
    if order is None:
        raise web.HTTPNotFound
    return order
