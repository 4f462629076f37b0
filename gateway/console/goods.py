"""Vouchers and recharges on the page of other goods: what they cost, what keeps one from sale, what changed."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gateway.console.forms import query_form
from gateway.console.history import as_money
from gateway.console.pages import Csv, Hit, Pages, deps, mode, next_page, page_asked, see_other, visitor
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
    Column("kept from sale by", lambda one: " ".join(one.why_not)),
    "suspect",
)


async def half(request: web.Request) -> tuple[dict[str, Any], Csv]:
    """What the template ``_goods.html`` shows, and its table as a file."""
    behind, form = deps(request), query_form(request)
    narrowed = Narrowed(
        supplier=form.text("supplier", most=40) or None,
        mode=mode(request),
        why_not=form.choice("held", _HELD, required=False) or None,
        q=form.text("q", most=100) or None,
    )
    found = await ops_goods.page(behind, narrowed, page_asked(request, _PAGE))
    walks = await ops_goods.walks(behind)
    changes = await ops_goods.changes(behind, PageRequest(_CHANGES))
    aside = await ops_goods.set_aside(behind, PageRequest(_ASIDE))
    context = {
        "goods": [(one, as_money(one.cost), as_money(one.price)) for one in found.data],
        "goods_next": next_page(request, found),
        "goods_walks": [one for one in walks if _of_mode(request, one.supplier)],
        "goods_changes": [
            (one, as_money(one.old), as_money(one.new)) for one in changes.data if _of_mode(request, one.supplier)
        ],
        "goods_aside": [one for one in aside.data if _of_mode(request, one.supplier)],
        "goods_asked": narrowed,
        "goods_suppliers": sorted({one.supplier for one in walks if _of_mode(request, one.supplier)}),
        "goods_held": [(reason, reason.replace("_", " ")) for reason in _HELD],
    }
    return context, Csv("other-goods", *sheet_of(_GOODS, found.data))


@pages("POST", PLACE + "/{id}/release", role="operator", nav="Other goods")
async def release(request: web.Request) -> web.Response:
    """Let a good's present prices through."""
    done = await ops_goods.release(deps(request), request.match_info["id"], visitor(request))
    if isinstance(done, Problem):
        raise web.HTTPNotFound
    return see_other(request, PLACE, told="It is sold again at its present price.")


@pages.finds("Other goods")
async def find(request: web.Request, question: str) -> list[Hit]:
    """Goods whose name holds the words."""
    found = await ops_goods.page(deps(request), Narrowed(mode=mode(request), q=question[:100]), PageRequest(10))
    return [Hit(one.name, f"{PLACE}?supplier={one.supplier}", f"{one.type} of {one.supplier}") for one in found.data]


def _of_mode(request: web.Request, supplier: str) -> bool:
    account = deps(request).accounts.get(supplier)
    return account is None or account.settings.mode == mode(request)
