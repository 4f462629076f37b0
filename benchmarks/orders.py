"""Orders: the gateway beside a plain service, and what a long history costs.

    python -m benchmarks.orders [--quick] [--orders N] [--rounds N] [--history 1000,300000] [--serving N] [--ordinary]

The supplier is a sandbox in a process of its own that takes 200 ms over every order. In each round the same number of
callers asks it directly, through a plain service (``orders_plain``) and through the gateway, which buys over a fresh
connection for each order and commits before and after. A ``worker`` runs, and the database holds a history of orders.
The catalogue is synced before that, so that no order asks for its price first: a second call, which the plain service
does not make.
PostgreSQL keeps every promise: fsync and synchronous_commit are on.

What a long history costs is measured with two databases side by side, each with its own ``serve`` and ``worker``, asked
in turn, so that other load on the machine meets both alike.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import asyncpg
import uvloop

from benchmarks.goals import compare_with_goal
from benchmarks.orders_gateway import RunningService, Setting, gateway_on, headers_of, open_setting
from benchmarks.orders_history import fill_history
from benchmarks.orders_open_loop import LIMIT_SECONDS, WrongAnswerError, highest_rate
from benchmarks.orders_supplier import SUPPLIER
from benchmarks.processes import cpu_seconds, free_port, print_logs, started, wait_until_ready
from gateway.kit import log
from gateway.kit.pool import Pool, open_pool
from gateway.runtime.embedded_servers import DATABASE
from gateway.suppliers import fund_rows
from providers.s2s.signatures import order_headers

SUPPLIER_SECONDS = 0.2
AT_ONCE = 32
GOAL_P50, GOAL_P99 = 2.0, 3.0
GOAL_CPU, GOAL_GROWTH, GOAL_CLOSED, GOAL_RATE = 3.0, 1.25, 0.95, 0.5
MOST_OPEN = 10_000  # one storefront orders as much as the process bears, which is for many storefronts
WARM_UP = 10
MOST_ASKED = 120  # requests of each kind to each database, in turn
SAMPLE_ORDERS = 8
DRAIN_SECONDS = 5.0  # what the worker does about orders after they were answered is over by then
IDLE_SECONDS = 8.0
_numbers = itertools.count(1)


@dataclass
class Timings:
    """What was timed: milliseconds of each call and of those in bursts, orders a second of each round, CPU of an order.

    ``cpu`` are milliseconds by whose they are.
    """

    ms: list[float] = field(default_factory=list)
    burst_ms: list[float] = field(default_factory=list)
    per_second: list[float] = field(default_factory=list)
    cpu: dict[str, float] = field(default_factory=dict)

    def quantile(self, share: float) -> float:
        """The quantile, in milliseconds."""
        return sorted(self.ms)[min(len(self.ms) - 1, int(len(self.ms) * share))]


async def plain_service(stack: contextlib.ExitStack, setting: Setting, serving: int) -> RunningService:
    """The plain service in so many processes, on a database of its own in the same server."""
    setting.servers.postgres.create_database("plain")
    port = free_port()
    url = setting.servers.postgres.url("plain")
    pids = []
    for number in range(serving):
        command = ("benchmarks.orders_plain", str(port), url, setting.supplier_url)
        process = stack.enter_context(started(*command, output=setting.folder / f"plain-{number}.log"))
        pids.append(process.pid)
        await wait_until_ready(f"http://127.0.0.1:{port}/readyz")  # the first one makes the table
    return RunningService(f"http://127.0.0.1:{port}", tuple(pids))


async def sync_again(setting: Setting, database: str) -> None:
    """Have the catalogue observed anew: an order of what was seen long ago asks the supplier for its price first."""
    sync = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "sync", "--quiet"), env=setting.environment("sync", database)
    )
    if await sync.wait():
        raise SystemExit("the catalogue cannot be synced")


class Callers:
    """The three ways to an order: each call is one order, and a wrong answer ends the benchmark."""

    def __init__(self, http: aiohttp.ClientSession, setting: Setting, plain: str, gateway: str) -> None:
        self.http, self.setting = http, setting
        self.plain, self.gateway = plain, gateway

    async def ask_supplier(self, number: int) -> None:
        """The supplier itself."""
        _, sku = self.setting.plans[number % len(self.setting.plans)]
        reference = f"floor-{next(_numbers)}"
        headers = order_headers(self.setting.account["partner_secret"], datetime.now(UTC), sku, reference)
        headers["Authorization"] = f"Bearer {self.setting.account['token']}"
        body = {"external_id": reference, "item": {"sku_id": sku, "fields": {"quantity": 1}}}
        async with self.http.post(f"{self.setting.supplier_url}/orders", json=body, headers=headers) as answer:
            reply = await answer.json()
            if not answer.ok or not reply["success"]:
                raise WrongAnswerError(f"the supplier answers {answer.status}: {reply}")

    async def ask_plain(self, number: int) -> None:
        """The plain service."""
        plan, sku = self.setting.plans[number % len(self.setting.plans)]
        async with self.http.post(f"{self.plain}/orders", json={"plan_id": plan, "sku": sku}) as answer:
            if answer.status != 201:
                raise WrongAnswerError(f"the plain service answers {answer.status}: {await answer.text()}")

    async def ask_gateway(self, number: int) -> None:
        """The gateway."""
        plan, _ = self.setting.plans[number % len(self.setting.plans)]
        headers = headers_of(self.setting.key) | {"Prefer": "wait=20"}
        async with self.http.post(f"{self.gateway}/v1/orders", json={"plan_id": plan}, headers=headers) as answer:
            reply = await answer.json()
            if answer.status != 201 or reply["status"] != "fulfilled":
                raise WrongAnswerError(f"the gateway answers {answer.status}: {reply}")


async def measure(timings: Timings, call: Callable[[int], Awaitable[None]], count: int) -> None:
    """``count`` calls, ``AT_ONCE`` at a time, each timed.

    The callers begin one after the other, spread over the time that an order takes: customers do not come in step, and
    32 that begin at the same instant are a burst, which ``measure_burst`` times.
    """
    numbers = iter(range(count))

    async def caller(place: int) -> None:
        await asyncio.sleep(SUPPLIER_SECONDS * place / AT_ONCE)
        for number in numbers:
            began = time.perf_counter()
            await call(number)
            timings.ms.append((time.perf_counter() - began) * 1e3)

    began = time.perf_counter()
    await asyncio.gather(*(caller(place) for place in range(AT_ONCE)))
    timings.per_second.append(count / (time.perf_counter() - began))


async def measure_burst(timings: Timings, call: Callable[[int], Awaitable[None]]) -> None:
    """``AT_ONCE`` calls that begin at the same instant, each timed from there."""
    began = time.perf_counter()

    async def caller(number: int) -> None:
        await call(number)
        timings.burst_ms.append((time.perf_counter() - began) * 1e3)

    await asyncio.gather(*map(caller, range(AT_ONCE)))


async def beside_plain_service(setting: Setting, gateway: RunningService, arguments: argparse.Namespace) -> None:
    """The supplier asked directly, through the plain service and through the gateway, in turn."""
    orders, rounds = arguments.orders, arguments.rounds
    await sync_again(setting, "long")
    postgres = (setting.servers.postgres.pid,)
    floor, plain_timings, gateway_timings = Timings(), Timings(), Timings()
    with contextlib.ExitStack() as stack:
        plain = await plain_service(stack, setting, arguments.serving)
        watched = {"gateway": gateway.pids, "plain": plain.pids, "PostgreSQL": postgres}
        connector = aiohttp.TCPConnector(limit=AT_ONCE)
        async with aiohttp.ClientSession(connector=connector) as http:
            callers = Callers(http, setting, plain.url, gateway.url)
            for call in (callers.ask_supplier, callers.ask_plain, callers.ask_gateway):
                await measure(Timings(), call, AT_ONCE * 4)  # only warms up
            await asyncio.sleep(DRAIN_SECONDS)
            idle = await _idle_cpu(watched)
            for _ in range(rounds):
                await measure(floor, callers.ask_supplier, orders)
                for timings, call, names in (
                    (plain_timings, callers.ask_plain, ("plain", "PostgreSQL")),
                    (gateway_timings, callers.ask_gateway, ("gateway", "PostgreSQL")),
                ):
                    before, began = _cpu(watched), time.monotonic()
                    await measure(timings, call, orders)
                    await asyncio.sleep(DRAIN_SECONDS)
                    after, seconds = _cpu(watched), time.monotonic() - began
                    for name in names:
                        used = after[name] - before[name] - idle[name] * seconds
                        timings.cpu[name] = timings.cpu.get(name, 0.0) + used * 1e3 / (orders * rounds)
                for timings, call in (
                    (floor, callers.ask_supplier),
                    (plain_timings, callers.ask_plain),
                    (gateway_timings, callers.ask_gateway),
                ):
                    await measure_burst(timings, call)
                    await asyncio.sleep(DRAIN_SECONDS / 5)
        _print_beside(floor, plain_timings, gateway_timings)
        if not arguments.quick:
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
                await _open_loop(Callers(http, setting, plain.url, gateway.url))


async def _open_loop(callers: Callers) -> None:
    """The highest rates that the plain service and the gateway bear."""
    plain = await highest_rate(callers.ask_plain, pause=DRAIN_SECONDS / 5)
    await sync_again(callers.setting, "long")  # the plain service's ladder took minutes
    gateway = await highest_rate(callers.ask_gateway, pause=DRAIN_SECONDS / 5)
    print(f"\nhighest rate with p99 below {LIMIT_SECONDS:.0f} s: {gateway:.0f}/s, a plain service {plain:.0f}/s")
    print(compare_with_goal("order: highest rate over a plain service's", gateway / plain, ">=", GOAL_RATE, "x"))


def _cpu(watched: dict[str, tuple[int, ...]]) -> dict[str, float]:
    return {name: cpu_seconds(pids) for name, pids in watched.items()}


async def _idle_cpu(watched: dict[str, tuple[int, ...]]) -> dict[str, float]:
    """CPU seconds per second while nobody orders; it is no cost of an order."""
    before, began = _cpu(watched), time.monotonic()
    await asyncio.sleep(IDLE_SECONDS)
    seconds = time.monotonic() - began
    return {name: (used - before[name]) / seconds for name, used in _cpu(watched).items()}


def _print_beside(floor: Timings, plain: Timings, gateway: Timings) -> None:
    print(f"\n{len(gateway.ms)} orders, {AT_ONCE} at once, at a supplier that takes {SUPPLIER_SECONDS * 1e3:.0f} ms\n")
    print(f"{'':<34}{'p50 ms':>9}{'p99 ms':>9}{'orders/s':>10}{'CPU ms':>9}{'its own':>9}{'PostgreSQL':>12}")
    for name, timings in (
        ("the supplier, asked directly", floor),
        ("a plain service", plain),
        ("the gateway", gateway),
    ):
        rate = statistics.median(timings.per_second)
        line = f"{name:<34}{timings.quantile(0.5):>9.1f}{timings.quantile(0.99):>9.1f}{rate:>10.0f}"
        if timings.cpu:
            database = timings.cpu["PostgreSQL"]
            own = sum(timings.cpu.values()) - database
            line += f"{own + database:>9.2f}{own:>9.2f}{database:>12.2f}"
        print(line)
    print()
    for word, share, goal in (("p50", 0.5, GOAL_P50), ("p99", 0.99, GOAL_P99)):
        added, plainly = (timings.quantile(share) - floor.quantile(share) for timings in (gateway, plain))
        print(f"added over the supplier's own, {word}: {added:.1f} ms, by a plain service {plainly:.1f} ms")
        ratio = added / max(plainly, 0.1)  # a plain service that adds nothing is noise
        print(compare_with_goal(f"order: time added, over a plain service's, {word}", ratio, "<=", goal, "x"))
    bursts = [statistics.median(timings.burst_ms) for timings in (floor, plain, gateway)]
    print(f"{AT_ONCE} at the same instant, median: {bursts[2] - bursts[0]:.1f} ms added, by a plain service", end=" ")
    print(f"{bursts[1] - bursts[0]:.1f} ms")
    rate = statistics.median(gateway.per_second) / statistics.median(plain.per_second)
    print(compare_with_goal("order: orders a second, over a plain service's", rate, ">=", GOAL_CLOSED, "x"))
    cpu = sum(gateway.cpu.values()) / sum(plain.cpu.values())
    print(compare_with_goal("order: CPU of it and PostgreSQL, over a plain service's", cpu, "<=", GOAL_CPU, "x"))


@dataclass(frozen=True)
class HistoryCost:
    """Two gateways, one with a short and one with a long history, and the milliseconds of what both were asked."""

    setting: Setting
    services: Sequence[RunningService]
    pools: Sequence[Pool]
    http: aiohttp.ClientSession
    ms: dict[str, tuple[list[float], list[float]]] = field(default_factory=lambda: defaultdict(lambda: ([], [])))

    async def ask(self, which: int, number: int) -> None:
        """Everything once of one of the two."""
        await self._timed("funds", which, fund_rows.load_all(self.pools[which]))
        for path in ("/v1/orders", "/v1/ops/orders"):
            await self._timed(f"GET {path}", which, self._get(which, path))
        await self._timed("admission", which, self._admit(which, number))

    async def _timed(self, what: str, which: int, call: Awaitable[object]) -> None:
        began = time.perf_counter()
        await call
        self.ms[what][which].append((time.perf_counter() - began) * 1e3)

    async def _get(self, which: int, path: str) -> None:
        url = f"{self.services[which].url}{path}?limit=50"
        key = self.setting.ops_key if path.startswith("/v1/ops/") else self.setting.key
        async with self.http.get(url, headers={"Authorization": f"Bearer {key}"}) as answer:
            if not answer.ok or len((await answer.json())["data"]) != 50:
                raise SystemExit(f"{path} answers {answer.status}")

    async def _admit(self, which: int, number: int) -> None:
        plan, _ = self.setting.plans[number % len(self.setting.plans)]
        url = f"{self.services[which].url}/v1/orders"
        async with self.http.post(url, json={"plan_id": plan}, headers=headers_of(self.setting.key)) as answer:
            if answer.status not in {201, 202}:
                raise SystemExit(f"not admitted: {await answer.text()}")


async def growth(
    setting: Setting, services: Sequence[RunningService], databases: Sequence[str], sizes: list[int], times: int
) -> None:
    """Admission, funds and lists with a short and a long history, asked in turn."""
    pools = [await open_pool(setting.servers.postgres.url(name), name="bench", max_size=1) for name in databases]
    async with aiohttp.ClientSession() as http:
        cost = HistoryCost(setting, services, pools, http)
        for number in range(WARM_UP + times):
            for which in (0, 1) if number % 2 else (1, 0):
                await cost.ask(which, number)
                # The order is bought meanwhile; its end does not fall into what is timed next.
                await asyncio.sleep(SUPPLIER_SECONDS * 1.5)
    for pool in pools:
        await pool.close()
    print(f"\nmedians of {times} each, with {sizes[0]:,} and {sizes[1]:,} orders in the tables\n")
    for what, (short, long) in cost.ms.items():
        few, many = statistics.median(short[WARM_UP:]), statistics.median(long[WARM_UP:])
        print(f"{what}: {few:.2f} and {many:.2f} ms")
        print(compare_with_goal(f"{what}, {sizes[1]:,} orders over {sizes[0]:,}", many / few, "<=", GOAL_GROWTH, "x"))


async def two_histories(setting: Setting, sizes: list[int]) -> list[str]:
    """Two databases with a catalogue and histories of these lengths; their names."""
    # What the history is copied from is bought once, by the gateway.
    with contextlib.ExitStack() as stack:
        service = await gateway_on(stack, setting, DATABASE)
        async with aiohttp.ClientSession() as http:
            callers = Callers(http, setting, "", service.url)
            for number in range(SAMPLE_ORDERS):
                await callers.ask_gateway(number)
    admin = await asyncpg.connect(setting.servers.postgres.url("postgres"))
    await admin.execute(f"CREATE DATABASE long TEMPLATE {DATABASE}")
    await admin.close()
    databases = [DATABASE, "long"]
    for name, size in zip(databases, sizes, strict=True):
        began = time.monotonic()
        connection = await asyncpg.connect(setting.servers.postgres.url(name))
        currency = await connection.fetchval("SELECT currency FROM offers LIMIT 1")
        await fill_history(connection, SUPPLIER, currency, size)
        await connection.close()
        print(f"{size:,} orders with attempts, charges, events, keys and eSIMs in {time.monotonic() - began:.0f} s")
    return databases


async def main(arguments: argparse.Namespace, folder: Path) -> None:
    """The whole measurement."""
    log.configure("error")
    sizes = [int(size) for size in arguments.history.split(",")]
    with contextlib.ExitStack() as stack:
        more = {"GATEWAY_ORDERS__MAX_OPEN": str(MOST_OPEN)}
        if arguments.ordinary:
            more["GATEWAY_ORDERS__FAST_ADMISSION"] = "false"
        setting = await open_setting(stack, folder, SUPPLIER_SECONDS, more)
        print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs", flush=True)
        databases = await two_histories(setting, sizes)
        with contextlib.ExitStack() as short:
            services = [
                await gateway_on(short, setting, databases[0], serving=arguments.serving),
                await gateway_on(stack, setting, databases[1], serving=arguments.serving),
            ]
            await growth(setting, services, databases, sizes, 40 if arguments.quick else MOST_ASKED)
        await beside_plain_service(setting, services[1], arguments)
        print(f"load of the machine: {os.getloadavg()[0]:.1f}")


def cli() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a short history and one round: to see that it runs")
    parser.add_argument("--orders", type=int, help="orders of one round")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--history", help="orders in the tables, a short and a long history")
    parser.add_argument(
        "--serving", type=int, default=1, help="processes that answer, of the gateway as of the plain service"
    )
    parser.add_argument("--ordinary", action="store_true", help="admission the ordinary way, not from memory")
    arguments = parser.parse_args()
    arguments.orders = arguments.orders or (320 if arguments.quick else 960)
    arguments.rounds = arguments.rounds or (1 if arguments.quick else 3)
    arguments.history = arguments.history or ("1000,20000" if arguments.quick else "1000,300000")
    with tempfile.TemporaryDirectory(prefix="bench-orders-") as folder:
        try:
            uvloop.run(main(arguments, Path(folder)))
        finally:
            print_logs(Path(folder))


if __name__ == "__main__":
    cli()
