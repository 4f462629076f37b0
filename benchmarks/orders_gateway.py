"""A gateway with one supplier in processes of their own, as the benchmarks of orders use it."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.orders_supplier import SUPPLIER
from benchmarks.processes import free_port, started, wait_until_ready
from gateway.access.key_rows import create_key
from gateway.catalog.publish import publish
from gateway.kit.durability import require_durable
from gateway.kit.pool import connect, open_pool
from gateway.kit.settings import Settings, load
from gateway.migrations import upgrade
from gateway.runtime import embedded
from gateway.suppliers.accounts import accounts_of
from gateway.sync.run import run_sync
from providers.loader import load_manifests

SECRET_KEY = "uJ4wXq9RzT2nKc7LvBe5YhMg8sPfDo3iAa6tGkV0rNxQyZ1W"
_PLANS = """
SELECT plan_id, supplier_plan_id FROM offers WHERE plan_id IS NOT NULL AND visible AND suspect IS NULL
  AND gone_at IS NULL AND coalesce(stock, 1000) > 20 AND cost > 1 AND NOT coverage @> '{BV}' ORDER BY id
"""
_numbers = itertools.count(1)


@dataclass(frozen=True)
class RunningService:
    """Where it listens, and its processes."""

    url: str
    pids: tuple[int, ...]


@dataclass(frozen=True)
class Setting:
    """The servers, a supplier and a synced catalogue with a key: what every measurement of orders needs.

    ``plans`` are those to order, with the supplier's own ids; ``more`` are environment variables of the gateway.
    """

    servers: embedded.Servers
    folder: Path
    supplier_url: str
    account: dict[str, Any]
    plans: list[tuple[str, str]]
    key: str
    ops_key: str
    more: dict[str, str]

    def environment(self, name: str, database: str) -> dict[str, str]:
        """Environment variables of one gateway process."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
        return kept | {
            "GATEWAY_STATE_DIR": str(self.folder / name),
            "GATEWAY_DATABASE_URL": self.servers.postgres.url(database),
            "GATEWAY_SECRET_KEY": SECRET_KEY,
            "GATEWAY_SUPPLIERS": json.dumps({SUPPLIER: self.account}),
            "GATEWAY_METRICS__PORT": "0",
            "GATEWAY_METRICS__WORKER_PORT": "0",
            "GATEWAY_LOG_LEVEL": "warning",
            **self.more,
        }


async def open_setting(
    stack: contextlib.ExitStack, folder: Path, supplier_seconds: float, more: dict[str, str], per_minute: int = 10**6
) -> Setting:
    """Start the supplier and the servers until the stack is closed, and sync. ``per_minute``: the supplier's limit."""
    supplier = stack.enter_context(started("benchmarks.orders_supplier", str(supplier_seconds)))
    servers = stack.enter_context(embedded.start(folder / "state"))
    supplier_url = supplier.stdout.readline().strip() if supplier.stdout else ""
    account = {
        **load_manifests()[SUPPLIER].sandbox_settings,
        "provider": SUPPLIER, "mode": "test", "base_url": supplier_url, "requests_per_minute": per_minute,
    }  # fmt: skip
    settings = load(
        state_dir=folder / "state",
        database_url=servers.postgres.url(),
        secret_key=[SECRET_KEY],
        suppliers={SUPPLIER: {**account, "requests_per_minute": 10**6}},
    )
    key, ops_key, plans = await prepare_database(settings, servers.postgres.url())
    return Setting(servers, folder, supplier_url, account, plans, key, ops_key, more)


async def gateway_on(
    stack: contextlib.ExitStack, setting: Setting, database: str, *, serving: int = 1
) -> RunningService:
    """``serve`` with so many processes and a ``worker`` on one database, until the stack is closed."""
    port = free_port()
    folder = setting.folder
    serve = stack.enter_context(
        started(
            *("gateway", "serve", "--workers", str(serving), "--port", str(port)),
            env=setting.environment(f"serve-{database}", database),
            output=folder / f"serve-{database}.log",
        )
    )
    worker = stack.enter_context(
        started(
            *("gateway", "worker"),
            env=setting.environment(f"worker-{database}", database),
            output=folder / f"worker-{database}.log",
        )
    )
    service = RunningService(f"http://127.0.0.1:{port}", (serve.pid, worker.pid))
    await wait_until_ready(f"{service.url}/readyz")
    return service


def headers_of(key: str) -> dict[str, str]:
    """Headers of one order."""
    return {"Authorization": f"Bearer {key}", "Idempotency-Key": f"bench-{next(_numbers)}"}


async def prepare_database(settings: Settings, database_url: str) -> tuple[str, str, list[tuple[str, str]]]:
    """Make a database with a synced catalogue; the keys of a storefront and an operator, and the plans to order."""
    connection = await connect(database_url)
    await require_durable(connection)
    await connection.close()
    await upgrade(database_url)
    pool = await open_pool(database_url, name="bench")
    async with accounts_of(settings, pool) as accounts:
        await run_sync(pool, accounts, settings)
    await publish(pool, None, settings)
    key = await create_key(pool, storefront="bench", mode="test", scopes=["storefront"], per_minute=10**6)
    ops = await create_key(pool, storefront="bench", mode="test", scopes=["ops"], per_minute=10**6)
    rows = await pool.fetch(_PLANS)
    await pool.close()
    return key.key, ops.key, [(row["plan_id"], row["supplier_plan_id"]) for row in rows]
