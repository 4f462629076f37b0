"""Waiting out a short absence of the database: a restart costs a sync some seconds, not its walk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

import asyncpg
import stamina

from gateway.kit.pool import DATABASE_DOWN

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE_SECONDS = 60.0
# Of two that claim one thing at once the second finds it claimed when it looks again.
IN_THE_WAY: tuple[type[Exception], ...] = (*DATABASE_DOWN, asyncpg.PostgresIOError, asyncpg.UniqueViolationError)


def retry_while_database_down(
    call: Callable[P, Awaitable[T]],
    *,
    seconds: float = PATIENCE_SECONDS,
    on: tuple[type[Exception], ...] = DATABASE_DOWN,
) -> Callable[P, Awaitable[T]]:
    """``call``, tried again for a minute while the database is away. It must be safe to repeat."""

    def passes(error: Exception) -> bool:
        return isinstance(error, on) and "pool is clos" not in str(error)

    async def again(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await call(*args, **kwargs)
        except Exception as error:
            if not passes(error):
                raise
        async for attempt in stamina.retry_context(
            on=passes, attempts=None, timeout=seconds, wait_initial=0.1, wait_max=2.0
        ):
            with attempt:
                return await call(*args, **kwargs)
        raise AssertionError("stamina raises what the last attempt raised")

    return again
