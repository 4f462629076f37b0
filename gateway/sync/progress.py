"""A run's progress written down every other second, for the pages and commands that watch it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Protocol

import structlog

from gateway.kit.pool import DATABASE_DOWN, Pool
from gateway.sync import sync_progress_rows
from gateway.sync.run_rules import SupplierRun

log = structlog.get_logger(__name__)

EVERY_SECONDS = 2.0


class Progress(Protocol):
    """Who watches a run. Called on the loop's own thread; must return at once."""

    def seen(self, supplier: str, items: int, claimed: int | None) -> None:
        """So many items of a supplier were met, of as many as it claims to have."""

    def ended(self, part: SupplierRun) -> None:
        """A supplier has come to something."""


class Written:
    """Gathers what is seen, for a task that writes it, and passes it on to another watcher."""

    def __init__(self, other: Progress | None) -> None:
        self.fresh: dict[str, tuple[int, int | None]] = {}
        self._other = other

    def seen(self, supplier: str, items: int, claimed: int | None) -> None:
        """So many items of a supplier were met, of as many as it claims to have."""
        self.fresh[supplier] = (items, claimed)
        if self._other is not None:
            self._other.seen(supplier, items, claimed)

    def ended(self, part: SupplierRun) -> None:
        """What a supplier came to stands in the run itself."""
        self.fresh.pop(part.supplier, None)
        if self._other is not None:
            self._other.ended(part)


@asynccontextmanager
async def written(pool: Pool, run_id: str, other: Progress | None = None) -> AsyncIterator[Written]:
    """Write down what is seen until the block ends, and pass it on to ``other``.

    A database that is away is no fault of the sync's.
    """
    progress = Written(other)
    task = asyncio.create_task(_write(pool, run_id, progress))
    try:
        yield progress
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        with suppress(*DATABASE_DOWN):
            await sync_progress_rows.forget(pool, run_id)


async def _write(pool: Pool, run_id: str, progress: Written) -> None:
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        fresh, progress.fresh = progress.fresh, {}
        if fresh:
            try:
                await sync_progress_rows.write(pool, run_id, fresh)
            except DATABASE_DOWN as error:
                log.debug("sync_progress_write_failed", error=type(error).__name__)
