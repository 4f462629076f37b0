"""Waiting out a short absence of the database: a restart costs a sync some seconds, not its walk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

import stamina

from gateway.store.pool import DATABASE_DOWN

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE_SECONDS = 60.0


def _will_come_back(error: Exception) -> bool:
    return isinstance(error, DATABASE_DOWN) and "pool is clos" not in str(error)


def patiently(call: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """``call``, tried again for a minute while the database is away. It must be safe to repeat."""

    async def again(*args: P.args, **kwargs: P.kwargs) -> T:
        async for attempt in stamina.retry_context(
            on=_will_come_back, attempts=None, timeout=PATIENCE_SECONDS, wait_initial=0.1, wait_max=2.0
        ):
            with attempt:
                return await call(*args, **kwargs)
        raise AssertionError("stamina raises what the last attempt raised")

    return again
