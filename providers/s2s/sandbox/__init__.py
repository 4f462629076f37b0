"""S2S itself, as its page describes it, as an aiohttp app: the catalogue here, the rest in ``routes.py``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from providers.s2s.sandbox import products, routes
from providers.s2s.sandbox.other_goods import CARD, other_goods
from providers.s2s.sandbox.paging import answer, cursor_to, one_of, requested_page
from providers.s2s.sandbox.products import CatalogProduct
from providers.s2s.sandbox.vouchers import stock_left
from providers.s2s.wire import PRODUCT_TYPES
from providers.simulator import Item, PageExamples, SandboxWorld, listing, sandbox_app

_NOT_PRICES = frozenset({"sku_name", "attributes"})
_NAMES = frozenset({"sku_id", "sku_name", "denomination_type"})
PRICED_TYPES = ("voucher", "recharge_fixed", "esim")
_DEFAULT_PER_PAGE = 100
_MOST_PER_PAGE = 200


def sandbox(world: SandboxWorld, settings: Mapping[str, Any]) -> web.Application:
    """The supplier, for callers with the bearer token of ``settings``."""
    account = world.open_account("s2s", settings["token"], settings["partner_secret"])

    def authenticate(request: web.Request) -> str | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return None if scheme == "Bearer" and account.admits(token) else "Unauthenticated."

    return sandbox_app(
        world,
        "s2s",
        [
            web.get("/catalog/products", _products),
            web.get("/catalog/products/{uuid}", _product),
            web.get("/catalog/pricelist", _pricelist),
            web.get("/catalog/categories", _categories),
            *routes.routes(),
        ],
        authenticate=authenticate,
        error_body=lambda _, message: {"success": False, "message": message},
        rules=routes.RULES,
        examples=PageExamples.read(__package__),
    )


async def _products(request: web.Request) -> web.Response:
    """One page of products. A product of eSIMs stands for as many items as it has SKUs."""
    locale = _locale(request)
    kind = one_of(request, "type", PRODUCT_TYPES)
    listed = listing(request, keep=_on_sale)
    # Grouped as the items are listed, so that a fault at the middle item strikes the page that holds it.
    found = [
        product
        for product in (*products.esim_products(listed.items, locale), *other_goods(locale))
        if _in_category(request, product) and kind in (None, product.about["type"])
    ]
    start, per_page = _page(request)
    page = found[start : start + per_page]
    first = sum(len(product.items) for product in found[:start])
    count = sum(len(product.items) for product in page)
    empty = count > 0 and not listed.page(first, count)
    with_skus = request.query.get("include_skus", "false") in ("true", "1")
    rows = [product.about | ({"skus": product.skus(locale)} if with_skus else {}) for product in page]
    return answer([] if empty else rows, _meta(start, per_page, len(found), go_on=empty))


async def _product(request: web.Request) -> web.Response:
    locale = _locale(request)
    esims = products.esim_products(listing(request, keep=_on_sale).items, locale)
    for product in (*esims, *other_goods(locale), CARD):
        if product.about["id"] == request.match_info["uuid"]:
            about = {name: value for name, value in product.about.items() if name != "fields"}
            prices = [*map(products.price_row, product.items), *_priced(request, product)]
            skus = [sku | _without(price, _NAMES) for sku, price in zip(product.skus(locale), prices, strict=True)]
            return answer({**about, "skus": skus})
    raise web.HTTPNotFound(text="Product not found")


async def _pricelist(request: web.Request) -> web.Response:
    _locale(request)
    kind = one_of(request, "type", PRICED_TYPES)
    found = listing(request, keep=_on_sale)
    category = request.query.get("category_id")
    others = [
        _without(row, _NOT_PRICES)
        for product in other_goods()
        if kind in (None, product.about["type"]) and _in_category(request, product)
        for row in _priced(request, product)
    ]
    esims = len(found.items) if kind in (None, "esim") and category in (None, str(products.ESIM_CATEGORY["id"])) else 0
    start, per_page = _page(request)
    wanted = max(0, min(start + per_page, esims) - start)
    page = found.page(start, wanted) if wanted else []
    rows = [products.price_row(item) for item in page]
    rows += others[max(0, start - esims) : max(0, start + per_page - esims)]
    return answer(rows, _meta(start, per_page, esims + len(others), go_on=len(page) < wanted))


async def _categories(request: web.Request) -> web.Response:
    locale = _locale(request)
    target = one_of(request, "target", ("product", "sku"))
    return answer(
        [
            {
                **products.in_category(category, locale),
                "attributes": [code for code in category["attributes"] if target in (None, code["target"])],
            }
            for category in products.CATEGORIES
        ]
    )


def _on_sale(item: Item) -> bool:
    return item.visible  # this supplier has no word for a hidden SKU: it is just not listed


def _in_category(request: web.Request, product: CatalogProduct) -> bool:
    return request.query.get("category_id") in (None, str(product.about["category"]["id"]))


def _priced(request: web.Request, product: CatalogProduct) -> list[dict[str, Any]]:
    """The price rows of other goods, with what is left of their stock."""
    return [{**row, "stock": stock_left(request, row)} for row in product.priced]


def _without(row: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def _locale(request: web.Request) -> str:
    return one_of(request, "locale", ("en", "ru")) or "en"


def _page(request: web.Request) -> tuple[int, int]:
    """Where the asked-for page begins and how long it is."""
    start, per_page = requested_page(request, _DEFAULT_PER_PAGE, _MOST_PER_PAGE)
    return start or 0, per_page


def _meta(start: int, per_page: int, total: int, *, go_on: bool) -> dict[str, Any]:
    end = start + per_page
    return {
        "next_cursor": cursor_to(end, onwards=True) if end < total or go_on else None,
        "prev_cursor": cursor_to(max(0, start - per_page), onwards=False) if start else None,
        "per_page": per_page,
    }
