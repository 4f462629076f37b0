"""All sandboxes in one process, each below its provider's name."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from providers.contract import Capability, Manifest
from providers.simulator.control import MOUNT
from providers.simulator.world import DEFAULT_SEED, SandboxWorld
from schemas.errors import ConfigurationError

_SHUTDOWN_SECONDS = 0.5


@dataclass(slots=True)
class ServedSandboxes(AbstractAsyncContextManager["ServedSandboxes"]):
    """Sandboxes that are listening. Closes at the end of an ``async with``, or by ``close``."""

    runner: web.AppRunner
    world: SandboxWorld
    host: str
    port: int
    urls: dict[str, str]

    async def close(self) -> None:
        """Stop listening and close every connection."""
        await self.runner.cleanup()

    async def __aexit__(self, *_ended: object) -> None:
        await self.close()


def world_for(
    manifests: Mapping[str, Manifest],
    seed: int = DEFAULT_SEED,
    market: Path | None = None,
    *,
    enforce_rate_limits: bool = True,
    records: Path | None = None,
) -> SandboxWorld:
    """A world for every provider that has a sandbox and a catalogue."""
    names = [
        name
        for name, manifest in manifests.items()
        if manifest.sandbox is not None and Capability.CATALOG in manifest.capabilities
    ]
    return SandboxWorld(names, seed, market, enforce_rate_limits=enforce_rate_limits, records=records)


def sandbox_site(world: SandboxWorld, manifests: Mapping[str, Manifest]) -> web.Application:
    """One app with the sandbox of each manifest (made with its ``sandbox_settings``) under ``/<provider>``."""
    site = web.Application()
    for name, manifest in sorted(manifests.items()):
        if manifest.sandbox is None:
            continue
        app = manifest.sandbox(world, manifest.sandbox_settings)
        app[MOUNT] = f"/{name}"
        site.add_subapp(f"/{name}", app)
    return site


async def serve(
    world: SandboxWorld, manifests: Mapping[str, Manifest], host: str = "127.0.0.1", port: int = 8081
) -> ServedSandboxes:
    """Start serving; port 0 lets the kernel choose. ``urls`` then has each provider's base URL.

    Raises ``ConfigurationError`` when the port cannot be had.
    """
    runner = web.AppRunner(
        sandbox_site(world, manifests),
        access_log=None,
        handler_cancellation=True,  # a slow answer ends with the client that waited for it
        shutdown_timeout=_SHUTDOWN_SECONDS,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        raise ConfigurationError(f"sandbox: cannot listen on {host}:{port}: {error.strerror or error}") from None
    chosen = int(runner.addresses[0][1])
    urls = {
        name: base_url(host, chosen, name)
        for name, manifest in sorted(manifests.items())
        if manifest.sandbox is not None
    }
    return ServedSandboxes(runner, world, host, chosen, urls)


def base_url(host: str, port: int, provider: str) -> str:
    """The base URL of a provider's sandbox."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/{provider}"
