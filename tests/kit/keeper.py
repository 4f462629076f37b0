"""A connection that puts a database back between the tests of a worker.

It lives as long as the worker: a connection for each test would look up all tables anew, which takes longer than to
empty them. Its loop runs between the tests' own.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

import asyncpg

from tests.kit.kept_connections import Shelf

_THROW_OUT = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
AND pid <> ALL($1::integer[])
"""


class Keeper:
    """Whoever else is connected to the database at ``url`` when it is put back is thrown out.

    What lies on the shelf stays: nobody has it in use.
    """

    def __init__(self, url: str, shelf: Shelf) -> None:
        self.url = url
        self._shelf = shelf
        self._keeping = shelf.keeping(url)
        self._loop = asyncio.new_event_loop()
        self._connection: asyncpg.Connection | None = None

    def put_back(self, *statements: str) -> None:
        """Throw everybody out, then run the statements; on a new connection when a test has ended this one."""
        try:
            self._loop.run_until_complete(self._run(statements))
        except (OSError, asyncpg.InterfaceError, asyncpg.OperatorInterventionError, asyncpg.PostgresConnectionError):
            self._connection = None
            self._loop.run_until_complete(self._run(statements))

    async def _run(self, statements: tuple[str, ...]) -> None:
        if self._connection is None:
            self._connection = await asyncpg.connect(self.url)
        await self._connection.execute(_THROW_OUT, self._shelf.pids(self.url))
        for statement in statements:
            await self._connection.execute(statement)

    def __enter__(self) -> Self:
        self._keeping.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._keeping.__exit__(None, None, None)
        if self._connection is not None:
            self._connection.terminate()
            self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()
