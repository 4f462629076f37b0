"""An event loop whose clock does not run while its process gets no processor.

Supplier and gateway share one process in most tests. On a busy machine that process may stand still for longer than
a supplier is given to answer, and a call would end that nobody kept waiting. Here time passes only as far as the loop
waits for something, and a moment for each of its turns.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from socket import socket
from typing import Any

TURN_SECONDS = 0.1  # what one turn takes at most, by the loop's clock; it waits no longer in one turn either


class _ShortWaits(selectors.DefaultSelector):  # type: ignore[valid-type, misc]
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        short = TURN_SECONDS / 2 if timeout is None else min(timeout, TURN_SECONDS / 2)
        return super().select(short)  # type: ignore[no-any-return]


class PatientLoop(asyncio.SelectorEventLoop):
    """The ordinary loop with such a clock."""

    def __init__(self) -> None:
        self._seen = time.monotonic()
        self._stood_still = 0.0
        super().__init__(_ShortWaits())

    def _make_socket_transport(self, sock: socket, protocol: Any, waiter: Any = None, **more: Any) -> Any:
        """CPython 3.11 drops a connection unclosed that it takes while its server closes."""
        server = more.get("server")
        if server is not None and not server.is_serving():
            sock.close()
            raise ConnectionAbortedError("the server has closed")
        return super()._make_socket_transport(sock, protocol, waiter, **more)  # type: ignore[misc]

    def time(self) -> float:
        """Seconds since some moment, without those in which the process stood still."""
        now = time.monotonic()
        self._stood_still += max(0.0, now - self._seen - TURN_SECONDS)
        self._seen = now
        return now - self._stood_still


class LastingLoop(PatientLoop):
    """One for all tests of a worker: closing it leaves it as good as new, so that connections can outlive a test."""

    def close(self) -> None:
        """Forget what the test left: what it set, and what it still wanted to be called."""
        for signal_number in list(self._signal_handlers):
            self.remove_signal_handler(signal_number)
        self._ready.clear()
        self._scheduled.clear()
        self._exception_handler = self._task_factory = self._default_executor = None
        self._executor_shutdown_called = self._asyncgens_shutdown_called = False

    def end(self) -> None:
        """Close it for good."""
        super().close()
