"""What a sandbox app carries, for its handlers and its control routes."""

from __future__ import annotations

from aiohttp import web

from providers.simulator.world import SandboxWorld

WORLD: web.AppKey[SandboxWorld] = web.AppKey("world", SandboxWorld)
SUPPLIER: web.AppKey[str] = web.AppKey("supplier", str)
MOUNT: web.AppKey[str] = web.AppKey("mount", str)  # the path that the app stands under in a site, such as /pikasim
