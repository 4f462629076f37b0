"""One serving process: answers on a listening socket that it was handed, until it is asked to stop."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket

import structlog
import uvloop
from aiohttp import web

from gateway.api.connections import FrontDoorRunner
from gateway.api.gate import GATE, Gate
from gateway.app import make_app
from gateway.kit import log, tracing
from gateway.kit.settings import Settings

DRAIN_SECONDS = 15.0
DRAIN_ARRIVAL_SECONDS = 3.0  # a request that is not whole by then gets its 408
CLOSING_SECONDS = 45.0
BACKLOG = 1024
COLLECT_AFTER = (20_000, 20, 20)  # few objects of a request are part of a cycle, and looking for them takes time
_LOOK_SECONDS = 0.02


def serve_on(settings: Settings, descriptor: int) -> None:
    """Serve on the listening socket with that file descriptor until SIGTERM or SIGINT; then drain and return."""
    log.configure(settings.log_level)
    tracing.start("serve")
    uvloop.run(_serve(settings, socket.socket(fileno=descriptor)))
    tracing.stop()


async def _serve(settings: Settings, listening: socket.socket) -> None:
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    app = make_app(settings)
    runner = FrontDoorRunner(app)
    await runner.setup()
    # What was made up to here lives as long as the process: the collector need not walk through it again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    site = web.SockSite(runner, listening, backlog=BACKLOG)
    await site.start()
    structlog.get_logger().info("serving", port=listening.getsockname()[1])
    await stop.wait()
    structlog.get_logger().info("draining")
    await site.stop()
    await _drain(runner, app[GATE])


async def _drain(runner: FrontDoorRunner, gate: Gate) -> None:
    """Let requests that arrive or run end, then close everything."""
    runner.door.arrival_seconds = DRAIN_ARRIVAL_SECONDS
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while gate.running or runner.door.unfinished:  # noqa: ASYNC110 - an event would cost every request something
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError:
        structlog.get_logger().warning("not every request ended in time", seconds=DRAIN_SECONDS)
    try:  # what was sent to a supplier is waited for in there, and that may take longer than any request
        async with asyncio.timeout(CLOSING_SECONDS):
            await runner.cleanup()
    except TimeoutError:
        structlog.get_logger().warning("not everything ended in time", seconds=CLOSING_SECONDS)
