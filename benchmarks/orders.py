"""Orders: the time that the gateway adds to its supplier's own, and admission in a small and a large table.

    python -m benchmarks.orders [--orders N] [--rounds N] [--table 1000,200000]

The supplier is a sandbox in a process of its own that takes 200 ms over every order. The floor asks it directly,
over connections that stay open; the gateway is ``serve``, which buys over a fresh connection for each order and
commits before and after. Both are asked by the same number of callers at once, in turn, in the same run.
PostgreSQL keeps every promise: fsync and synchronous_commit are on.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import uvloop

from benchmarks.goals import shown
from benchmarks.orders_supplier import SUPPLIER
from gateway import embedded, log
from gateway.flows.accounts import accounts_of
from gateway.flows.admit import Admitted, admit
from gateway.flows.deps import Deps
from gateway.flows.publish import publish
from gateway.flows.sync import run_sync
from gateway.processes import die_with_parent
from gateway.sealing import Seal
from gateway.settings import Settings, load
from gateway.store.durability import require_durable
from gateway.store.keys import create_key
from gateway.store.migrations import upgrade
from gateway.store.pool import Pool, connect, open_pool
from providers.loader import load_manifests
from providers.s2s.signatures import order_headers
from schemas.orders import OrderForPlan

SUPPLIER_SECONDS = 0.2
AT_ONCE = 32
GOAL_P50_MS, GOAL_P99_MS, GOAL_GROWTH = 4.0, 15.0, 1.25
ADMITTED = 300
SECRET = "a made-up secret of more than thirty-two characters"
_numbers = itertools.count(1)


@dataclass
class Taken:
    """What was measured on one way: milliseconds of each call, and calls per second of each round."""

    ms: list[float] = field(default_factory=list)
    per_second: list[float] = field(default_factory=list)

    def at(self, share: float) -> float:
        """The quantile, in milliseconds."""
        return sorted(self.ms)[min(len(self.ms) - 1, int(len(self.ms) * share))]


@dataclass(frozen=True)
class Bench:
    """Everything that runs."""

    settings: Settings
    pool: Pool
    url: str
    supplier_url: str
    key: str
    plans: list[tuple[str, str]]  # plan and the supplier's own id of it


async def measure(taken: Taken, call: Callable[[int], Awaitable[None]], count: int) -> None:
    """``count`` calls, so many at once, each timed."""
    numbers = iter(range(count))
    loop = asyncio.get_running_loop()

    async def caller() -> None:
        for number in numbers:
            began = loop.time()
            await call(number)
            taken.ms.append((loop.time() - began) * 1e3)

    began = loop.time()
    await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
    taken.per_second.append(count / (loop.time() - began))


async def added(bench: Bench, orders: int, rounds: int) -> None:
    """The supplier asked directly and through the gateway, in turn."""
    account = load_manifests()[SUPPLIER].sandbox_settings
    floor, ours = Taken(), Taken()
    connector = aiohttp.TCPConnector(limit=AT_ONCE)
    async with aiohttp.ClientSession(connector=connector) as http:

        async def direct(number: int) -> None:
            _, sku = bench.plans[number % len(bench.plans)]
            reference = f"floor-{next(_numbers)}"
            headers = order_headers(account["partner_secret"], datetime.now(UTC), sku, reference)
            headers["Authorization"] = f"Bearer {account['token']}"
            body = {"external_id": reference, "item": {"sku_id": sku, "fields": {"quantity": 1}}}
            async with http.post(f"{bench.supplier_url}/orders", json=body, headers=headers) as answer:
                told = await answer.json()
                if not answer.ok or not told["success"]:
                    raise SystemExit(f"the supplier says {answer.status}: {told}")

        async def ordered(number: int) -> None:
            plan, _ = bench.plans[number % len(bench.plans)]
            headers = {
                "Authorization": f"Bearer {bench.key}",
                "Idempotency-Key": f"bench-{next(_numbers)}",
                "Prefer": "wait=20",
            }
            async with http.post(f"{bench.url}/v1/orders", json={"plan_id": plan}, headers=headers) as answer:
                told = await answer.json()
                if answer.status != 201 or told["status"] != "fulfilled":
                    raise SystemExit(f"the gateway says {answer.status}: {told}")

        for number in range(rounds + 1):
            count = orders if number else AT_ONCE * 4  # the first round only warms up
            await measure(floor, direct, count)
            await measure(ours, ordered, count)
            if number == 0:
                floor, ours = Taken(), Taken()
    print(f"\n{len(ours.ms)} orders, {AT_ONCE} at once, at a supplier that takes {SUPPLIER_SECONDS * 1e3:.0f} ms\n")
    print(f"{'':<34}{'p50 ms':>9}{'p99 ms':>9}{'orders/s':>10}")
    for name, taken in (("the supplier, asked directly", floor), ("through the gateway", ours)):
        rate = statistics.median(taken.per_second)
        print(f"{name:<34}{taken.at(0.5):>9.1f}{taken.at(0.99):>9.1f}{rate:>10.0f}")
    print()
    print(
        shown("order: time added over the supplier's own, p50", ours.at(0.5) - floor.at(0.5), "<=", GOAL_P50_MS, "ms")
    )
    print(
        shown("order: time added over the supplier's own, p99", ours.at(0.99) - floor.at(0.99), "<=", GOAL_P99_MS, "ms")
    )


async def admission(bench: Bench, sizes: list[int]) -> None:
    """The time that admitting takes in a table of each size."""
    medians = []
    async with accounts_of(bench.settings, bench.pool) as accounts:
        deps = Deps(bench.pool, accounts, bench.settings, Seal.from_settings(bench.settings))
        storefront = await bench.pool.fetchval("SELECT id FROM storefronts")
        for size in sizes:
            await fill(bench.pool, size)
            taken = []
            for number in range(ADMITTED + 50):
                plan, _ = bench.plans[number % len(bench.plans)]
                began = time.perf_counter()
                found = await admit(deps, storefront, "test", OrderForPlan(plan_id=plan), f"a-{next(_numbers)}")
                if number >= 50:
                    taken.append((time.perf_counter() - began) * 1e3)
                if not isinstance(found, Admitted):
                    raise SystemExit(f"not admitted: {found}")
            medians.append(statistics.median(taken))
            print(f"admitted, {size:>9,} orders in the table: {medians[-1]:6.2f} ms")
    what = f"time to admit, {sizes[-1]:,} orders over {sizes[0]:,}"
    print(shown(what, medians[-1] / medians[0], "<=", GOAL_GROWTH, "x"))


async def fill(pool: Pool, size: int) -> None:
    """Bring the tables to so many orders, each fulfilled, with its key, attempt and timeline."""
    async with pool.acquire() as connection:
        there = await connection.fetchval("SELECT count(*) FROM orders")
        missing = max(0, size - there)
        if missing:
            made = f"generate_series({there}, {there + missing - 1}) AS made(number)"
            for table, change in _COPIED.items():
                columns = [
                    row["column_name"]
                    for row in await connection.fetch(
                        "SELECT column_name FROM information_schema.columns WHERE table_name = $1"
                        " AND is_identity = 'NO' ORDER BY ordinal_position",
                        table,
                    )
                ]
                values = ", ".join(change.get(name, f"one.{name}") for name in columns)
                await connection.execute(
                    f"INSERT INTO {table} ({', '.join(columns)})"
                    f" SELECT {values} FROM (SELECT * FROM {table} LIMIT 1) one, {made}",
                    timeout=300,
                )
        for table in _COPIED:
            await connection.execute(f"ANALYZE {table}")


_ORDER = "'ord_made' || made.number"
_AT = "now() - make_interval(secs => made.number)"
_COPIED: dict[str, dict[str, str]] = {
    "orders": {
        "id": _ORDER, "reference": "'made-' || made.number", "status": "'fulfilled'", "failure_code": "NULL",
        "next_poll_at": "NULL", "created_at": _AT, "updated_at": _AT, "fulfilled_at": _AT,
    },
    "idempotency_keys": {"key": "'made-' || made.number", "order_id": _ORDER, "created_at": _AT},
    "attempts": {
        "id": "'att_made' || made.number", "order_id": _ORDER, "n": "1", "state": "'succeeded'",
        "supplier_order_id": "'made-' || made.number", "started_at": _AT, "call_ended_at": _AT, "ended_at": _AT,
    },
    "order_events": {"order_id": _ORDER, "at": _AT},
}  # fmt: skip


@contextmanager
def started(
    *command: str, env: dict[str, str] | None = None, output: Path | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A process that ends with this block."""
    with contextlib.ExitStack() as stack:
        error = stack.enter_context(output.open("w")) if output is not None else None
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if output is None else error,
            stderr=error,
            text=True,
            env=env,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - no thread is started before
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


