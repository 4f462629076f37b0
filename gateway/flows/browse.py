"""The catalogue of one serving process: it opens, follows every change, and answers from memory."""

from __future__ import annotations

from typing import Any, Literal, Self

from gateway.core.catalog import Index
from gateway.settings import Settings
from gateway.store.pool import Pool

Mode = Literal["live", "test"]


class Catalog:
    """Holds an ``Index`` for each mode and keeps it no more than two seconds behind.

    A watcher task listens to Redis and asks PostgreSQL; either may be down, which only degrades.
    """

    @classmethod
    async def open(cls, settings: Settings, pool: Pool | None, redis: Any | None) -> Self:
        """Load the newest snapshots (state folder, Redis, else built from PostgreSQL in another process) and watch.

        Never fails for a server that is down: ``loaded`` tells whether there is something to answer from.
        """
        raise NotImplementedError

    def index(self, mode: Mode) -> Index:
        """The catalogue of a mode as it stands now; an empty one before anything was synced."""
        raise NotImplementedError

    @property
    def loaded(self) -> bool:
        """Whether an index stands, even an empty one (what ``/readyz`` wants)."""
        raise NotImplementedError

    @property
    def degraded(self) -> tuple[str, ...]:
        """What does not work at present, in words for ``/readyz``: "redis: …", "postgresql: …"."""
        raise NotImplementedError

    async def refresh(self) -> None:
        """Look for a newer snapshot or overlay now rather than with the next tick."""
        raise NotImplementedError

    async def close(self) -> None:
        """Stop watching and let go of the files."""
        raise NotImplementedError
