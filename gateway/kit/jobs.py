"""Putting a job into the queue, in the transaction of whatever makes it necessary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries

from gateway.kit.pool import Connection

if TYPE_CHECKING:
    import asyncpg

SYNC = "sync"


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


class _OurDriver(AsyncpgDriver):
    """PgQueuer writes its ``jsonb`` as text; on our connections ``jsonb`` is Python objects."""

    async def fetch(self, query: str, *args: Any) -> list[dict[str, object]]:
        *others, headers = args
        return await super().fetch(query, *others, [msgspec.json.decode(text) for text in headers])
