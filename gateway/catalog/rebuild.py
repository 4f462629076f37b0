"""Having a snapshot made by another process, so that no thread of a serving one is lent to it."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import sys

import structlog

from gateway.kit.processes import die_with_parent
from gateway.kit.settings import Settings

log = structlog.get_logger()

PAUSE_SECONDS = 30.0


class Rebuild:
    """At most one publishing process of this one's, and not again at once when it failed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._stopped = False
        self._not_before = 0.0
        self.failure = ""  # why the last one made no snapshot

    @property
    def running(self) -> bool:
        return self._task is not None and not self._task.done()

    def start(self) -> bool:
        """Start it, unless it runs or has just failed. Needs a database to publish from."""
        if self.running or self._stopped or self._settings.database_url is None:
            return False
        if asyncio.get_running_loop().time() < self._not_before:
            return False
        self._task = asyncio.create_task(self._run(), name="catalog rebuild")
        return True

    async def finished(self) -> None:
        """Wait until it has ended, well or not."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def stop(self) -> None:
        """End it, and wait until its process has ended, however long that takes."""
        self._stopped = True
        self._end_process()
        await self.finished()

    def _end_process(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()

    async def _run(self) -> None:
        try:
            self.failure = await self._publish()
        except OSError as error:  # no descriptor or process is left
            self.failure = reason_of(error)
        if self.failure and not self._stopped:
            self._not_before = asyncio.get_running_loop().time() + PAUSE_SECONDS
            log.warning("catalog_rebuild_failed", reason=self.failure)

    async def _publish(self) -> str:
        """Have it made; why it was not, "" when it was."""
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "gateway.catalog.publish",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
        if self._stopped:
            self._end_process()
        try:
            output, _ = await process.communicate(pickle.dumps(self._settings))
        finally:
            self._end_process()
            await process.wait()
        if not process.returncode:
            return ""
        lines = output.decode("utf-8", "replace").splitlines() if process.returncode == os.EX_IOERR else []
        return lines[-1] if lines else f"exit code {process.returncode}"


def reason_of(error: BaseException) -> str:
    """Why something failed, for ``/readyz``: what the system says of files and servers, else the kind of the error."""
    strerror = error.strerror if isinstance(error, OSError) else None
    return strerror or type(error).__name__
