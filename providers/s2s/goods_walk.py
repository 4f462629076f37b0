"""One walk through the goods that are no eSIM: products in each language, then the price list that prices them.

The products come first, for the price list can be asked for some types only and names every eSIM too: what is
kept of it are the rows of SKUs that a product named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable

import msgspec
from msgspec import Raw

from providers.contract import GoodsPage
from providers.kit.text import clean_text
from providers.kit.transport import Params
from providers.kit.unmapped import UNNAMED, Unmapped, id_or_none, unreadable
from providers.s2s import wire
from providers.s2s.goods import Named, good_or_reason
from providers.s2s.settings import Goods
from schemas.good import Good
from schemas.plan import SetAside, SetAsideReason

TYPES = tuple(name for name in wire.PRODUCT_TYPES if name != "esim")
LOCALES = ("en", "ru")
_BROKEN = (msgspec.MsgspecError, ValueError, RecursionError)
_REASONS = {"price": SetAsideReason.NO_PRICE, "fields": SetAsideReason.UNKNOWN_FIELDS}

_product = msgspec.json.Decoder(wire.Product, strict=False)
_sku = msgspec.json.Decoder(wire.Sku, strict=False)
_priced = msgspec.json.Decoder(wire.Priced, strict=False)

Pages = Callable[[str, Params], AsyncIterator[list[Raw]]]


class GoodsCollector:
    """SKUs by their id, each in every language, until the price list has told what they cost."""

    def __init__(self, terms: Goods, cost_currency: str, locale: str) -> None:
        """``locale`` is the account's own: what is not listed in it is not sold."""
        self._terms = terms
        self._currency = cost_currency
        self._locale = locale
        self._named: dict[str, list[Named]] = {}
        self._prices: dict[str, Raw] = {}
        self._times: Counter[str] = Counter()
        self._aside: list[SetAside] = []

    def products(self, rows: Iterable[Raw], locale: str) -> None:
        """Take in a page of products with their SKUs."""
        for raw in rows:
            try:
                product = _product.decode(raw)
            except _BROKEN as error:
                if locale == self._locale:
                    self._aside.append(unreadable(raw, error, id_fields=("id",), reasons=_REASONS))
                continue
            if product.type != "esim":
                for sku in product.skus or ():
                    self._take(product, sku, locale)

    def prices(self, rows: Iterable[Raw]) -> None:
        """Take in a page of the price list; of a SKU that is listed twice the later row counts."""
        for raw in rows:
            try:
                sku_id = _priced.decode(raw).sku_id
            except _BROKEN:
                continue  # it names no SKU, so it is about none of these
            if sku_id in self._named:
                self._prices[sku_id] = raw.copy()

    def all(self) -> GoodsPage:
        """Every SKU, mapped in each of its languages or unmapped once."""
        goods: list[Good] = []
        for sku_id, versions in self._named.items():
            mapped = [
                good_or_reason(version, self._prices.get(sku_id), self._terms, self._currency) for version in versions
            ]
            if isinstance(mapped[0], SetAside):
                self._aside.append(mapped[0])
            else:
                goods += [good for good in mapped if isinstance(good, Good)]
        return GoodsPage(tuple(goods), tuple(self._aside), total=len(self._named) + len(self._aside))

    def _take(self, product: wire.Product, raw: Raw, locale: str) -> None:
        own = locale == self._locale
        try:
            sku = _sku.decode(raw)
        except _BROKEN as error:
            if own:
                self._aside.append(unreadable(raw, error, id_fields=("id",), reasons=_REASONS))
            return
        versions = self._named.get(sku.id)
        self._times[sku.id] += own
        nth = self._times[sku.id] if own else 0
        if nth > 1:
            why = Unmapped(SetAsideReason.CONTRADICTORY, f"the id stands more than once; this is number {nth}")
            self._aside.append(why.row(raw, f"{id_or_none(sku.id) or UNNAMED}#{nth}", clean_text(sku.name)))
        elif own:
            self._named[sku.id] = [Named(product, sku, raw.copy(), locale)]
        elif versions is not None and all(version.locale != locale for version in versions):
            versions.append(Named(product, sku, raw.copy(), locale))


async def walk_goods(
    pages: Pages, products: str, pricelist: str, per_page: int, collector: GoodsCollector, locale: str
) -> GoodsPage:
    """The whole walk; it raises when a list does not end as a list should."""
    for language in (locale, *(other for other in LOCALES if other != locale)):
        for kind in TYPES:
            params: Params = {"type": kind, "locale": language, "per_page": per_page, "include_skus": True}
            async for rows in pages(products, params):
                collector.products(rows, language)
    async for rows in pages(pricelist, {"locale": locale, "per_page": per_page}):
        collector.prices(rows)
    return collector.all()
