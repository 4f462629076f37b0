"""An account at S2S's sandbox for a test: requests to make, triggers to set, and what the supplier has."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import stamina

from providers.s2s import MANIFEST
from providers.s2s.sandbox import products
from providers.simulator import SandboxWorld, Trigger, TriggerKind
from schemas.order import PurchaseRequest, SupplierOrderState
from tests.providers.shop import open_shop

_numbers = itertools.count(1)
SECONDS = 20


class Account:
    """The plugin at its sandbox. ``item`` is one that sells, in stock and without a limit."""

    def __init__(self, shop):
        self.shop = shop
        self.provider = shop.provider
        self.world = shop.world
        self.simulator = shop.world.simulator("s2s")
        self.item = next(item for item in self.world.items("s2s") if sells(item))
        self.sku = products.sku_id(self.item.key)

    @property
    def calls(self):
        return self.world.calls("s2s")

    def request(self, reference=None, *, sku=None, iccid=None, age=timedelta(0), lasts=timedelta(minutes=1)):
        now = datetime.now(UTC)
        return PurchaseRequest(
            reference=reference or f"att_{next(_numbers)}",
            supplier_plan_id=sku or self.sku,
            signed_at=now - age,
            deadline=now + lasts,
            iccid=iccid,
        )

    def trigger(self, kind, **changes):
        self.simulator.triggers.add(Trigger(TriggerKind(kind), **changes))

    async def ended(self, request, supplier_order_id=None):
        """The order of a request once it is no longer pending."""
        async with asyncio.timeout(SECONDS):
            while True:
                found = await self.provider.find_order(request, supplier_order_id)
                if found is not None and found.state is not SupplierOrderState.PENDING:
                    return found
                await asyncio.sleep(0.02)

    async def delivered(self):
        """A bought eSIM's request and order."""
        request = self.request()
        bought = await self.provider.purchase(request)
        return request, await self.ended(request, bought.supplier_order_id)


def sells(item):
    return (
        item.dirt is None and item.visible and item.stock is None and item.topup and not item.daily and item.mb == 5120
    )


@asynccontextmanager
async def account(delivery_seconds=0, **settings):
    """Open an account. Orders are delivered at once unless said otherwise."""
    world = SandboxWorld(["s2s"])
    with stamina.set_testing(True, attempts=1):
        async with open_shop(MANIFEST, world, **settings) as shop:
            opened = Account(shop)
            opened.simulator.delivery_seconds = delivery_seconds
            yield opened
