"""A plugin at its sandbox for tests of orders: what it sells, and the supplier's own records beside it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import aiohttp

from providers.contract import Manifest, Provider
from providers.simulator import SandboxWorld, SupplierSimulator, Trigger, TriggerKind
from providers.simulator.supplier_control import Charge, SupplierAudit, audit_of
from providers.simulator.trigger_plans import TRIGGER_PLANS
from schemas.errors import SupplierError
from schemas.order import PurchaseRequest, SupplierOrder, SupplierOrderState
from schemas.plan import Offer
from tests.kit.waiting import until
from tests.providers.account import failure
from tests.providers.shop import Shop, open_shop

T = TypeVar("T")

PATIENCE = 0.25  # seconds that a caller waits for an answer that will not come, from when it was asked for
LOOKS = 6000
_numbers = itertools.count(1)


@dataclass
class Market:
    """A shop that sells, what it sells by the amount in GB, and the supplier's own records."""

    shop: Shop
    name: str
    offers: dict[int, Offer]

    @property
    def provider(self) -> Provider:
        return self.shop.provider

    @property
    def simulator(self) -> SupplierSimulator:
        return self.shop.world.simulator(self.name)

    @property
    def truth(self) -> SupplierAudit:
        return audit_of(self.simulator)

    @property
    def charges(self) -> list[Charge]:
        return self.truth.charges

    @property
    def writes(self) -> list[tuple[str, str]]:
        """What was sent to the supplier to make it do something."""
        return [call for call in self.shop.sent if call[0] != "GET"]

    def request(self, gigabytes: int = 1, *, iccid: str | None = None, plan: str | None = None) -> PurchaseRequest:
        now = datetime.now(UTC)
        return PurchaseRequest(
            reference=f"att-{now:%H%M%S%f}-{next(_numbers)}",
            supplier_plan_id=plan or self.offers[gigabytes].supplier_plan_id,
            signed_at=now,
            deadline=now + timedelta(seconds=30),
            iccid=iccid,
        )

    def trigger(self, kind: TriggerKind, **options: Any) -> None:
        self.simulator.triggers.add(Trigger(kind, **options))

    async def found(self, request: PurchaseRequest, supplier_order_id: str | None = None) -> SupplierOrder:
        """The attempt's order as soon as the supplier shows it and it is no longer pending."""
        for _ in range(LOOKS):
            order = await self.provider.find_order(request, supplier_order_id)
            if order is not None and order.state is not SupplierOrderState.PENDING:
                return order
            await asyncio.sleep(0.02)
        raise AssertionError("find_order(): the sandbox has the order, and it is not found or stays pending")

    async def bought(self, gigabytes: int = 1) -> tuple[PurchaseRequest, SupplierOrder]:
        """A delivered eSIM."""
        request = self.request(gigabytes)
        order = await self.provider.purchase(request)
        if order.state is SupplierOrderState.PENDING:
            order = await self.found(request, order.supplier_order_id)
        assert order.delivery is not None, "no delivery in a completed order"
        return request, order

    async def unanswered(self, call: Awaitable[Any]) -> SupplierError:
        """The error of a call to which no answer comes, without waiting long for it."""
        async with impatient(self.provider):
            return await failure(call)

    async def until_charged(self) -> Charge:
        charges = await until(lambda: self.charges)
        return charges[-1]


@asynccontextmanager
async def impatient(provider: Provider) -> AsyncIterator[None]:
    """The plugin waits for each answer no longer than ``PATIENCE``; for a connection as long as ever."""
    transport = provider.transport
    patient = transport._timeout
    await transport.close()
    transport._timeout = aiohttp.ClientTimeout(total=patient.total, sock_read=PATIENCE)
    try:
        yield
    finally:
        transport._timeout = patient
        await transport.close()


@asynccontextmanager
async def open_market(manifest: Manifest) -> AsyncIterator[Market]:
    """The plugin at its sandbox, which sells the plans of ``trigger_plans.py``: without their own triggers."""
    name = manifest.name
    world = SandboxWorld([name], enforce_rate_limits=False)
    world.remove(name, [item.key for item in world.items(name) if not item.label])
    world.disarm(name)
    async with open_shop(manifest, world, timeout_seconds=20) as shop:
        offers = {(offer.data.mb or 0) // 1000: offer for offer in (await shop.walk()).offers}
        assert len(offers) == len(TRIGGER_PLANS), "mapping.py: plans of the sandbox are not mapped"
        shop.sent.clear()
        world.simulator(name).delivery_looks = 2  # few calls, and so none too many for the supplier's rate
        yield Market(shop, name, offers)


def iccid_of(order: SupplierOrder) -> str:
    assert order.delivery is not None
    assert order.delivery.iccid is not None
    return order.delivery.iccid


async def end_of(call: Awaitable[T]) -> T | SupplierError:
    try:
        return await call
    except SupplierError as error:
        return error
