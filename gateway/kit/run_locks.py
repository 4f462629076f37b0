"""Advisory locks of a running sync, on a connection of their own: they end with the process that holds them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

from gateway.kit.pool import DATABASE_DOWN, Connection, Pool, connect

# Classes of advisory locks in this database (the first of two keys).
RUN_LOCK = 73_105_771
SUPPLIER_LOCK = 73_105_772
START_LOCK = 7_310_577_103

Key: TypeAlias = tuple[int, str]
POLL_SECONDS = 0.25
CLOSE_SECONDS = 5.0


class RunLocks:
    """Locks of one run. A lost connection loses them; ``sync_runs.still_open`` is the fence for that."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._one = asyncio.Lock()

    async def acquire(self, key: Key) -> None:
        """Wait until the lock is ours, or until the connection is lost."""
        while not await self.try_acquire(key):  # noqa: ASYNC110 - what is waited for is in another process
            await asyncio.sleep(POLL_SECONDS)

    async def try_acquire(self, key: Key) -> bool:
        """Take the lock if nobody has it. True after the connection was lost: nobody can be asked then."""
        async with self._one:
            try:
                got = await self._connection.fetchval("SELECT pg_try_advisory_lock($1, hashtext($2))", *key)
            except DATABASE_DOWN:
                return True
        return bool(got)

    async def release(self, key: Key) -> None:
        """Let the lock go; a lost connection has let it go already."""
        async with self._one:
            with suppress(*DATABASE_DOWN):
                await self._connection.execute("SELECT pg_advisory_unlock($1, hashtext($2))", *key)

    @asynccontextmanager
    async def holding(self, key: Key) -> AsyncIterator[None]:
        """Wait for the lock, and hold it for the block."""
        await self.acquire(key)
        try:
            yield
        finally:
            await self.release(key)

    @asynccontextmanager
    async def starting(self) -> AsyncIterator[Connection]:
        """A transaction in which nobody else begins or closes a run."""
        async with self._one, self._connection.transaction():
            await self._connection.execute("SELECT pg_advisory_xact_lock($1)", START_LOCK)
            yield self._connection

    async def free(self, connection: Connection, key: Key) -> bool:
        """Whether nobody holds the lock; inside ``starting``."""
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1, hashtext($2))", *key):
            return False
        await connection.execute("SELECT pg_advisory_unlock($1, hashtext($2))", *key)
        return True


@asynccontextmanager
async def run_locks(pool: Pool, direct_url: str | None = None) -> AsyncIterator[RunLocks]:
    """Locks on a connection of the pool, all released at the end.

    ``direct_url`` is for a pool that goes through a pooler, at which a session's lock would be anybody's: they are then
    on a connection of their own to the database.
    """
    if direct_url is not None:
        own = await connect(direct_url, name="esim-gateway locks")
        try:
            yield RunLocks(own)
        finally:
            with suppress(*DATABASE_DOWN):
                await own.close(timeout=CLOSE_SECONDS)
        return
    connection = await pool.acquire()
    try:
        yield RunLocks(connection)
    finally:
        with suppress(*DATABASE_DOWN):
            await connection.execute("SELECT pg_advisory_unlock_all()")
        with suppress(*DATABASE_DOWN):
            await pool.release(connection)


async def hold(connection: Connection, key: Key) -> None:
    """Take a lock for as long as this connection lasts."""
    await connection.fetchval("SELECT pg_advisory_lock($1, hashtext($2))", *key)
