"""A gateway that sells what the sandboxes sell and sends webhooks, as the guides assume one."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from playwright._impl._driver import compute_driver_executable

from gateway.api import state
from gateway.kit.tasks import end
from gateway.webhooks.deliver import deliver
from tests.gateway.api.conftest import MakeApi, Shop, make_api
from tests.gateway.conftest import suppliers
from tests.kit.guide_samples import CLIENTS, start
from tests.kit.sandboxed import Town
from tests.kit.working import emit_events

__all__ = ["make_api", "suppliers"]


@pytest.fixture
async def shop(make_api: MakeApi, suppliers: Town, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    """The gateway with a worker, and its address and key in the environment."""
    api = await make_api(synced=True, suppliers=suppliers.accounts(), webhooks={"allow_private": ["127.0.0.0/8"]})
    shop = Shop(api.with_key(await api.make_key("storefront")), api, suppliers)
    monkeypatch.setenv("ESIM_GATEWAY_URL", str(api.client.make_url("")))
    monkeypatch.setenv("ESIM_GATEWAY_KEY", shop.api.key)
    stop = asyncio.Event()

    async def emit() -> None:
        while True:
            await emit_events(api.pool)
            await asyncio.sleep(0.1)

    emitting = asyncio.create_task(emit())
    delivering = asyncio.create_task(deliver(api.client.app[state.SETTINGS], api.pool, stop))
    yield shop
    stop.set()
    await end(emitting)
    await delivering


@pytest.fixture
def typescript(tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Starts a program of TypeScript with the client beside it, on the Node.js within Playwright."""
    client = CLIENTS / "typescript"
    modules = tmp_path / "node_modules"
    modules.mkdir()
    (modules / "esim-gateway-client").symlink_to(client)
    node, _ = compute_driver_executable()
    started: list[subprocess.Popen[str]] = []

    def run(source: str) -> subprocess.Popen[str]:
        (tmp_path / "shop.mts").write_text(source)
        started.append(start([node, "--conditions=source", "shop.mts"], tmp_path))
        return started[-1]

    yield run
    for program in started:
        program.kill()
        program.wait()
        if program.stdout is not None:
            program.stdout.close()
