"""A pool on which one chosen statement of one chosen kind of work goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import asyncpg

from gateway.kit.group_commit import GroupCommit
from gateway.kit.pool import Pool, prepare_connection, server_settings

# The writer of a group commit has the context of the caller for which it was started.
_followed: ContextVar[asyncio.Task[Any] | None] = ContextVar("followed", default=None)


class StatementFault(StrEnum):
    """What goes wrong at a statement."""

    OURS = "ours"  # an exception of our own code
    BROKEN_TABLE = "broken_table"  # PostgreSQL refuses the statement
    LOST = "lost"  # the connection ends before the statement
    UNCONFIRMED = "unconfirmed"  # the connection ends after it was committed, and nobody hears of it


@dataclass
class FaultyStatements:
    """Which statement goes wrong: the ``at``-th of the tasks in ``tasks``, counted from 1, once.

    ``seen`` are the statements of those tasks, in order. ``fired`` is the one that went wrong; None too where the
    fault makes no sense at the one that was chosen.
    """

    at: int = 0
    fault: StatementFault = StatementFault.OURS
    tasks: set[asyncio.Task[Any] | None] = field(default_factory=set)
    seen: list[str] = field(default_factory=list)
    fired: str | None = None

    def follow(self) -> None:
        """Count the statements of the running task from now on, and those that a group commit runs for it."""
        task = asyncio.current_task()
        self.tasks.add(task)
        _followed.set(task)

    def arm(self, at: int, fault: StatementFault) -> None:
        """Have the ``at``-th statement from now on go wrong."""
        self.at, self.fault, self.seen, self.fired = at, fault, [], None
        self.tasks.clear()

    @property
    def reached(self) -> bool:
        """Whether there was such a statement."""
        return len(self.seen) >= self.at

    def strikes(self, statement: str, *, in_transaction: bool) -> bool:
        """Count a statement; whether it is the one that goes wrong."""
        task = asyncio.current_task()
        for_another = task is not None and task.get_name() == GroupCommit.__name__
        if (_followed.get() if for_another else task) not in self.tasks:
            return False
        self.seen.append(statement)
        if len(self.seen) != self.at or not self._makes_sense(statement, in_transaction=in_transaction):
            return False
        self.fired = statement
        return True

    def _makes_sense(self, statement: str, *, in_transaction: bool) -> bool:
        word = statement.split(maxsplit=1)[0].rstrip(";")
        match self.fault:
            case StatementFault.LOST:
                return True
            case StatementFault.UNCONFIRMED:
                return word == "COMMIT" or (word != "BEGIN" and not in_transaction)
            case _:
                return word not in {"BEGIN", "COMMIT"}


class _FaultyConnection(asyncpg.Connection):
    """Each pool has a class of its own with its ``statements``."""

    statements: FaultyStatements

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:  # noqa: ASYNC109 - as asyncpg
        return await self._run(query, super().execute, *args, timeout=timeout)

    async def fetch(self, query: str, *args: Any, **more: Any) -> Any:
        return await self._run(query, super().fetch, *args, **more)

    async def fetchval(self, query: str, *args: Any, **more: Any) -> Any:
        return await self._run(query, super().fetchval, *args, **more)

    async def fetchrow(self, query: str, *args: Any, **more: Any) -> Any:
        return await self._run(query, super().fetchrow, *args, **more)

    async def fetchmany(self, query: str, args: Any, **more: Any) -> Any:
        return await self._run(query, super().fetchmany, args, **more)

    async def _run(self, query: str, call: Any, *args: Any, **more: Any) -> Any:
        if not self.statements.strikes(query, in_transaction=self.is_in_transaction()):
            return await call(query, *args, **more)
        match self.statements.fault:
            case StatementFault.OURS:
                raise KeyError("a fault of ours")
            case StatementFault.BROKEN_TABLE:
                raise asyncpg.UndefinedTableError('relation "orders" does not exist')
            case StatementFault.UNCONFIRMED:
                await call(query, *args, **more)
        self.terminate()
        raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")


@asynccontextmanager
async def faulty_pool(dsn: str) -> AsyncIterator[tuple[Pool, FaultyStatements]]:
    """A pool as ``open_pool`` gives it, and what goes wrong on it: nothing before it is armed."""
    statements = FaultyStatements()
    connection_class = type("FaultyConnection", (_FaultyConnection,), {"statements": statements})

    async def leave_as_it_is(_: Any) -> None: ...

    pool: Pool = await asyncpg.create_pool(
        dsn, min_size=0, max_size=10, connection_class=connection_class, init=prepare_connection,
        reset=leave_as_it_is, server_settings=server_settings(30, "esim-gateway"),
    )  # fmt: skip
    try:
        yield pool, statements
    finally:
        await pool.close()
