"""All sandboxes in one process, each below its provider's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from aiohttp import web

from providers.contract import Manifest
from providers.sandbox.world import DEFAULT_SEED, SandboxWorld


@dataclass(slots=True)
class Served:
    """Sandboxes that are listening. Closes at the end of an ``async with``, or by ``close``."""

    runner: web.AppRunner
    world: SandboxWorld
    host: str
    port: int
    urls: dict[str, str]

    async def close(self) -> None:
        """Stop listening and close every connection."""
        await self.runner.cleanup()

    async def __aenter__(self) -> Served:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def world_for(manifests: Mapping[str, Manifest], seed: int = DEFAULT_SEED, market: Path | None = None) -> SandboxWorld:
    """A world for every provider that has a sandbox and a catalogue."""
    raise NotImplementedError


def sandbox_site(world: SandboxWorld, manifests: Mapping[str, Manifest]) -> web.Application:
    """One app with the sandbox of each manifest (made with its ``sandbox_settings``) under ``/<provider>``."""
    raise NotImplementedError


async def serve(
    world: SandboxWorld, manifests: Mapping[str, Manifest], host: str = "127.0.0.1", port: int = 8081
) -> Served:
    """Start serving; port 0 lets the kernel choose. ``urls`` then has each provider's base URL."""
    raise NotImplementedError


def base_url(host: str, port: int, provider: str) -> str:
    """The base URL of a provider's sandbox."""
    return f"http://{host}:{port}/{provider}"
