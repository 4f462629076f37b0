"""An account at a supplier's sandbox for a test: requests to make, triggers to set, and what the supplier has."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stamina

from providers.contract import Manifest, Provider
from providers.simulator import Item, SandboxWorld, SupplierSimulator, Trigger, TriggerKind
from schemas.errors import SupplierError
from schemas.order import PurchaseRequest, SupplierOrder, SupplierOrderState
from tests.providers.shop import Shop, open_shop

SECONDS = 120
_numbers = itertools.count(1)


@dataclass
class Account:
    """An account at a sandbox. ``item`` is one that sells, in stock, without a limit, and can be topped up."""

    shop: Shop
    simulator: SupplierSimulator
    item: Item

    @property
    def provider(self) -> Provider:
        return self.shop.provider

    @property
    def calls(self) -> dict[str, int]:
        return self.shop.world.calls(self.provider.manifest.name)

    def request(
        self,
        reference: str | None = None,
        *,
        plan: str | None = None,
        iccid: str | None = None,
        age: timedelta = timedelta(0),
        lasts: timedelta = timedelta(minutes=1),
    ) -> PurchaseRequest:
        now = datetime.now(UTC)
        return PurchaseRequest(
            reference=reference or f"att_{next(_numbers)}",
            supplier_plan_id=plan or self.item.key,
            signed_at=now - age,
            deadline=now + lasts,
            iccid=iccid,
        )

    def trigger(self, kind: str, **changes: Any) -> None:
        self.simulator.triggers.add(Trigger(TriggerKind(kind), **changes))

    async def ended(self, request: PurchaseRequest, supplier_order_id: str | None = None) -> SupplierOrder:
        """The order of a request once it is no longer pending."""
        async with asyncio.timeout(SECONDS):
            while True:
                found = await self.provider.find_order(request, supplier_order_id)
                if found is not None and found.state is not SupplierOrderState.PENDING:
                    return found
                await asyncio.sleep(0.02)

    async def delivered(self) -> tuple[PurchaseRequest, SupplierOrder]:
        """A bought eSIM's request and what the supplier says of it."""
        request = self.request()
        bought = await self.provider.purchase(request)
        if bought.state is SupplierOrderState.COMPLETED:
            return request, bought
        return request, await self.ended(request, bought.supplier_order_id)


@asynccontextmanager
async def account(manifest: Manifest, *, delivery_seconds: float = 0, **settings: Any) -> AsyncIterator[Account]:
    """Open an account. Orders are delivered at once unless said otherwise."""
    world = SandboxWorld([manifest.name], enforce_rate_limits=False)
    with stamina.set_testing(True, attempts=1):
        async with open_shop(manifest, world, **settings) as shop:
            simulator = world.simulator(manifest.name)
            simulator.delivery_seconds = delivery_seconds
            item = next(item for item in world.items(manifest.name) if sells(item))
            yield Account(shop, simulator, item)


def sells(item: Item) -> bool:
    return (
        item.dirt is None
        and item.visible
        and item.stock is None
        and item.topup
        and not item.daily
        and item.mb == 5120
        and not item.triggers
    )


async def failure(call: Awaitable[Any]) -> SupplierError:
    with pytest.raises(SupplierError) as caught:
        await call
    assert caught.value.supplier, "an error without its supplier: let the transport make it"
    return caught.value
