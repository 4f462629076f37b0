"""Fairness: what a small storefront waits while another sends twenty times its orders to the same supplier.

    python -m benchmarks.orders_fair [--quick] [--rate N] [--processes N] [--seconds S]

The supplier takes half a second over every order, and our own limit of requests there is far below what both
storefronts ask for; the limit of open orders is off, so that nothing but the fair queue protects the small one. It
sends at the same pace alone and beside the large one, whose backlog stands before the measurement begins.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import uvloop

from benchmarks.goals import compare_with_goal
from benchmarks.orders_gateway import RunningService, Setting, gateway_on, headers_of, open_setting
from benchmarks.processes import print_logs
from gateway.access.key_rows import create_key
from gateway.kit import log
from gateway.kit.pool import open_pool
from gateway.runtime.embedded_servers import DATABASE

SUPPLIER_SECONDS = 0.5
TIMES_THE_LOAD = 20
GOAL = 2.0
SMALL_EVERY_SECONDS = 1.0
BACKLOG_SECONDS = 8.0
WAIT_SECONDS = 30
WARM_UP = 5


@dataclass
class SmallStorefront:
    """The orders of the small storefront: seconds until each was answered, and what became of them."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)

    def quantile(self, share: float) -> float:
        """The quantile, in milliseconds."""
        return sorted(self.seconds)[min(len(self.seconds) - 1, int(len(self.seconds) * share))] * 1e3


class Load:
    """Sends orders at a steady pace, whether or not the earlier ones were answered."""

    def __init__(self, setting: Setting, service: RunningService, http: aiohttp.ClientSession) -> None:
        self.setting, self.service, self.http = setting, service, http
        self.sent = 0

    async def small(self, key: str, seconds: float) -> SmallStorefront:
        """Orders of the small storefront, each waited for."""
        found = SmallStorefront()

        async def place() -> None:
            began = time.monotonic()
            status = await self._order(key, {"Prefer": f"wait={WAIT_SECONDS}"})
            found.seconds.append(time.monotonic() - began)
            found.statuses[status] += 1

        await self._steadily(place, SMALL_EVERY_SECONDS, seconds)
        return found

    async def large(self, key: str, seconds: float) -> None:
        """Orders of the large storefront, none waited for."""

        async def place() -> None:
            await self._order(key, {})

        await self._steadily(place, SMALL_EVERY_SECONDS / TIMES_THE_LOAD, seconds)

    async def _steadily(self, send: Callable[[], Coroutine[Any, Any, None]], every: float, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        begin = loop.time()
        async with asyncio.TaskGroup() as tasks:
            for number in range(int(seconds / every)):
                await asyncio.sleep(max(0.0, begin + number * every - loop.time()))
                tasks.create_task(send())

    async def _order(self, key: str, prefer: dict[str, str]) -> str:
        self.sent += 1
        plan, _ = self.setting.plans[self.sent % len(self.setting.plans)]
        url = f"{self.service.url}/v1/orders"
        async with self.http.post(url, json={"plan_id": plan}, headers=headers_of(key) | prefer) as answer:
            reply = await answer.json()
            return str(reply["status"]) if answer.status in {201, 202} else f"{answer.status} {reply.get('code')}"


async def keys_of_two(setting: Setting) -> tuple[str, str]:
    """Keys of a small and a large storefront."""
    pool = await open_pool(setting.servers.postgres.url(), name="bench", max_size=1)
    made = [
        (await create_key(pool, storefront=name, mode="test", scopes=["storefront"], per_minute=10**6)).key
        for name in ("small", "large")
    ]
    await pool.close()
    return made[0], made[1]


async def main(arguments: argparse.Namespace, folder: Path) -> None:
    """The whole measurement."""
    log.configure("error")
    with contextlib.ExitStack() as stack:
        more = {"GATEWAY_ORDERS__MAX_OPEN": "0"}
        setting = await open_setting(stack, folder, SUPPLIER_SECONDS, more, per_minute=arguments.rate)
        small_key, large_key = await keys_of_two(setting)
        service = await gateway_on(stack, setting, DATABASE, serving=arguments.processes)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as http:
            load = Load(setting, service, http)
            await load.small(small_key, WARM_UP * SMALL_EVERY_SECONDS)
            alone = await load.small(small_key, arguments.seconds)
            large = asyncio.create_task(load.large(large_key, arguments.seconds + BACKLOG_SECONDS))
            await asyncio.sleep(BACKLOG_SECONDS)
            beside = await load.small(small_key, arguments.seconds)
            await large
    each = f"{1 / SMALL_EVERY_SECONDS:g} order a second, {arguments.rate} requests a minute at the supplier"
    print(f"\n{len(beside.seconds)} orders of the small storefront, {each}\n")
    print(f"{'':<34}{'p50 ms':>9}{'p95 ms':>9}{'max ms':>9}")
    for name, found in (("alone", alone), (f"beside {TIMES_THE_LOAD} times its load", beside)):
        figures = "".join(f"{found.quantile(share):>9.0f}" for share in (0.5, 0.95, 1.0))
        outcomes = ", ".join(f"{count} {status}" for status, count in found.statuses.items())
        print(f"{name:<34}{figures}  {outcomes}")
    print()
    ratio = beside.quantile(0.95) / alone.quantile(0.95)
    print(compare_with_goal(f"small storefront's p95, beside {TIMES_THE_LOAD} times its load", ratio, "<=", GOAL, "x"))
    if set(beside.statuses) | set(alone.statuses) != {"fulfilled"}:
        raise SystemExit("not every order of the small storefront was fulfilled in time")


def cli() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a short measurement: to see that it runs")
    parser.add_argument("--rate", type=int, default=600, help="our limit of requests a minute at the supplier")
    parser.add_argument("--processes", type=int, default=2, help="processes that serve, beside one worker")
    parser.add_argument("--seconds", type=float, help="how long the small storefront is measured, each time")
    arguments = parser.parse_args()
    arguments.seconds = arguments.seconds or (15.0 if arguments.quick else 60.0)
    with tempfile.TemporaryDirectory(prefix="bench-fair-") as folder:
        try:
            uvloop.run(main(arguments, Path(folder)))
        finally:
            print_logs(Path(folder))


if __name__ == "__main__":
    cli()
