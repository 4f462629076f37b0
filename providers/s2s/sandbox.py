"""S2S itself, as its page describes it: catalogue, price list, categories, account. An aiohttp app.

Cursors are base64 of ``{"id": …, "_pointsToNextItems": true}`` as in the page's examples.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from aiohttp import web

from providers.s2s import shelf
from providers.s2s.wire import PRODUCT_TYPES
from providers.sandbox import Item, SandboxWorld, listing, sandbox_app

NAME = "s2s"
PRICED_TYPES = ("voucher", "recharge_fixed", "esim")
_DEFAULT_PER_PAGE = 100
_MOST_PER_PAGE = 200
_encoder = msgspec.json.Encoder(decimal_format="number")


def sandbox(world: SandboxWorld, settings: Mapping[str, Any]) -> web.Application:
    """The supplier, for callers with the bearer token of ``settings``."""
    expected = f"Bearer {settings['token']}"
    return sandbox_app(
        world,
        NAME,
        [
            web.get("/me", _me),
            web.get("/balance", _balance),
            web.get("/catalog/products", _products),
            web.get("/catalog/products/{uuid}", _product),
            web.get("/catalog/pricelist", _pricelist),
            web.get("/catalog/categories", _categories),
        ],
        authenticate=lambda request: None if request.headers.get("Authorization") == expected else "Unauthenticated.",
        error_body=lambda _, message: {"success": False, "message": message},
    )


BALANCE = {
    "balance": Decimal("912.40"),
    "currency": "USD",
    "reserved_amount": 0,
    "available_balance": Decimal("1012.40"),
    "allow_overdraft": True,
    "overdraft_limit": 100,
    "is_overdrafted": False,
}


async def _me(_: web.Request) -> web.Response:
    partner = {
        "uuid": "5b0c7a52-93a4-4f0e-8d6a-0f1f4a0a7f11",
        "name": "Sandbox partner",
        "email": "partner@example.com",
        "currency": "USD",
        "is_active": True,
        "balance": BALANCE,
    }
    return _answer({"partner": partner})


async def _balance(_: web.Request) -> web.Response:
    return _answer(BALANCE)


async def _products(request: web.Request) -> web.Response:
    """One page of products. A product of eSIMs stands for as many items as it has SKUs."""
    locale = _locale(request)
    kind = _one_of(request, "type", PRODUCT_TYPES)
    shown = listing(request, keep=_on_sale)
    # Grouped as the items are listed, so that a fault at the middle item strikes the page that holds it.
    goods = [
        one
        for one in (*shelf.esim_goods(shown.items, locale), *shelf.other_goods())
        if _in_category(request, one) and kind in (None, one.product["type"])
    ]
    start, per_page = _page(request)
    page = goods[start : start + per_page]
    first = sum(len(one.items) for one in goods[:start])
    count = sum(len(one.items) for one in page)
    empty = count > 0 and not shown.page(first, count)
    with_skus = request.query.get("include_skus", "false") in ("true", "1")
    data = [] if empty else [_with_skus(one, locale) if with_skus else one.product for one in page]
    return _answer(data, _meta(start, per_page, len(goods), go_on=empty))


async def _product(request: web.Request) -> web.Response:
    locale = _locale(request)
    for one in (*shelf.esim_goods(listing(request, keep=_on_sale).items, locale), *shelf.other_goods()):
        if one.product["id"] == request.match_info["uuid"]:
            product = {name: value for name, value in one.product.items() if name != "fields"}
            skus = [{**shelf.sku(item, locale), **_price(shelf.price_row(item))} for item in one.items]
            skus += [{"id": row["sku_id"], "name": row["sku_name"], **_price(row)} for row in one.priced]
            return _answer({**product, "skus": skus})
    raise web.HTTPNotFound(text="Product not found")


async def _pricelist(request: web.Request) -> web.Response:
    _locale(request)
    kind = _one_of(request, "type", PRICED_TYPES)
    shown = listing(request, keep=_on_sale)
    category = request.query.get("category_id")
    others = [
        {name: value for name, value in row.items() if name != "sku_name"}
        for one in shelf.other_goods()
        if kind in (None, one.product["type"]) and _in_category(request, one)
        for row in one.priced
    ]
    esims = len(shown.items) if kind in (None, "esim") and category in (None, str(shelf.ESIM_CATEGORY["id"])) else 0
    start, per_page = _page(request)
    asked = max(0, min(start + per_page, esims) - start)
    page = shown.page(start, asked) if asked else []
    rows = [shelf.price_row(item) for item in page]
    rows += others[max(0, start - esims) : max(0, start + per_page - esims)]
    return _answer(rows, _meta(start, per_page, esims + len(others), go_on=len(page) < asked))


async def _categories(request: web.Request) -> web.Response:
    _locale(request)
    target = _one_of(request, "target", ("product", "sku"))
    return _answer(
        [
            {**one, "attributes": [code for code in one["attributes"] if target in (None, code["target"])]}
            for one in shelf.CATEGORIES
        ]
    )


def _on_sale(item: Item) -> bool:
    return item.visible  # this supplier has no word for a hidden SKU: it is just not listed


def _in_category(request: web.Request, goods: shelf.Goods) -> bool:
    return request.query.get("category_id") in (None, str(goods.product["category"]["id"]))


def _with_skus(goods: shelf.Goods, locale: str) -> dict[str, Any]:
    skus = [shelf.sku(item, locale) for item in goods.items]
    skus += [{"id": row["sku_id"], "name": row["sku_name"], "image": "", "attributes": []} for row in goods.priced]
    return {**goods.product, "skus": skus}


def _price(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("sku_id", "sku_name", "denomination_type")}


def _locale(request: web.Request) -> str:
    return _one_of(request, "locale", ("en", "ru")) or "en"


def _one_of(request: web.Request, name: str, allowed: Sequence[str]) -> str | None:
    value = request.query.get(name)
    if value is not None and value not in allowed:
        raise web.HTTPUnprocessableEntity(text=f"The selected {name} is invalid.")
    return value


def _page(request: web.Request) -> tuple[int, int]:
    """Where the asked-for page begins and how long it is."""
    text = request.query.get("per_page", str(_DEFAULT_PER_PAGE))
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_PER_PAGE:
        raise web.HTTPUnprocessableEntity(text=f"The per page field must be between 1 and {_MOST_PER_PAGE}.")
    cursor = request.query.get("cursor")
    if cursor is None:
        return 0, int(text)
    try:
        at = msgspec.json.decode(base64.b64decode(cursor + "=" * (-len(cursor) % 4)), type=dict[str, Any])["id"]
    except (msgspec.MsgspecError, ValueError, KeyError):
        at = None
    if not isinstance(at, int) or at < 0:
        raise web.HTTPUnprocessableEntity(text="The cursor is invalid.")
    return at, int(text)


def _meta(start: int, per_page: int, total: int, *, go_on: bool) -> dict[str, Any]:
    end = start + per_page
    return {
        "next_cursor": _cursor(end, onwards=True) if end < total or go_on else None,
        "prev_cursor": _cursor(max(0, start - per_page), onwards=False) if start else None,
        "per_page": per_page,
    }


def _cursor(at: int, *, onwards: bool) -> str:
    text = msgspec.json.encode({"id": at, "_pointsToNextItems": onwards})
    return base64.b64encode(text).decode().rstrip("=")


def _answer(data: Any, meta: Mapping[str, Any] | None = None) -> web.Response:
    body = {"success": True, "data": data} | ({} if meta is None else {"meta": meta})
    return web.Response(body=_encoder.encode(body), content_type="application/json")
