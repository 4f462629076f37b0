"""An account at S2S's sandbox for a test. What it sells is asked for by the id of its SKU."""

from contextlib import asynccontextmanager

from providers.s2s import MANIFEST
from providers.s2s.sandbox import products
from tests.providers import account as accounts


class Account(accounts.Account):
    """An account whose requests name a SKU."""

    @property
    def world(self):
        return self.shop.world

    @property
    def sku(self):
        return products.sku_id(self.item.key)

    def request(self, reference=None, *, sku=None, **more):
        return super().request(reference, plan=sku or self.sku, **more)


@asynccontextmanager
async def account(delivery_seconds=0, **settings):
    """Open an account. Orders are delivered at once unless said otherwise."""
    async with accounts.account(MANIFEST, delivery_seconds=delivery_seconds, **settings) as opened:
        yield Account(opened.shop, opened.simulator, opened.item)
