"""S2S over HTTP: one request a method, walks by cursor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from providers.contract import CatalogPage, Manifest, Provider, SupplierSettings
from providers.s2s import mapping, wire
from providers.s2s.join import ESIM, Join
from providers.s2s.sources import AttributeCodes
from providers.transport import Params, Transport
from schemas.errors import UnreadableAnswer

PER_PAGE = 200
# No real catalogue comes near 2 million SKUs; cursors without end do.
MOST_PAGES = 10_000
OTHER_TYPES = tuple(name for name in wire.PRODUCT_TYPES if name != ESIM)


class Paths(BaseModel):
    """Where each call stands below ``base_url``. The page has lost its paths; these were seen 2026-11."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    me: str = "/me"
    balance: str = "/balance"
    balance_history: str = "/balance/history"
    products: str = "/catalog/products"
    product: str = "/catalog/products/{uuid}"
    pricelist: str = "/catalog/pricelist"
    categories: str = "/catalog/categories"
    orders: str = "/orders"
    order: str = "/orders/{uuid}"
    esim_status: str = "/services/esim/{iccid}/status"
    esim_topup: str = "/services/esim/{iccid}/topup"


class Attributes(BaseModel):
    """Which attribute code of a SKU or product means what; the names are read where one is missing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    country: str | None = None
    data: str | None = None
    days: str | None = None


class S2SSettings(SupplierSettings):
    """An account at S2S. ``partner_secret`` signs orders and is not the bearer ``token``."""

    token: SecretStr = Field(min_length=1)
    partner_secret: SecretStr = Field(min_length=1)
    locale: Literal["en", "ru"] = "en"
    paths: Paths = Paths()
    attributes: Attributes = Attributes()


class S2S(Provider):
    """One account at S2S."""

    settings: S2SSettings

    def __init__(self, manifest: Manifest, name: str, settings: S2SSettings, transport: Transport) -> None:
        super().__init__(manifest, name, settings, transport)
        self._headers = {"Authorization": f"Bearer {settings.token.get_secret_value()}"}

    async def catalog(self) -> AsyncIterator[CatalogPage]:
        """Every eSIM SKU, joined from price list and products; products of other types are only counted."""
        paths, locale = self.settings.paths, self.settings.locale
        codes = AttributeCodes(**self.settings.attributes.model_dump())
        join = Join(codes)
        async for rows in self._walk(paths.pricelist, {"type": ESIM, "locale": locale}):
            join.add_prices(rows)
        priced = join.priced
        esims: Params = {"type": ESIM, "locale": locale, "include_skus": True}
        async for rows in self._walk(paths.products, esims):
            yield replace(join.products(rows), total=priced)
        yield join.left_over()
        for product_type in OTHER_TYPES:
            async for rows in self._walk(paths.products, {"type": product_type}):
                yield join.other_products(rows)

    async def _walk(self, path: str, params: Params) -> AsyncIterator[list[msgspec.Raw]]:
        """The pages of a list. Raises ``UnreadableAnswer`` unless it ends with a page that says it is the last."""
        cursors: set[str] = set()
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            page = await self.transport.read(
                path,
                wire.Page,
                params={**params, "per_page": PER_PAGE, "cursor": cursor},
                headers=self._headers,
                refusal=mapping.refusal,
            )
            cursor = page.meta.next_cursor or None
            if cursor is None:
                yield page.data
                return
            if cursor in cursors:
                raise UnreadableAnswer(f"{path}: a cursor came twice; the walk would not end", supplier=self.name)
            if not page.data:
                raise UnreadableAnswer(f"{path}: an empty page that is not the last one", supplier=self.name)
            cursors.add(cursor)
            yield page.data
        raise UnreadableAnswer(f"{path}: no end after {MOST_PAGES} pages", supplier=self.name)
