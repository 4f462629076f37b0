"""``serve`` and ``worker`` as processes on servers of their own, with one sandbox account at each supplier."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.processes import free_port
from gateway.access.key_rows import create_key
from gateway.kit.pool import open_pool
from gateway.kit.processes import die_with_parent
from gateway.kit.settings import load
from gateway.migrations import upgrade
from gateway.runtime import embedded
from tests.kit.sandboxed import stock_from
from tests.kit.secret_keys import SECRET_KEY

_READY_SECONDS = 90.0


@dataclass(frozen=True)
class RunningGateway:
    """Where it listens, and a storefront's key that may order and name suppliers."""

    url: str
    key: str

    def headers(self, idempotency_key: str, **more: str) -> dict[str, str]:
        """Headers of an order."""
        return {"Authorization": f"Bearer {self.key}", "Idempotency-Key": idempotency_key, **more}


@asynccontextmanager
async def running_gateway(
    folder: Path, servers: embedded.Servers, accounts: dict[str, dict[str, Any]], *, workers: int = 1, **more: str
) -> AsyncIterator[RunningGateway]:
    """A migrated and synced gateway that serves and works. ``more`` are environment variables of both."""
    database_url = servers.postgres.url()
    await upgrade(database_url)
    port = free_port()
    settings = load(state_dir=folder / "serve", database_url=database_url, secret_key=[SECRET_KEY], suppliers=accounts)
    pool = await open_pool(database_url, name="test", max_size=2)
    await stock_from(pool, settings)
    scopes = ["storefront", "routing"]
    key = await create_key(pool, storefront="shop", mode="test", scopes=scopes, per_minute=10**6)
    await pool.close()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")} | {
        "GATEWAY_DATABASE_URL": database_url,
        "GATEWAY_REDIS_URL": servers.valkey.url(),
        "GATEWAY_SECRET_KEY": SECRET_KEY,
        "GATEWAY_SUPPLIERS": json.dumps(accounts, default=str),
        "GATEWAY_METRICS__PORT": "0",
        "GATEWAY_METRICS__WORKER_PORT": "0",
        "GATEWAY_LOG_LEVEL": "warning",
        **more,
    }
    commands = {"serve": ("serve", "--workers", "1", "--port", str(port))}
    commands |= {f"worker-{number}": ("worker",) for number in range(workers)}
    with _processes(folder, environment, commands):
        gateway = RunningGateway(f"http://127.0.0.1:{port}", key.key)
        await _until_ready(gateway.url, folder)
        yield gateway


@contextmanager
def _processes(folder: Path, environment: dict[str, str], commands: dict[str, tuple[str, ...]]) -> Iterator[None]:
    running: list[subprocess.Popen[bytes]] = []
    try:
        for name, command in commands.items():
            with (folder / f"{name}.log").open("wb") as log:
                running.append(
                    subprocess.Popen(
                        [sys.executable, "-m", "gateway", *command],
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        # Processes on different machines share no folder either.
                        env=environment | {"GATEWAY_STATE_DIR": str(folder / name)},
                        preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - no thread is started before
                    )
                )
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(60)


async def _until_ready(url: str, folder: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    async with aiohttp.ClientSession() as http:
        while time.monotonic() < deadline:
            try:
                async with http.get(f"{url}/readyz") as answer:
                    if answer.ok:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)
    raise AssertionError(f"serve does not come up: {(folder / 'serve.log').read_text()[-2000:]}")
