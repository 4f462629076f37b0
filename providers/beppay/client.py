"""BepPay over HTTP: one request a method."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from pydantic import Field, SecretStr

from providers.beppay import mapping, wire
from providers.contract import CatalogPage, Provider, SupplierSettings
from providers.recall import Reader
from schemas.errors import UnreadableAnswer

PLANS = "/api/partner/esim/plans"
AT_ONCE = 500  # plans mapped before others get a turn: the whole list comes in one answer


class BepPaySettings(SupplierSettings):
    """An account at BepPay. The catalogue is public; ``api_key`` is for what is not.

    ``email_domain`` is a domain of ours, for the address that each purchase is made with.
    """

    base_url: str = "https://esim.beppay.com"
    api_key: SecretStr | None = Field(default=None, min_length=1)
    email_domain: str | None = None


class BepPay(Provider):
    """One account at BepPay."""

    settings: BepPaySettings

    async def catalog(self) -> AsyncIterator[CatalogPage]:
        """Every plan. The list has no paging, so it is whole as soon as it is read.

        The call is public and goes without the key: a key that was revoked does not empty the shelves.
        A ``total`` that differs from the rows is a warning; a list without a single one of the plans that
        ``total`` counts is no list, and raises ``UnreadableAnswer``.
        """
        answer = await self.transport.read(PLANS, wire.Plans, refusal=mapping.refusal, lax=True)
        reader = Reader(mapping.item, mapping.id_of, self.recall)
        rows = len(answer.data)
        if not rows and answer.total:
            raise UnreadableAnswer(f"an empty list, and total says {answer.total}", supplier=self.name)
        if answer.total is not None and answer.total != rows:
            yield CatalogPage(total=rows, warnings=(f"total says {answer.total}, the list has {rows} plans",))
        for start in range(0, rows, AT_ONCE):
            yield reader(answer.data[start : start + AT_ONCE], rows).page
            await asyncio.sleep(0)
