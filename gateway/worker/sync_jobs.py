"""What a worker does about syncs: it looks whether one is due, runs each as a process of its own, and counts.

A sync takes a whole core for a while and gives its memory back at the end, and whatever else the worker has to do must
not wait for that.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Sequence

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server

from gateway.features import domain_metrics
from gateway.kit.jobs import SyncJob
from gateway.kit.pool import Connection
from gateway.kit.processes import die_with_parent
from gateway.kit.settings import Settings
from gateway.kit.tasks import end, until_set
from gateway.operations.shop_metrics import ShopMetrics
from gateway.sync import sync_run_rows
from schemas.errors import ConfigurationError

log = structlog.get_logger(__name__)

# What a running sync gets to end by itself when the worker is to stop.
DRAIN_SECONDS = 20.0


class Figures:
    """What a worker counts, for Prometheus."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.syncs = Counter(
            "gateway_syncs", "Syncs that this worker ran, by exit code.", ["code"], registry=self.registry
        )
        self.seconds = Histogram(
            "gateway_sync_seconds",
            "How long a sync took.",
            buckets=(1, 5, 15, 60, 300, 900, 3600),
            registry=self.registry,
        )
        self.shop = ShopMetrics()
        for collector in (*domain_metrics(), self.shop):
            self.registry.register(collector)

    def serve(self, settings: Settings) -> Callable[[], None]:
        """Serve the figures; call the result to end that. Raises ``ConfigurationError`` for a port in use."""
        port, host = settings.metrics.worker_port, settings.metrics.host
        if not port:
            return lambda: None
        try:
            server, thread = start_http_server(port, host, self.registry)
        except OSError as error:
            raise ConfigurationError(
                f"[metrics] worker_port: cannot listen on {host} port {port} ({error.strerror}); "
                "set GATEWAY_METRICS__WORKER_PORT to another, or to 0"
            ) from None

        def end() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return end


async def is_due(connection: Connection, names: Sequence[str], seconds: int) -> bool:
    """Whether no sync of all these suppliers began within the interval. Without suppliers none ever is."""
    if not names:
        return False
    return not await sync_run_rows.began_within(connection, names, seconds)


def sync_arguments(job: SyncJob) -> tuple[str, ...]:
    """The command line that runs a sync job."""
    arguments = ["sync", "--json", "--verbose"]
    for option, names in (("--supplier", job.only), ("--accept", job.accept)):
        for name in names:
            arguments += [option, name]
    if job.run_id is not None:
        arguments += ["--run-id", job.run_id]
    return tuple(arguments)


async def run_child(command: Sequence[str], stop: asyncio.Event) -> int:
    """Run a command to its end and return its exit code; when ``stop`` is set it is asked to end, then made to."""
    began = time.monotonic()
    child = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        preexec_fn=die_with_parent(signal.SIGTERM),
    )
    ended = asyncio.create_task(child.wait())
    stopped = asyncio.create_task(until_set(stop))
    try:
        await asyncio.wait([ended, stopped], return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            await asyncio.wait([ended], timeout=DRAIN_SECONDS)
        if not ended.done():
            child.terminate()
            await asyncio.wait([ended], timeout=DRAIN_SECONDS)
        if not ended.done():
            child.kill()
        code = await ended
    finally:
        await end(stopped)
        if child.returncode is None:
            child.kill()
            await child.wait()
    log.info("child_ended", command=" ".join(command[-6:]), code=code, seconds=_since(began))
    return code


def _since(began: float) -> float:
    return round(time.monotonic() - began, 2)
