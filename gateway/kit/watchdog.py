"""Telling a PostgreSQL that is silent from one that is slow, and failing at once what waits for a silent one.

A server that is down refuses connections, which is an error within milliseconds. One that is frozen, or behind a
network that drops packets, accepts everything and answers nothing: each statement then waits for its own time-out, and
giving it up waits again, because asyncpg asks the same server to cancel it. A statement may rightly take half a minute,
so its time-out cannot be short. The watchdog asks a trivial question on a connection of its own instead.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import asyncpg
import structlog

from gateway.kit.pool import Connection, pooler_settings, server_settings
from gateway.kit.tasks import end

# Detection takes at most ASK_EVERY_SECONDS + TURNS * TURN_SECONDS, and a connection that was being made as long as
# CONNECT_SECONDS more than it took until then: everything that waits has failed within 5 s (RULES 30).
ASK_EVERY_SECONDS = 0.5
TURNS = 12
TURN_SECONDS = 0.2
CONNECT_SECONDS = 3.0

log = structlog.get_logger(__name__)


class DatabaseSilentError(ConnectionError):
    """PostgreSQL does not answer. One of ``DATABASE_DOWN``, as every ``OSError``."""


class DatabaseWatchdog:
    """Watches the database at ``dsn``, or a pooler with what is behind it, for the connections that ``connect`` makes.

    While ``silent`` no new connection is tried, and when it falls silent those there are end: what waits on them fails
    with one of ``DATABASE_DOWN``.
    """

    def __init__(self, dsn: str, *, through_pooler: bool = False) -> None:
        self.silent = False
        self._dsn = dsn
        name = "esim-gateway watchdog"
        self._settings = pooler_settings(name) if through_pooler else server_settings(CONNECT_SECONDS, name)
        self._connections: set[Any] = set()
        self._own: Connection | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch."""
        self._task = asyncio.create_task(self._watch(), name="database watchdog")

    async def close(self) -> None:
        """Stop watching."""
        if self._task is not None:
            await end(self._task)
        self._drop_own()

    async def connect(self, *args: Any, **options: Any) -> Any:
        """A connection for a pool (``asyncpg.create_pool(connect=…)``). Raises ``DatabaseSilentError`` at once."""
        self._check()
        made = await asyncpg.connect(*args, **(options | {"timeout": CONNECT_SECONDS}))
        self._connections.add(made)
        made.add_termination_listener(self._connections.discard)
        if self.silent:
            made.terminate()
        self._check()
        return made

    def _check(self) -> None:
        if self.silent:
            raise DatabaseSilentError("PostgreSQL does not answer")

    async def _watch(self) -> None:
        while True:
            answers = await self._answers()
            if answers == self.silent:
                self.silent = not answers
                log.warning("database_silent") if self.silent else log.info("database_answered_again")
            if self.silent:
                for connection in list(self._connections):
                    connection.terminate()
            await asyncio.sleep(ASK_EVERY_SECONDS)

    async def _answers(self) -> bool:
        """Whether the server answers in time, be it with an error.

        Time is counted in turns of the loop: one that got no processor says nothing about the server.
        """
        query = asyncio.create_task(self._ask())
        try:
            for _ in range(TURNS):
                await asyncio.wait([query], timeout=TURN_SECONDS)
                if query.done():
                    break
            answers = query.done()
        finally:
            if not query.done() or query.exception() is not None:
                self._drop_own()  # first, or giving up the statement would wait for the server
            await end(query)
        return answers

    async def _ask(self) -> None:
        if self._own is None or self._own.is_closed():
            self._own = await asyncpg.connect(self._dsn, timeout=60, server_settings=self._settings)
        await self._own.execute("SELECT 1 AS watchdog")

    def _drop_own(self) -> None:
        if self._own is not None:
            with contextlib.suppress(Exception):
                self._own.terminate()
        self._own = None
