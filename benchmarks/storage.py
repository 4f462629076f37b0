"""Storage: how many bytes an order takes, by table, and which of them are kept for ever.

    python -m benchmarks.storage [--orders N]

So many orders are placed with ``serve`` over HTTP, each with a key, an e-mail address and a reference, at a sandbox
that delivers at once. Sizes are those of PostgreSQL after VACUUM FULL, before and after, with TOAST and indexes; what a
table takes in use is up to twice that while VACUUM keeps up.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import uvloop

from benchmarks.orders import AT_ONCE
from benchmarks.orders_gateway import SECRET_KEY, prepare_database
from benchmarks.orders_supplier import SUPPLIER
from benchmarks.processes import free_port, started, wait_until_ready
from gateway.kit import log
from gateway.kit.pool import Pool, open_pool
from gateway.kit.retention_rows import RETENTION_RULES
from gateway.kit.settings import load
from gateway.runtime import embedded
from providers.loader import load_manifests

_PASSING = {"pgqueuer"}  # rows that a worker, which does not run here, takes away
# Rows that go with a row of another table.
_WITH = {"webhook_deliveries": "webhook_events", "sync_run_suppliers": "sync_runs", "quarantine_rows": "sync_runs"}


@dataclass(frozen=True)
class TableSize:
    """Bytes of a table, with its TOAST, of its indexes, and its rows."""

    table: int
    indexes: int
    rows: int


async def sizes(pool: Pool) -> dict[str, TableSize]:
    """The size of each table, without the room that dead rows took."""
    names = [
        row["relname"]
        for row in await pool.fetch(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"
        )
    ]
    found = {}
    for name in names:
        await pool.execute(f"VACUUM FULL ANALYZE {name}", timeout=300)
        row = await pool.fetchrow(
            f"SELECT pg_table_size('{name}') AS bytes, pg_indexes_size('{name}') AS indexes,"
            f" (SELECT count(*) FROM {name}) AS rows"
        )
        if row is not None:
            found[name] = TableSize(row["bytes"], row["indexes"], row["rows"])
    return found


async def place(url: str, key: str, plans: list[tuple[str, str]], wanted: range) -> None:
    """Place orders of these numbers, some at once, each with its key."""
    numbers = iter(wanted)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as http:

        async def caller() -> None:
            for number in numbers:
                body = {
                    "plan_id": plans[number % len(plans)][0],
                    "reference": f"shop-order-{number:08}",
                    "customer": {"email": f"customer-{number:08}@example.com"},
                }
                headers = {
                    "Authorization": f"Bearer {key}",
                    "Idempotency-Key": f"6f1c2a5e-0000-4000-8000-{number:012}",
                    "Prefer": "wait=20",
                }
                async with http.post(f"{url}/v1/orders", json=body, headers=headers) as answer:
                    reply = await answer.json()
                    if answer.status != 201 or reply["status"] != "fulfilled":
                        raise SystemExit(f"the gateway says {answer.status}: {reply}")

        await asyncio.gather(*(caller() for _ in range(AT_ONCE)))


def report(before: dict[str, TableSize], after: dict[str, TableSize], orders: int) -> None:
    """Each table that grew, in bytes an order, first those that are kept for ever."""
    limited = {rule.table: rule.setting for rule in RETENTION_RULES}
    limited |= {table: limited[owner] for table, owner in _WITH.items()}
    lines: list[tuple[str, str, float, float, float]] = []
    for name, now in after.items():
        then = before[name]
        if now.rows - then.rows < orders / 2 or name in _PASSING:
            continue
        lines.append(
            (
                limited.get(name, "for ever"),
                name,
                (now.rows - then.rows) / orders,
                (now.table - then.table) / orders,
                (now.indexes - then.indexes) / orders,
            )
        )
    print(f"{orders} orders\n")
    print(f"{'table':<22}{'kept':<24}{'rows':>6}{'table B':>9}{'indexes B':>11}{'sum B':>8}   (an order)")
    for kept, name, rows, table, indexes in sorted(lines, key=lambda line: (line[0] != "for ever", -line[3] - line[4])):
        print(f"{name:<22}{kept:<24}{rows:>6.1f}{table:>9.0f}{indexes:>11.0f}{table + indexes:>8.0f}")
    for title, ever in (("kept for ever", True), ("deleted by age", False)):
        total = sum(table + indexes for kept, _, _, table, indexes in lines if (kept == "for ever") == ever)
        print(f"{title}: {total:.0f} bytes an order, {total * 1e6 / 2**30:.1f} GiB for a million")


async def main(orders: int, folder: Path) -> None:
    """The whole measurement."""
    log.configure("error")
    with contextlib.ExitStack() as stack:
        supplier = stack.enter_context(started("benchmarks.orders_supplier", "0"))
        servers = stack.enter_context(embedded.start(folder / "state"))
        account = {
            **load_manifests()[SUPPLIER].sandbox_settings,
            "provider": SUPPLIER,
            "mode": "test",
            "base_url": supplier.stdout.readline().strip() if supplier.stdout else "",
            "requests_per_minute": 10**6,
        }
        url = servers.postgres.url()
        settings = load(
            state_dir=folder / "state", database_url=url, secret_key=[SECRET_KEY], suppliers={SUPPLIER: account}
        )
        key, _, plans = await prepare_database(settings, url)
        pool = await open_pool(url, name="bench")
        port = free_port()
        env = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")} | {
            "GATEWAY_STATE_DIR": str(folder / "state"),
            "GATEWAY_DATABASE_URL": url,
            "GATEWAY_SECRET_KEY": SECRET_KEY,
            "GATEWAY_SUPPLIERS": json.dumps({SUPPLIER: account}),
            "GATEWAY_METRICS__PORT": "0",
            "GATEWAY_LOG_LEVEL": "warning",
        }
        stack.enter_context(started("gateway", "serve", "--port", str(port), env=env, output=folder / "serve.log"))
        address = f"http://127.0.0.1:{port}"
        await wait_until_ready(f"{address}/readyz")
        try:
            await place(address, key, plans, range(AT_ONCE))  # so that no table is empty before
            before = await sizes(pool)
            await place(address, key, plans, range(AT_ONCE, AT_ONCE + orders))
            await asyncio.sleep(2)  # the log of calls is written beside the orders
            report(before, await sizes(pool), orders)
        finally:
            await pool.close()


def cli() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=3000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-storage-") as folder:
        uvloop.run(main(arguments.orders, Path(folder)))


if __name__ == "__main__":
    cli()
