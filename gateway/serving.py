"""One serving process: answers on a listening socket that it was handed, until it is asked to stop."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket

import structlog
import uvloop
from aiohttp import web

from gateway import log
from gateway.app import make_app
from gateway.settings import Settings

DRAIN_SECONDS = 15.0
KEEP_ALIVE_SECONDS = 75.0
BACKLOG = 1024


def serve_on(settings: Settings, descriptor: int) -> None:
    """Serve on the listening socket with that file descriptor until SIGTERM or SIGINT; then drain and return."""
    log.configure(settings.log_level)
    uvloop.run(_serve(settings, socket.socket(fileno=descriptor)))


async def _serve(settings: Settings, listening: socket.socket) -> None:
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    runner = web.AppRunner(
        make_app(settings), access_log=None, handle_signals=False, keepalive_timeout=KEEP_ALIVE_SECONDS
    )
    await runner.setup()
    # What was made up to here lives as long as the process: the collector need not walk through it again.
    gc.collect()
    gc.freeze()
    site = web.SockSite(runner, listening, backlog=BACKLOG)
    await site.start()
    structlog.get_logger().info("serving", port=listening.getsockname()[1])
    await stop.wait()
    structlog.get_logger().info("draining")
    await _drain(runner)


async def _drain(runner: web.AppRunner) -> None:
    """Take no new connections, let requests that run end, close the rest."""
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            await runner.cleanup()
    except TimeoutError:
        structlog.get_logger().warning("not everything ended in time", seconds=DRAIN_SECONDS)
