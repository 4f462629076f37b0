"""One walk through the catalogue: the price list, which has no names, then products, which have no prices.

Nothing is lost between the two lists. A SKU that only a product names is mapped without a cost, so it is
shown and cannot be bought; one that only the price list names has nothing that says what it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec
from msgspec import Raw

from providers.contract import CatalogPage
from providers.kit.mapping_overrides import MappingOverrides
from providers.kit.text import clean_text
from providers.kit.unmapped import Once, Unmapped, id_or_none, unreadable
from providers.s2s import wire
from providers.s2s.mapping import Described, described, offer_or_reason
from providers.s2s.sources import AttributeCodes
from schemas.plan import Offer, SetAside, SetAsideReason

ESIM = "esim"
_BROKEN = (msgspec.MsgspecError, ValueError, RecursionError)
_REASONS = {"price": SetAsideReason.NO_PRICE, "currency": SetAsideReason.NO_PRICE, "stock": SetAsideReason.NO_PRICE}

_priced = msgspec.json.Decoder(wire.Priced, strict=False)
_price = msgspec.json.Decoder(wire.Price, strict=False)
_product = msgspec.json.Decoder(wire.Product, strict=False)
_sku = msgspec.json.Decoder(wire.Sku, strict=False)
_listed = msgspec.json.Decoder(wire.Listed, strict=False)


class Join:
    """Prices first, then product pages in any order, then what is left over."""

    def __init__(self, codes: AttributeCodes, overrides: MappingOverrides | None = None) -> None:
        self._codes = codes
        self._overrides = overrides
        # Raw rows, not structs: a third of the memory, and the price list is held whole.
        self._prices: dict[str, Raw] = {}
        self._named: set[str] = set()  # SKUs of the price list that some product has named
        self._contradictory: set[str] = set()  # SKUs that the price list has at two prices
        self._others: set[str] = set()
        self._once = Once()

    @property
    def priced(self) -> int:
        """How many SKUs stand in the price list that no product has named yet."""
        return len(self._prices.keys() - self._named)

    def add_prices(self, rows: Iterable[Raw]) -> None:
        """Take a page of the price list in; a SKU that is listed twice with different content has no price."""
        for raw in rows:
            try:
                sku_id = _priced.decode(raw).sku_id
            except _BROKEN as error:
                sku_id = _broken_price(raw, error).supplier_plan_id
            if bytes(self._prices.setdefault(sku_id, raw.copy())) != bytes(raw):
                self._contradictory.add(sku_id)

    def products(self, rows: Iterable[Raw]) -> CatalogPage:
        """The SKUs of a page of products, each mapped or unmapped."""
        offers: list[Offer] = []
        aside: list[SetAside] = []
        warnings: list[str] = []
        others = len(self._others)
        for raw in rows:
            try:
                product = _product.decode(raw)
            except _BROKEN as error:
                aside.append(unreadable(raw, error, id_fields=("id",), reasons={}))
                continue
            if product.type != ESIM:
                self._others.add(product.id)
                continue
            if not product.skus:
                warnings.append(f"the eSIM product {clean_text(product.id)} lists no SKU")
            for item in self._once(*self._items(product)):
                if isinstance(item, Offer):
                    offers.append(item)
                else:
                    aside.append(item)
        return CatalogPage(tuple(offers), tuple(aside), len(self._others) - others, warnings=tuple(warnings))

    def other_products(self, rows: Iterable[Raw]) -> CatalogPage:
        """Count a page of products of another type, each product once in the whole walk, readable or not."""
        others = len(self._others)
        for raw in rows:
            try:
                listed = _listed.decode(raw)
            except _BROKEN:
                self._others.add(hashlib.blake2b(raw, digest_size=16).hexdigest())
            else:
                if listed.type != ESIM:
                    self._others.add(listed.id)
        return CatalogPage(other_products=len(self._others) - others)

    def left_over(self) -> CatalogPage:
        """What stands in the price list only."""
        nameless = Unmapped(SetAsideReason.NO_NAME, "in the price list, in no product")
        aside: list[SetAside] = []
        for sku_id, raw in self._prices.items():
            if sku_id in self._named:
                continue
            price = self._read_price(sku_id, raw)
            aside.append(price if isinstance(price, SetAside) else nameless.row(raw, id_or_none(sku_id), ""))
        return CatalogPage(set_aside=tuple(aside))

    def _items(self, product: wire.Product) -> tuple[list[Offer | SetAside], list[Raw]]:
        of, raws = described(product, self._overrides), list(product.skus or ())
        return [self._item(product, of, raw) for raw in raws], raws

    def _item(self, product: wire.Product, of: Described, raw: Raw) -> Offer | SetAside:
        try:
            sku = _sku.decode(raw)
        except _BROKEN as error:
            broken = unreadable(raw, error, id_fields=("id",), reasons=_REASONS)
            self._named.add(broken.supplier_plan_id)
            return broken
        self._named.add(sku.id)
        row = self._prices.get(sku.id)
        price = None if row is None else self._read_price(sku.id, row)
        if isinstance(price, SetAside):
            return msgspec.structs.replace(price, name=clean_text(sku.name or product.name))
        return offer_or_reason(of, sku, price, self._codes, raw, self._overrides)

    def _read_price(self, sku_id: str, raw: Raw) -> wire.Price | SetAside:
        if sku_id in self._contradictory:
            why = Unmapped(SetAsideReason.CONTRADICTORY, "the price list has it more than once, with different content")
            return why.row(raw, id_or_none(sku_id), "")
        try:
            return _price.decode(raw)
        except _BROKEN as error:
            return _broken_price(raw, error)


def _broken_price(raw: Raw, error: Exception) -> SetAside:
    return unreadable(raw, error, id_fields=("sku_id",), reasons=_REASONS)
