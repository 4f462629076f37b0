"""The parent of the serving processes: it holds the socket, replaces a worker that dies, adds up the figures."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from gateway.kit import log
from gateway.kit.processes import die_with_parent
from gateway.kit.settings import Settings
from schemas.errors import ConfigurationError

ENV_STATE_DIR = "GATEWAY_STATE_DIR"
ENV_FIGURES = "PROMETHEUS_MULTIPROC_DIR"
GRACE_SECONDS = 65.0  # longer than its workers wait for requests and for what was sent to suppliers
LONGEST_PAUSE_SECONDS = 5.0
_SOON_SECONDS = 5.0
_WRONG_CONFIGURATION = 2
BACKLOG = 1024
_MEMORY = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a folder of our own there
_FIGURES = "esim-gateway-metrics-"


class Supervisor:
    """Runs ``workers`` processes on one listening socket until SIGTERM or SIGINT."""

    def __init__(self, settings: Settings, *, host: str, port: int, workers: int) -> None:
        self._settings = settings
        self._host = host
        self._port = port
        self._count = workers
        self._figures = Path()
        self._stop = asyncio.Event()
        self._children: dict[int, asyncio.subprocess.Process] = {}
        self._code = 0

    def run(self) -> int:
        """Serve until told to stop; the exit code. Raises ``ConfigurationError`` when a port cannot be had."""
        log.configure(self._settings.log_level)
        listening = listen(self._host, self._port)
        self._figures = make_figures_folder(self._settings.state_dir)
        try:
            return asyncio.run(self._run(listening))
        finally:
            listening.close()
            shutil.rmtree(self._figures, ignore_errors=True)

    async def _run(self, listening: socket.socket) -> int:
        for signum in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(signum, self._stop.set)
        metrics = await self._open_metrics()
        host, port = listening.getsockname()[:2]
        structlog.get_logger().info("starting", address=f"{host}:{port}", workers=self._count)
        keepers = [asyncio.create_task(self._keep(number, listening)) for number in range(self._count)]
        await self._stop.wait()
        await self._end(keepers)
        if metrics is not None:
            await metrics.cleanup()
        return self._code

    async def _keep(self, number: int, listening: socket.socket) -> None:
        """Keep one worker running. One that does not come up at all is not tried for ever at once."""
        pause = 0.1
        while not self._stop.is_set():
            began = time.monotonic()
            child = await self._start(listening)
            self._children[number] = child
            code = await child.wait()
            mark_process_dead(child.pid, str(self._figures))  # type: ignore[no-untyped-call]
            if self._stop.is_set():
                return
            if code == _WRONG_CONFIGURATION and time.monotonic() - began < _SOON_SECONDS:
                self._code = code  # it said why; another would say the same
                self._stop.set()
                return
            structlog.get_logger().error("a worker died and is replaced", worker=child.pid, code=code)
            pause = 0.1 if time.monotonic() - began > _SOON_SECONDS else min(pause * 2, LONGEST_PAUSE_SECONDS)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), pause)

    async def _start(self, listening: socket.socket) -> asyncio.subprocess.Process:
        descriptor = listening.fileno()
        environment = {
            **os.environ,
            ENV_FIGURES: str(self._figures),
            ENV_STATE_DIR: str(self._settings.state_dir.absolute()),
        }
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", "serve", "--worker-socket", str(descriptor)),
            pass_fds=(descriptor,),
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )

    async def _end(self, keepers: list[asyncio.Task[None]]) -> None:
        """Ask every worker to end, and after the grace time make it."""
        structlog.get_logger().info("stopping")
        self._signal(signal.SIGTERM)
        _, pending = await asyncio.wait(keepers, timeout=GRACE_SECONDS)
        if pending:
            self._signal(signal.SIGKILL)
            await asyncio.wait(pending)

    def _signal(self, signum: signal.Signals) -> None:
        for child in self._children.values():
            if child.returncode is None:
                with suppress(ProcessLookupError):
                    child.send_signal(signum)

    async def _open_metrics(self) -> web.AppRunner | None:
        where = self._settings.metrics
        if where.port == 0:
            return None
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, where.host, where.port).start()
        except OSError as error:
            await runner.cleanup()
            raise _taken(where.host, where.port, error, "GATEWAY_METRICS__PORT (0 for none)") from None
        return runner

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=await asyncio.to_thread(self._added_up), headers={"Content-Type": CONTENT_TYPE_LATEST})

    def _added_up(self) -> bytes:
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=str(self._figures))  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket that several processes can answer on. Raises ``ConfigurationError`` when it cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _taken(host, port, error, "--host and --port") from None
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        raise _taken(host, port, error, "--host and --port") from None
    made.setblocking(False)
    return made


def _taken(host: str, port: int, error: OSError, option: str) -> ConfigurationError:
    return ConfigurationError(f"cannot listen on {host} port {port} ({error.strerror}): choose another with {option}")


def make_figures_folder(state_dir: Path) -> Path:
    """A new folder for the figures of this parent's workers; those of parents that were killed are removed.

    The workers map its files. On a full disk a write to a mapped page kills the process, so it is in memory where there
    is such a folder.
    """
    parent = _MEMORY if os.access(_MEMORY, os.W_OK) else state_dir.absolute()
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.glob(f"{_FIGURES}*"):
        pid = left.name.removeprefix(_FIGURES).partition("-")[0]
        with suppress(FileNotFoundError):  # another parent that starts at this moment removes them too
            if pid.isdigit() and not Path("/proc", pid).exists() and left.stat().st_uid == os.geteuid():
                shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_FIGURES}{os.getpid()}-", dir=parent))
