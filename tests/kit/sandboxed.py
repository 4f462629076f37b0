"""All suppliers' sandboxes as configured accounts, their catalogues synced and published: a shop that can sell."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

import aiohttp

from gateway.kit.pool import Pool, open_pool
from gateway.kit.sealing import Seal
from gateway.kit.settings import Settings
from gateway.orders.admit import Admitted, admit
from gateway.suppliers.accounts import accounts_of, check_accounts, close_accounts, connect_accounts
from gateway.suppliers.deps import Deps
from gateway.sync.run import run_sync
from providers.loader import load_manifests
from providers.simulator import ServedSandboxes, serve, world_for
from schemas.order_requests import OrderForPlan
from tests.kit.remembered import published, synced
from tests.kit.working import answered

SUPPLIERS = ("beppay", "pikasim", "s2s")


@dataclass
class Town:
    """The suppliers, to be told what to do and asked what happened."""

    served: ServedSandboxes
    http: aiohttp.ClientSession

    def accounts(self, **more: Any) -> dict[str, dict[str, Any]]:
        """Settings of one account at each."""
        manifests = load_manifests()
        return {
            name: {
                **manifests[name].sandbox_settings,
                "provider": name,
                "mode": "test",
                "base_url": self.served.urls[name],
                "requests_per_minute": 10**6,
                "timeout_seconds": 20,  # a busy machine is no fault of a supplier
                **more,
            }
            for name in SUPPLIERS
        }

    def payments(self, **more: Any) -> dict[str, dict[str, Any]]:
        """Settings of an account at the payment supplier."""
        return {
            "bepaid": {
                **load_manifests()["bepaid"].sandbox_settings,
                "provider": "bepaid",
                "mode": "test",
                "base_url": self.served.urls["bepaid"],
                "requests_per_minute": 10**6,
                "timeout_seconds": 20,
                **more,
            }
        }

    async def tell(self, supplier: str, route: str, body: Any) -> Any:
        async with self.http.post(f"{self.served.urls[supplier]}/_sandbox/{route}", json=body) as answer:
            assert answer.ok, await answer.text()
            return await answer.json()

    async def trigger(self, supplier: str, kind: str, **options: Any) -> None:
        await self.tell(supplier, "triggers", {"kind": kind, **options})

    async def truth(self, supplier: str) -> Any:
        async with self.http.get(f"{self.served.urls[supplier]}/_sandbox/truth") as answer:
            return await answer.json()

    async def charges(self) -> list[dict[str, Any]]:
        """Every charge at every supplier."""
        return [charge for supplier in SUPPLIERS for charge in (await self.truth(supplier))["charges"]]


@asynccontextmanager
async def town() -> AsyncIterator[Town]:
    """The suppliers at a port that the kernel chose; they enforce no rate limit."""
    manifests = load_manifests()
    world = world_for(manifests, enforce_rate_limits=False)
    async with await serve(world, manifests, port=0) as served, aiohttp.ClientSession() as http:
        yield Town(served, http)


async def stock_from(pool: Pool, settings: Settings) -> None:
    """Sync all configured suppliers and publish what they have."""
    async with accounts_of(settings, pool) as accounts:

        async def sync() -> None:
            run = await run_sync(pool, accounts, settings)
            assert run.state == "ok", run

        names = tuple(sorted(accounts))
        await synced(pool, names, sync)
    await published(pool, names, settings)


class Shop:
    """The flows of orders at the sandboxes, as one storefront."""

    def __init__(self, deps: Deps, suppliers: Town, storefront: str) -> None:
        self.deps, self.suppliers, self.storefront = deps, suppliers, storefront

    async def admit(self, plan: str) -> str:
        admitted = await admit(self.deps, self.storefront, "test", OrderForPlan(plan_id=plan), token_hex(8))
        assert isinstance(admitted, Admitted), admitted
        return admitted.order_id

    async def buy(self, plan: str, seconds: float = 60) -> str:
        order_id = await self.admit(plan)
        await answered(self.deps, order_id, seconds)
        return order_id

    async def status(self, order_id: str) -> Any:
        return await self.deps.pool.fetchval("SELECT status FROM orders WHERE id = $1", order_id)


@asynccontextmanager
async def shop_on(url: str, suppliers: Town, settings: Settings, storefront: str) -> AsyncIterator[Shop]:
    """A shop on the database at ``url``. Nothing in it goes on by itself."""
    pool = await open_pool(url)
    accounts = await connect_accounts(check_accounts(settings), pool)
    try:
        yield Shop(Deps(pool, accounts, settings, Seal.from_settings(settings), inline=False), suppliers, storefront)
    finally:
        await close_accounts(accounts.values())
        await pool.close()
