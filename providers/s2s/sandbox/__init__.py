"""S2S itself, as its page describes it, as an aiohttp app: the catalogue here, the rest in ``counter.py``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from providers.s2s.sandbox import page_examples
from providers.s2s.sandbox import products as shelf
from providers.s2s.sandbox import routes as counter
from providers.s2s.sandbox.other_goods import other_goods
from providers.s2s.sandbox.paging import answer, asked_page, cursor_to, one_of
from providers.s2s.sandbox.routes import NAME
from providers.s2s.sandbox.vouchers import stock_left
from providers.s2s.wire import PRODUCT_TYPES
from providers.simulator import Item, SandboxWorld, listing, sandbox_app

_NOT_PRICES = frozenset({"sku_name", "attributes"})
PRICED_TYPES = ("voucher", "recharge_fixed", "esim")
_DEFAULT_PER_PAGE = 100
_MOST_PER_PAGE = 200


def sandbox(world: SandboxWorld, settings: Mapping[str, Any]) -> web.Application:
    """The supplier, for callers with the bearer token of ``settings``."""
    account = world.open_account(NAME, settings["token"], settings["partner_secret"])

    def authenticate(request: web.Request) -> str | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return None if scheme == "Bearer" and account.admits(token) else "Unauthenticated."

    app = sandbox_app(
        world,
        NAME,
        [
            web.get("/catalog/products", _products),
            web.get("/catalog/products/{uuid}", _product),
            web.get("/catalog/pricelist", _pricelist),
            web.get("/catalog/categories", _categories),
            *counter.routes(),
        ],
        authenticate=authenticate,
        error_body=lambda _, message: {"success": False, "message": message},
        till=counter.rules(world, account),
        examples=page_examples.EXAMPLES,
    )
    counter.equip(app, account)
    return app


async def _products(request: web.Request) -> web.Response:
    """One page of products. A product of eSIMs stands for as many items as it has SKUs."""
    locale = _locale(request)
    kind = one_of(request, "type", PRODUCT_TYPES)
    shown = listing(request, keep=_on_sale)
    # Grouped as the items are listed, so that a fault at the middle item strikes the page that holds it.
    goods = [
        one
        for one in (*shelf.esim_goods(shown.items, locale), *other_goods(locale))
        if _in_category(request, one) and kind in (None, one.product["type"])
    ]
    start, per_page = _page(request)
    page = goods[start : start + per_page]
    first = sum(len(one.items) for one in goods[:start])
    count = sum(len(one.items) for one in page)
    empty = count > 0 and not shown.page(first, count)
    with_skus = request.query.get("include_skus", "false") in ("true", "1")
    data = [] if empty else [_with_skus(one, locale) if with_skus else one.product for one in page]
    return answer(data, _meta(start, per_page, len(goods), go_on=empty))


async def _product(request: web.Request) -> web.Response:
    locale = _locale(request)
    goods = (*shelf.esim_goods(listing(request, keep=_on_sale).items, locale), *other_goods(locale), page_examples.CARD)
    for one in goods:
        if one.product["id"] == request.match_info["uuid"]:
            product = {name: value for name, value in one.product.items() if name != "fields"}
            skus = [{**shelf.sku(item, locale), **_price(shelf.price_row(item))} for item in one.items]
            skus += [
                {
                    "id": row["sku_id"],
                    "name": row["sku_name"],
                    "image": "",
                    **_price(row),
                    "stock": stock_left(request, row),
                }
                for row in one.priced
            ]
            return answer({**product, "skus": skus})
    raise web.HTTPNotFound(text="Product not found")


async def _pricelist(request: web.Request) -> web.Response:
    _locale(request)
    kind = one_of(request, "type", PRICED_TYPES)
    shown = listing(request, keep=_on_sale)
    category = request.query.get("category_id")
    others = [
        {**{name: value for name, value in row.items() if name not in _NOT_PRICES}, "stock": stock_left(request, row)}
        for one in other_goods()
        if kind in (None, one.product["type"]) and _in_category(request, one)
        for row in one.priced
    ]
    esims = len(shown.items) if kind in (None, "esim") and category in (None, str(shelf.ESIM_CATEGORY["id"])) else 0
    start, per_page = _page(request)
    asked = max(0, min(start + per_page, esims) - start)
    page = shown.page(start, asked) if asked else []
    rows = [shelf.price_row(item) for item in page]
    rows += others[max(0, start - esims) : max(0, start + per_page - esims)]
    return answer(rows, _meta(start, per_page, esims + len(others), go_on=len(page) < asked))


async def _categories(request: web.Request) -> web.Response:
    locale = _locale(request)
    target = one_of(request, "target", ("product", "sku"))
    return answer(
        [
            {
                **shelf.in_category(one, locale),
                "attributes": [code for code in one["attributes"] if target in (None, code["target"])],
            }
            for one in shelf.CATEGORIES
        ]
    )


def _on_sale(item: Item) -> bool:
    return item.visible  # this supplier has no word for a hidden SKU: it is just not listed


def _in_category(request: web.Request, goods: shelf.Goods) -> bool:
    return request.query.get("category_id") in (None, str(goods.product["category"]["id"]))


def _with_skus(goods: shelf.Goods, locale: str) -> dict[str, Any]:
    skus = [shelf.sku(item, locale) for item in goods.items]
    skus += [
        {"id": row["sku_id"], "name": row["sku_name"], "image": "", "attributes": row["attributes"]}
        for row in goods.priced
    ]
    return {**goods.product, "skus": skus}


def _price(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("sku_id", "sku_name", "denomination_type")}


def _locale(request: web.Request) -> str:
    return one_of(request, "locale", ("en", "ru")) or "en"


def _page(request: web.Request) -> tuple[int, int]:
    """Where the asked-for page begins and how long it is."""
    start, per_page = asked_page(request, _DEFAULT_PER_PAGE, _MOST_PER_PAGE)
    return start or 0, per_page


def _meta(start: int, per_page: int, total: int, *, go_on: bool) -> dict[str, Any]:
    end = start + per_page
    return {
        "next_cursor": cursor_to(end, onwards=True) if end < total or go_on else None,
        "prev_cursor": cursor_to(max(0, start - per_page), onwards=False) if start else None,
        "per_page": per_page,
    }
