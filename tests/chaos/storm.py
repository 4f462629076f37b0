"""The storm itself: storefronts that order and insist, suppliers that misbehave, and somebody who kills processes."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from tests.chaos.machine import SUPPLIERS, Machine
from tests.chaos.storefront import AFTER_A_REFUSAL, Hands
from tests.chaos.without_worker import truncate_queue

# The call happens, or does not, and its caller is not told which.
AMBIGUOUS = (
    "charge_then_hang", "charge_then_500", "charge_then_reset", "charge_then_html", "charge_then_truncated",
    "slow_charge", "duplicate_reference", "hang", "500", "reset",
)  # fmt: skip
AMBIGUOUS_SHARE = 0.08  # each: together about half of all calls
OTHERS = {
    "refuse_stock": 0.04,
    "refuse_balance": 0.02,
    "refuse_blocked": 0.01,
    "charged_more": 0.01,
    "failed_after_processing": 0.03,
    "failed_without_refund": 0.02,
    "cancelled_after_processing": 0.02,
    "partially_completed": 0.01,
    "silent_refund": 0.01,
    "never_provisioned": 0.01,
    "list_lag": 0.06,
    "picture_only": 0.05,
    "two_codes": 0.02,
}
_SLOWER_THAN_THE_CALLER = 1.0
_LAG_SECONDS = 3.0
_PLAN_TRIES = 12
_OFFERS = """
SELECT o.supplier, o.plan_id FROM offers o
WHERE o.gone_at IS NULL AND o.visible AND o.suspect IS NULL AND o.plan_id IS NOT NULL AND o.cost BETWEEN 1 AND 12
  AND NOT o.coverage @> '{BV}' AND coalesce(o.stock, 1000) > 50
  AND ($1 = '' OR o.supplier = $1) AND (NOT $2 OR (o.features->>'topup')::boolean IS TRUE)
ORDER BY o.id LIMIT 400
"""


@dataclass
class Shop(Hands):
    """Orders eSIMs, tops some up and gives some back. ``plans`` are what it orders, by supplier."""

    plans: dict[str, list[str]]

    async def one(self) -> None:
        """An order, and what a storefront does with it."""
        placed = await self._order()
        if placed is not None:
            await self._follow(placed)

    async def _order(self) -> str | None:
        front = self.storefront
        supplier = front.chance.choices(["s2s", "pikasim", "beppay", ""], [0.37, 0.37, 0.08, 0.18])[0]
        for _ in range(_PLAN_TRIES):
            body: dict[str, Any] = {
                "plan_id": front.chance.choice(self.plans[supplier]),
                "reference": front.reference(),
                "customer": front.customer(),
            }
            if supplier:
                body["suppliers"] = {"only": [supplier]}
            if (made := (await front.insist("/v1/orders", body)).made) is not None:
                return made
            await asyncio.sleep(AFTER_A_REFUSAL)
        return None

    async def _follow(self, order_id: str) -> None:
        """Wait a little; of what was delivered some is topped up and some is given back."""
        front = self.storefront
        order = await front.get(f"/v1/orders/{order_id}", {"Prefer": "wait=4"})
        if order is None or order["status"] != "fulfilled" or order.get("supplier") not in {"pikasim", "s2s"}:
            return
        draw = front.chance.random()
        esim = order["esim"]["id"]
        if draw < 0.45 and self.rest > 0:
            found = await front.get(f"/v1/esims/{esim}/topup-plans")
            if found is not None and found["data"]:
                self.rest -= 1
                await front.insist(f"/v1/esims/{esim}/topups", {"topup_plan_id": found["data"][0]["id"]})
        elif draw < 0.55 and order["supplier"] == "pikasim":
            await front.post_once(f"/v1/orders/{order_id}/cancel")


async def plans_of(connection: asyncpg.Connection[asyncpg.Record]) -> dict[str, list[str]]:
    """Plans to order, by supplier; under "" those that several sell."""
    found = {
        name: [row["plan_id"] for row in await connection.fetch(_OFFERS, name, name == "pikasim")] for name in SUPPLIERS
    }
    sold = Counter(plan for name in SUPPLIERS for plan in {*found[name]})
    found[""] = [plan for plan, sellers in sold.items() if sellers > 1] or found["s2s"]
    return found


def arm(machine: Machine) -> None:
    """From now on about half of all calls that spend are ambiguous, and much else goes wrong besides."""
    for supplier in SUPPLIERS:
        for kind, share in [*((kind, AMBIGUOUS_SHARE) for kind in AMBIGUOUS), *OTHERS.items()]:
            if (supplier, kind) == ("pikasim", "picture_only"):
                continue  # its pictures are links, which the gateway does not follow
            seconds = machine.plan.timeout + _SLOWER_THAN_THE_CALLER if kind == "slow_charge" else _LAG_SECONDS
            machine.tell(
                supplier, "triggers", {"kind": kind, "share": share, "calls": None, "seconds": round(seconds, 1)}
            )
        machine.tell(supplier, "triggers", {"kind": "charge_then_hang", "act": "cancel", "share": 0.3, "calls": None})


@dataclass
class Trouble:
    """Kills and freezes processes by a plan: (share of the storm's time, what). ``done`` is what it did.

    Everything that it does lasts ``slowness`` times as long as is said.
    """

    machine: Machine
    slowness: float = 1.0
    done: Counter[str] = field(default_factory=Counter)

    async def run(self, steps: list[tuple[float, Callable[[], Awaitable[None]]]], seconds: float) -> None:
        """Every step at its time, side by side."""
        await asyncio.gather(*(self._at(share * seconds, act) for share, act in steps))

    async def _at(self, after: float, act: Callable[[], Awaitable[None]]) -> None:
        await asyncio.sleep(after)
        await act()

    async def kill_worker(self, number: int) -> None:
        self.done["workers killed"] += 1
        self.machine.kill_worker(number)  # waits for its end, which is at once

    async def freeze_worker(self, number: int, seconds: float) -> None:
        self.done["workers frozen"] += 1
        await self._freeze(self.machine.workers[number].pid, seconds)

    async def freeze_serving(self, seconds: float) -> None:
        self.done["serving processes frozen"] += 1
        if children := self.machine.serving():
            await self._freeze(children[-1], seconds)

    async def kill_serving(self) -> None:
        self.done["serving processes killed"] += 1
        self.machine.kill_serving()

    async def kill_postgres(self, away: float) -> None:
        self.done["PostgreSQL killed"] += 1
        self.machine.kill_postgres()
        await asyncio.sleep(away * self.slowness)
        self.machine.start_postgres()  # in this thread: the server ends with the thread that starts it

    async def restart_postgres(self, away: float) -> None:
        self.done["PostgreSQL restarted"] += 1
        self.machine.stop_postgres()
        await asyncio.sleep(away * self.slowness)
        self.machine.start_postgres()

    async def truncate_queue(self) -> None:
        self.done["queue tables truncated"] += 1
        await truncate_queue(self.machine)

    async def freeze_redis(self, seconds: float) -> None:
        self.done["Redis frozen"] += 1
        await self._freeze(self.machine.servers.valkey.pid, seconds)

    async def _freeze(self, pid: int, seconds: float) -> None:
        self.machine.send(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds * self.slowness)
        finally:
            self.machine.send(pid, signal.SIGCONT)