async def prepared(settings: Settings, database_url: str) -> tuple[Pool, str, list[tuple[str, str]]]:
    """A database with a synced catalogue, a key, and the plans to order."""
    connection = await connect(database_url)
    await require_durable(connection)
    await connection.close()
    await upgrade(database_url)
    pool = await open_pool(database_url, name="bench")
    async with accounts_of(settings, pool) as accounts:
        await run_sync(pool, accounts, settings)
    await publish(pool, None, settings)
    key = await create_key(pool, storefront="bench", mode="test", scopes=["storefront"], per_minute=10**6)
    rows = await pool.fetch(
        "SELECT plan_id, supplier_plan_id FROM offers WHERE plan_id IS NOT NULL AND visible AND suspect IS NULL"
        " AND gone_at IS NULL AND coalesce(stock, 1000) > 20 AND cost > 1 AND NOT coverage @> '{BV}' ORDER BY id"
    )
    return pool, key.key, [(row["plan_id"], row["supplier_plan_id"]) for row in rows]


async def main(asked: argparse.Namespace, folder: Path) -> None:
    """The whole measurement."""
    log.configure("error")
    with contextlib.ExitStack() as stack:
        supplier = stack.enter_context(started("benchmarks.orders_supplier", str(SUPPLIER_SECONDS)))
        servers = stack.enter_context(embedded.start(folder / "state"))
        supplier_url = supplier.stdout.readline().strip() if supplier.stdout else ""
        account = {
            **load_manifests()[SUPPLIER].sandbox_settings,
            "provider": SUPPLIER, "mode": "test", "base_url": supplier_url, "requests_per_minute": 10**6,
        }  # fmt: skip
        database_url = servers.postgres.url()
        settings = load(
            state_dir=folder / "state", database_url=database_url, secret_key=[SECRET], suppliers={SUPPLIER: account}
        )
        pool, key, plans = await prepared(settings, database_url)
        port = _free_port()
        env = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")} | {
            "GATEWAY_STATE_DIR": str(folder / "state"),
            "GATEWAY_DATABASE_URL": database_url,
            "GATEWAY_SECRET_KEY": SECRET,
            "GATEWAY_SUPPLIERS": json.dumps({SUPPLIER: account}),
            "GATEWAY_METRICS__PORT": "0",
            "GATEWAY_LOG_LEVEL": "warning",
        }
        stack.enter_context(started("gateway", "serve", "--port", str(port), env=env, output=folder / "serve.log"))
        bench = Bench(settings, pool, f"http://127.0.0.1:{port}", supplier_url, key, plans)
        await _ready(bench.url)
        try:
            await added(bench, asked.orders, asked.rounds)
            await admission(bench, [int(size) for size in asked.table.split(",")])
        finally:
            await pool.close()


async def _ready(url: str) -> None:
    deadline = time.monotonic() + 60
    async with aiohttp.ClientSession() as http:
        while time.monotonic() < deadline:
            with contextlib.suppress(aiohttp.ClientError):
                async with http.get(f"{url}/readyz") as answer:
                    if answer.ok:
                        return
            await asyncio.sleep(0.1)
    raise SystemExit("serve does not come up")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cli() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=960, help="orders of one round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--table", default="1000,200000", help="sizes of the table of orders")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-orders-") as folder:
        uvloop.run(main(asked, Path(folder)))


if __name__ == "__main__":
    cli()
