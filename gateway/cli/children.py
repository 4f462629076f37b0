"""The processes that ``dev`` keeps: each an ``esim-gateway`` command with a log of its own.

They die with ``dev``, even when it is killed. One that ends by itself ends ``dev``, with its name
and the end of its log.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from gateway.kit.processes import die_with_parent

_GRACE_SECONDS = 70  # serve lets running requests end first, and what was sent to suppliers
_LOG_LINES = 15


class ChildEndedError(Exception):
    """A process that should have stayed has ended by itself."""


@dataclass(slots=True)
class Children:
    """Started commands, stopped together by ``close``."""

    logs: Path
    _started: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *arguments: str) -> None:
        """Start ``esim-gateway name arguments`` in the background, its output in ``name.log``."""
        self.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = self._log(name)
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        with log.open("wb") as output:
            self._started[name] = _spawn(name, *arguments, output=output.fileno())

    def run(self, name: str, *arguments: str) -> int:
        """Run ``esim-gateway name arguments`` to its end on this terminal, its log quiet; its exit code."""
        process = _spawn(name, *arguments, output=None, quiet=True)
        try:
            while process.poll() is None:
                self.check()
                time.sleep(0.05)
        finally:
            _stop([process])
        return process.returncode

    def pids(self) -> dict[str, int]:
        """The process of each that was started."""
        return {name: process.pid for name, process in self._started.items()}

    def check(self) -> None:
        """Raise ``ChildEndedError`` when one has ended."""
        for name, process in self._started.items():
            if (code := process.poll()) is not None:
                how = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
                raise ChildEndedError(
                    f"{name} ended by itself ({how}). The end of {self._log(name)}:\n{self._tail(name)}"
                )

    def close(self) -> None:
        """Stop all and wait for their end."""
        _stop(list(self._started.values()))
        self._started.clear()

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def _tail(self, name: str) -> str:
        lines = self._log(name).read_text("utf-8", "replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-_LOG_LINES:])


def _spawn(name: str, *arguments: str, output: int | None, quiet: bool = False) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    if quiet:
        environment.setdefault("GATEWAY_LOG_LEVEL", "error")
    # A process group of its own: Ctrl-C goes to dev alone, which stops the others in order.
    return subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "gateway", name, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env=environment,
        process_group=0,
        preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - dev has one thread
    )


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + _GRACE_SECONDS
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.1, deadline - time.monotonic()))
        if process.poll() is None:
            process.kill()
            process.wait()
