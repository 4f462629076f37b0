"""Group commit: callers that run the same statement at the same moment share one transaction.

Under load many orders reach the same statement together. One transaction each would cost one commit each and have them
wait for each other in PostgreSQL; here one batch is written at a time, and whatever arrives meanwhile waits for a next
one. A caller that is alone waits for nobody: its batch holds one.

A batch takes a share of those that wait, not all of them. Who is written together is answered together: callers that
go on with their next order would do so in step, and come back as one burst in which everybody waits for the last. By
shares the first of a burst goes on while the others are written, and the burst comes apart. The more wait, the larger
the batches, so a slow disk still writes many at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from gateway.kit.pool import Pool, is_database_down

# The rows of a batch stay locked until its last one is written. A batch of this size also fits into what the driver
# sends in one go, so that a process that is frozen half-way leaves no open transaction behind.
MOST_IN_A_BATCH = 16
SHARE = 4  # a batch is one of so many parts of the queue


def batch_size(waiting: int) -> int:
    """How many of those that wait are written together."""
    return min(MOST_IN_A_BATCH, -(-waiting // SHARE))


@dataclass(frozen=True, slots=True)
class _Call:
    """The arguments of one caller, and where it waits for its row."""

    args: tuple[Any, ...]
    row: asyncio.Future[asyncpg.Record]

    def fail(self, error: BaseException) -> None:
        if self.row.done():
            return
        if isinstance(error, asyncio.CancelledError):
            self.row.cancel()
        else:
            self.row.set_exception(error)


@dataclass(slots=True)
class _Queue:
    waiting: list[_Call] = field(default_factory=list)
    writer: asyncio.Task[None] | None = None


class GroupCommit:
    """Runs statements that return exactly one row; those with the same text are committed together."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._queues: dict[str, _Queue] = {}

    async def fetchrow(self, query: str, *args: Any) -> asyncpg.Record:
        """The one row of ``query``, after its commit.

        Raises what the statement raises for these arguments alone: where one of a batch fails nothing of the batch is
        written, and each is run again by itself. Where the database goes away every caller of the batch gets that
        error and, as with a transaction of its own, cannot know whether its rows were written.
        """
        queue = self._queues.setdefault(query, _Queue())
        call = _Call(args, asyncio.get_running_loop().create_future())
        queue.waiting.append(call)
        if queue.writer is None:
            queue.writer = asyncio.create_task(self._write_all(query, queue), name=type(self).__name__)
        return await call.row

    async def _write_all(self, query: str, queue: _Queue) -> None:
        batch: list[_Call] = []
        try:
            while queue.waiting:
                size = batch_size(len(queue.waiting))
                batch, queue.waiting = queue.waiting[:size], queue.waiting[size:]
                await self._write(query, [call for call in batch if not call.row.cancelled()])
        except asyncio.CancelledError as error:
            for call in (*batch, *queue.waiting):
                call.fail(error)
            queue.waiting.clear()
            raise
        finally:
            queue.writer = None

    async def _write(self, query: str, calls: Sequence[_Call]) -> None:
        try:
            rows = await self._commit(query, calls)
        except Exception as error:  # noqa: BLE001 - it is the callers', whatever it is
            if len(calls) > 1 and not is_database_down(error):
                for call in calls:
                    await self._write(query, [call])
            else:
                for call in calls:
                    call.fail(error)
            return
        for call, row in zip(calls, rows, strict=True):
            if not call.row.done():
                call.row.set_result(row)

    async def _commit(self, query: str, calls: Sequence[_Call]) -> Sequence[asyncpg.Record]:
        if not calls:
            return ()
        rows: Sequence[asyncpg.Record] = await self._pool.fetchmany(query, [call.args for call in calls])
        if len(rows) != len(calls):
            raise LookupError(f"a statement of a group commit returns one row each: {len(rows)} for {len(calls)}")
        return rows
