"""Processes that a benchmark starts, and the CPU time that they and their children used."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp

from gateway.kit.processes import die_with_parent

_TICKS = os.sysconf("SC_CLK_TCK")
_READY_SECONDS = 90.0
_END_SECONDS = 20.0
_FIRST_PORT = 10_240
_TRIES = 1000


@contextmanager
def started(
    *command: str, env: dict[str, str] | None = None, output: Path | None = None, prefix: tuple[str, ...] = ()
) -> Iterator[subprocess.Popen[str]]:
    """Run ``python -m command`` until the block ends; ``prefix`` is a command that runs it."""
    with contextlib.ExitStack() as stack:
        error = stack.enter_context(output.open("w")) if output is not None else None
        process = subprocess.Popen(
            [*prefix, sys.executable, "-m", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if output is None else error,
            stderr=error,
            text=True,
            env=env,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - no thread is started before
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                print(f"{' '.join(command)} did not end within {_END_SECONDS:.0f} s", file=sys.stderr)
                process.kill()
                process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


def free_port() -> int:
    """A TCP port of loopback that nobody uses now.

    It is none of those that the kernel gives to connections: before a server listens on such a one, any process on the
    machine may have got it by connecting somewhere.
    """
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii").split()[0])
    for _ in range(_TRIES):
        port = _FIRST_PORT + secrets.randbelow(lowest - _FIRST_PORT)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError(f"no port from {_FIRST_PORT} to {lowest} is free")


async def wait_until_ready(url: str) -> None:
    """Wait until a GET of ``url`` is answered with 2xx."""
    deadline = time.monotonic() + _READY_SECONDS
    async with aiohttp.ClientSession() as http:
        while time.monotonic() < deadline:
            with contextlib.suppress(aiohttp.ClientError):
                async with http.get(url) as answer:
                    if answer.ok:
                        return
            await asyncio.sleep(0.1)
    raise SystemExit(f"{url} does not come up")


def cpu_seconds(roots: Iterable[int]) -> float:
    """User and system time of these processes and of all below them, those that ended included."""
    return sum(_cpu_ticks(pid) for root in roots for pid in _tree(root)) / _TICKS


def _tree(root: int) -> Iterator[int]:
    yield root
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for child in Path(f"/proc/{root}/task/{root}/children").read_text().split():
            yield from _tree(int(child))


def _cpu_ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it ended since: its parent has its time
    return sum(int(ticks) for ticks in fields[11:15])  # utime, stime, and those of children that were waited for


def print_logs(folder: Path) -> None:
    """What the processes of a benchmark logged, but for the lines of requests."""
    for log_file in sorted(folder.glob("*.log")):
        for line in log_file.read_text("utf-8", "replace").splitlines():
            if '"event":"request"' not in line:
                print(f"{log_file.stem}: {line[:1000]}", file=sys.stderr)
