"""A gateway's order counter for tests: every sandbox over HTTP, its catalogue in the database, and one storefront."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import stamina

from gateway.inventory import esim_rows
from gateway.inventory.esim_rows import Esim
from gateway.kit.pool import Pool
from gateway.kit.problem import Problem
from gateway.kit.sealing import Seal
from gateway.orders import order_state_rows
from gateway.orders.admit import Admitted, admit
from gateway.orders.order_rows import AttemptRow, OrderRow
from gateway.orders.process import drain, process_order
from gateway.orders.waker import LEASE
from gateway.suppliers.accounts import accounts_of
from gateway.suppliers.deps import Deps
from gateway.sync.run import run_sync
from providers.loader import load_manifests
from providers.simulator import ServedSandboxes, SupplierSimulator, Trigger, TriggerKind, serve, world_for
from schemas.order_requests import OrderForPlan, OrderForQuote
from tests.kit.remembered import synced
from tests.kit.shelf import settings_for

STOREFRONT = "sf_one"
_keys = itertools.count(1)


@dataclass
class Clock:
    """The present moment, and as much later as a test wants."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def pass_(self, **much: float) -> None:
        self.ahead += timedelta(**much)


@dataclass
class Counter:
    """Deps on real servers; ``clock`` moves for the gateway only, not for the sandboxes."""

    deps: Deps
    served: ServedSandboxes
    clock: Clock

    def simulator(self, supplier: str) -> SupplierSimulator:
        return self.served.world.simulator(supplier)

    def trigger(self, supplier: str, kind: str, **changes: Any) -> None:
        self.simulator(supplier).triggers.add(Trigger(TriggerKind(kind), **changes))

    async def plan(self, gigabytes: int, supplier: str) -> str:
        """The plan on Bouvet Island with so much data whose first seller is the supplier."""
        days = {"beppay": 1, "pikasim": 2, "s2s": 3}[supplier]
        found = await self.deps.pool.fetchval(
            "SELECT plan_id FROM offers WHERE supplier = $1 AND coverage = '{BV}' AND days = $2"
            " AND (data->>'mb')::int = $3",
            supplier, days, gigabytes * 1000,
        )  # fmt: skip
        assert found is not None
        return found

    async def real_plan(self, gigabytes: int, supplier: str) -> str:
        """The same plan, moved to where its orders are no triggers: what goes wrong with them teaches the gateway."""
        found = await self.plan(gigabytes, supplier)
        await self.deps.pool.execute("UPDATE offers SET coverage = '{AQ}' WHERE plan_id = $1", found)
        return found

    async def admit(self, plan_id: str, key: str | None = None, **more: Any) -> Admitted | Problem:
        body = OrderForPlan(plan_id=plan_id, **more)
        return await admit(self.deps, STOREFRONT, "test", body, key or f"key-{next(_keys)}")

    async def admit_quote(self, quote_id: str, key: str | None = None) -> Admitted | Problem:
        body = OrderForQuote(quote_id=quote_id)
        return await admit(self.deps, STOREFRONT, "test", body, key or f"key-{next(_keys)}")

    async def ordered(self, plan_id: str, **more: Any) -> str:
        """A placed order that was advanced once."""
        admitted = await self.admit(plan_id, **more)
        assert isinstance(admitted, Admitted), admitted
        await process_order(self.deps, admitted.order_id)
        return admitted.order_id

    async def delivered(self, supplier: str = "pikasim", gigabytes: int = 1) -> str:
        """An order whose eSIM was delivered."""
        order_id = await self.ordered(await self.plan(gigabytes, supplier))
        assert (await self.followed(order_id)).status == "fulfilled"
        return order_id

    async def order(self, order_id: str) -> OrderRow:
        found = await order_state_rows.load(self.deps.pool, order_id)
        assert found is not None
        return found

    async def statuses(self, order_ids: list[str]) -> list[str]:
        return [(await self.order(order_id)).status for order_id in order_ids]

    async def attempts(self, order_id: str) -> list[AttemptRow]:
        return await order_state_rows.attempts_of(self.deps.pool, order_id)

    async def esim(self, order_id: str) -> Esim:
        return (await esim_rows.of_orders(self.deps.pool, self.deps.seal, [order_id]))[order_id]

    async def followed(self, order_id: str, looks: int = 12) -> OrderRow:
        """The order after the schedule had its way: each look comes when it is due, by the gateway's clock."""
        for _ in range(looks):
            order = await self.order(order_id)
            if order.status not in {"pending", "cancel_pending"}:
                break
            if order.next_poll_at is not None:
                self.clock.ahead = max(
                    self.clock.ahead, order.next_poll_at - datetime.now(UTC) + timedelta(seconds=0.05)
                )
            await asyncio.sleep(0.05)  # the sandboxes' clock is the real one
            await process_order(self.deps, order_id)
        return await self.order(order_id)

    async def worked(self, *order_ids: str, claims: int = 60) -> None:
        """Have a worker claim and process what is due next, at its time by the gateway's clock, until none waits."""
        due = "SELECT min(next_poll_at) FROM orders WHERE status IN ('pending', 'cancel_pending') AND id = ANY($1)"
        for _ in range(claims):
            at = await self.deps.pool.fetchval(due, order_ids)
            if at is None:
                return
            self.clock.ahead = max(self.clock.ahead, at - datetime.now(UTC) + timedelta(seconds=0.01))
            await asyncio.sleep(0.05)  # the sandboxes' clock is the real one
            for order_id in await order_state_rows.claim_due(self.deps.pool, self.clock(), LEASE, 10):
                await process_order(self.deps, order_id, poll=True)

    def calls(self, supplier: str) -> int:
        """How many requests the supplier had, of any kind."""
        return sum(self.served.world.calls(supplier).values())

    def show_late_orders(self, supplier: str) -> None:
        """Have the supplier's lists show every order from now on, whatever lag a trigger gave it."""
        for sale in self.simulator(supplier).records.sales.values():
            sale.shown_at = min(sale.shown_at, datetime.now(UTC))

    async def ledger(self, order_id: str) -> list[tuple[str, str, str]]:
        rows = await self.deps.pool.fetch(
            "SELECT supplier, kind, amount FROM ledger WHERE order_id = $1 ORDER BY id", order_id
        )
        return [(row["supplier"], row["kind"], f"{row['amount'].normalize():f}") for row in rows]

    async def timeline(self, order_id: str) -> list[str]:
        rows = await self.deps.pool.fetch("SELECT type FROM order_events WHERE order_id = $1 ORDER BY id", order_id)
        return [row["type"] for row in rows]

    def with_(self, supplier: str, **settings: Any) -> Counter:
        """The same with other settings of one supplier."""
        account = self.deps.accounts[supplier]
        other = replace(account, settings=account.settings.model_copy(update=settings))
        return replace(self, deps=replace(self.deps, accounts={**self.deps.accounts, supplier: other}))


