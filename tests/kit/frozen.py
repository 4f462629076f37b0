"""A PostgreSQL that accepts connections and answers nothing, as on a machine that hangs."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from gateway.kit.processes import working_in
from gateway.runtime import embedded


@contextmanager
def frozen_postgres(servers: embedded.Servers) -> Iterator[None]:
    """Stop every process of the server until the end of the block."""
    pids = working_in(servers.postgres.folder)
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
