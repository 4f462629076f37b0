"""Putting a job into the queue, in the transaction of whatever makes it necessary."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import msgspec
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries

from gateway.store.pool import Connection

if TYPE_CHECKING:
    import asyncpg

SYNC = "sync"
ADVANCE = "advance_order"


class SyncJob(msgspec.Struct, frozen=True):
    """A sync for a worker to run: all suppliers when ``only`` and ``accept`` are empty."""

    only: tuple[str, ...] = ()
    accept: tuple[str, ...] = ()
    run_id: str | None = None


async def enqueue_sync(connection: Connection, job: SyncJob) -> None:
    """Have a worker run a sync. While the like of it waits or runs, nothing is added."""
    key = f"{SYNC}:{job.run_id}" if job.run_id else SYNC
    queries = Queries(_OurDriver(cast("asyncpg.Connection[asyncpg.Record]", connection)))
    await queries.enqueue(SYNC, msgspec.json.encode(job), dedupe_key=key, on_conflict="skip")


class AdvanceJob(msgspec.Struct, frozen=True):
    """Advance one order; ``look`` asks the supplier now, though the schedule would wait."""

    order_id: str
    look: bool = False


async def enqueue_advance(
    connection: Connection, order_id: str, version: str, *, look: bool = False, after: timedelta | None = None
) -> None:
    """Have a worker advance an order, in the caller's transaction.

    ``version`` tells one state of the order from the next: while the same one waits or runs, nothing is added.
    """
    queries = Queries(_OurDriver(cast("asyncpg.Connection[asyncpg.Record]", connection)))
    await queries.enqueue(
        ADVANCE,
        msgspec.json.encode(AdvanceJob(order_id, look)),
        dedupe_key=f"{ADVANCE}:{order_id}:{version}",
        execute_after=after,
        on_conflict="skip",
    )


class _OurDriver(AsyncpgDriver):
    """PgQueuer writes its ``jsonb`` as text; on our connections ``jsonb`` is Python objects."""

    async def fetch(self, query: str, *args: Any) -> list[dict[str, object]]:
        *others, headers = args
        return await super().fetch(query, *others, [msgspec.json.decode(text) for text in headers])
