"""Vouchers and recharges on the page of other goods: what they cost, what keeps one from sale, what changed."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gateway.console.forms import query_form
from gateway.console.history import as_money
from gateway.console.pages import Csv, Hit, Pages, deps_of, mode, next_page, page_request_of, see_other, visitor
from gateway.kit.pages import PageRequest
from gateway.kit.problem import Problem
from gateway.kit.sheet import Column, columns, sheet_of
from gateway.selling import ops_goods
from gateway.selling.goods_view_rows import Narrowed

pages = Pages()
PLACE = "/console/other-goods"
_PAGE, _CHANGES, _ASIDE = 100, 20, 20
_HELD = ("suspect_price", "stopped")
_GOODS = columns(
    "supplier, sku, good=id, type, product=product_name, name, cost:amount, rate=custom.rate, currency=custom.currency",
    "markup percent=custom.markup_percent, price:amount, stock, most in one order=max_per_order",
    Column("kept from sale by", lambda good: " ".join(good.why_not)),
    "suspect",
)


async def half(request: web.Request) -> tuple[dict[str, Any], Csv]:
    """What the template ``_goods.html`` shows, and its table as a file."""
    deps, form = deps_of(request), query_form(request)
    narrowed = Narrowed(
        supplier=form.text("supplier", most=40) or None,
        mode=mode(request),
        why_not=form.choice("held", _HELD, required=False) or None,
        q=form.text("q", most=100) or None,
    )
    found = await ops_goods.page(deps, narrowed, page_request_of(request, _PAGE))
    walks = await ops_goods.walks(deps)
    changes = await ops_goods.changes(deps, PageRequest(_CHANGES))
    aside = await ops_goods.set_aside(deps, PageRequest(_ASIDE))
    context = {
        "goods": [(good, as_money(good.cost), as_money(good.price)) for good in found.data],
        "goods_next": next_page(request, found),
        "goods_walks": [walk for walk in walks if _of_mode(request, walk.supplier)],
        "goods_changes": [
            (change, as_money(change.old), as_money(change.new))
            for change in changes.data
            if _of_mode(request, change.supplier)
        ],
        "goods_aside": [item for item in aside.data if _of_mode(request, item.supplier)],
        "goods_filter": narrowed,
        "goods_suppliers": sorted({walk.supplier for walk in walks if _of_mode(request, walk.supplier)}),
        "goods_reasons": [(reason, reason.replace("_", " ")) for reason in _HELD],
    }
    return context, Csv("other-goods", *sheet_of(_GOODS, found.data))


@pages("POST", PLACE + "/{id}/release", role="operator", nav="Other goods")
async def release(request: web.Request) -> web.Response:
    """Let a good's present prices through."""
    done = await ops_goods.release(deps_of(request), request.match_info["id"], visitor(request))
    if isinstance(done, Problem):
        raise web.HTTPNotFound
    return see_other(request, PLACE, message="Selling resumed at the current price.")


@pages.finds("Other goods")
async def find(request: web.Request, question: str) -> list[Hit]:
    """Goods whose name holds the words."""
    found = await ops_goods.page(deps_of(request), Narrowed(mode=mode(request), q=question[:100]), PageRequest(10))
    return [
        Hit(good.name, f"{PLACE}?supplier={good.supplier}", f"{good.type} of {good.supplier}") for good in found.data
    ]


def _of_mode(request: web.Request, supplier: str) -> bool:
    account = deps_of(request).accounts.get(supplier)
    return account is None or account.settings.mode == mode(request)
