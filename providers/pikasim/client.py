"""PikaSim over HTTP: one request a method, pages fetched a few at once under its rate limit."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from msgspec import Raw
from pydantic import Field, SecretStr

from providers.contract import CatalogPage, Manifest, Provider, SupplierSettings
from providers.pikasim import mapping, wire
from providers.pikasim.walk import Walk
from providers.recall import Reader
from providers.transport import Priority, Transport, segment
from schemas.errors import NotFound, SupplierError, UnreadableAnswer
from schemas.plan import Offer, SetAside

PAGE_SIZE = 200  # the page's maximum


class PikaSimSettings(SupplierSettings):
    """An account at PikaSim. ``webhook_secret`` is not the key; without it no webhook is believed."""

    base_url: str = "https://pikasim.com/api/v1/reseller"
    api_key: SecretStr = Field(min_length=1)
    webhook_secret: SecretStr | None = Field(default=None, min_length=1)


class PikaSim(Provider):
    """One account at PikaSim."""

    settings: PikaSimSettings

    def __init__(self, manifest: Manifest, name: str, settings: PikaSimSettings, transport: Transport) -> None:
        super().__init__(manifest, name, settings, transport)
        self._headers = {"X-API-Key": settings.api_key.get_secret_value()}

    async def catalog(self) -> AsyncIterator[CatalogPage]:
        """Every package, in pages of 200.

        Raises ``UnreadableAnswer`` when the pages do not make a whole: totals that change or differ
        from the rows, a page that repeats another.
        """
        first = await self._packages(1)
        ahead: deque[asyncio.Task[wire.PackagePage]] = deque()
        try:
            walk = Walk(first.pagination)
            reader = Reader(mapping.item, mapping.code_of, self.recall)
            yield self._mapped(walk, 1, first, reader)
            numbers = iter(range(2, walk.pages + 1))
            for number in range(2, walk.pages + 1):
                while len(ahead) < self.manifest.limits.concurrent_pages and (following := next(numbers, None)):
                    ahead.append(asyncio.create_task(self._packages(following)))
                yield self._mapped(walk, number, await ahead[0], reader)
                ahead.popleft()
            walk.finish()
        except SupplierError as error:
            error.supplier = self.name
            error.detail = self.transport.redact(error.detail)
            raise
        finally:
            for task in ahead:
                task.cancel()
            await asyncio.gather(*ahead, return_exceptions=True)

    async def plan(self, supplier_plan_id: str) -> Offer | SetAside:
        """One package as it stands now. Raises ``NotFound`` when it is gone."""
        if not supplier_plan_id:
            raise NotFound("no packageCode", supplier=self.name)
        answer = await self.transport.read(
            f"/packages/{segment(supplier_plan_id)}",
            wire.Answer[Raw],
            headers=self._headers,
            refusal=mapping.refusal,
            priority=Priority.PURCHASE,
            lax=True,
        )
        found = mapping.single(answer.data)
        if found.supplier_plan_id != supplier_plan_id:
            raise UnreadableAnswer(f"asked for {supplier_plan_id}, got another package", supplier=self.name)
        return found

    async def _packages(self, number: int) -> wire.PackagePage:
        answer = await self.transport.read(
            "/packages",
            wire.Answer[wire.PackagePage],
            params=wire.PackageQuery(page=number, limit=PAGE_SIZE).params(),
            headers=self._headers,
            refusal=mapping.refusal,
            lax=True,
        )
        return answer.data

    def _mapped(self, walk: Walk, number: int, page: wire.PackagePage, reader: Reader) -> CatalogPage:
        reading = reader(page.packages, walk.total)
        walk.take(number, page.pagination, reading.ids)
        return reading.page