@asynccontextmanager
async def counter(pool: Pool, database_url: str, folder: Path, **settings: Any) -> AsyncIterator[Counter]:
    """Open it; orders at the sandboxes are delivered at once unless a test says otherwise."""
    manifests = load_manifests()
    world = world_for(manifests, enforce_rate_limits=False)
    async with await serve(world, manifests, port=0) as served:
        suppliers = {
            name: {
                "provider": name, "mode": "test", "base_url": served.urls[name], "timeout_seconds": 1,
                "requests_per_minute": 100_000, **manifests[name].sandbox_settings,
            }
            for name in ("beppay", "pikasim", "s2s")
        }  # fmt: skip
        for name in suppliers:
            world.simulator(name).delivery_seconds = 0
        # The ordinary way leaves the purchase to the test, which looks at what stands before it.
        settings.setdefault("orders", {"fast_admission": False, "max_open": 0})
        made = settings_for(folder, database_url, suppliers=suppliers, **settings)
        clock = Clock()
        with stamina.set_testing(True, attempts=1):
            async with accounts_of(made, pool) as accounts:
                await synced(pool, tuple(sorted(accounts)), lambda: run_sync(pool, accounts, made))
                await pool.execute(
                    "INSERT INTO storefronts (id, name) VALUES ($1, 'One'), ('sf_two', 'Two')", STOREFRONT
                )
                deps = Deps(pool, accounts, made, Seal.from_settings(made), clock=clock)
                yield Counter(deps, served, clock)
                await drain(deps, 5)
