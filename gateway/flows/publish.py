"""Publishing the catalogue: from PostgreSQL to a file that every process of a host maps, and to Redis."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.settings import Settings
from gateway.store.pool import Pool


class Published(msgspec.Struct, frozen=True):
    """What was published: the snapshot's version and number of offers for each mode ("live", "test").

    ``changed`` is False when the newest snapshots held all of it already.
    """

    versions: dict[str, str]
    offers: dict[str, int]
    changed: bool
    seconds: float


async def publish(pool: Pool, redis: Any | None, settings: Settings) -> Published:
    """Build a snapshot for each mode from what PostgreSQL holds now, and make it known.

    ``redis`` is a ``redis.asyncio.Redis`` without ``decode_responses``; None or a failing one is only
    a warning. Raises what the database raises.
    """
    raise NotImplementedError
