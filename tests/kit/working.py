"""What a worker does for orders, run in a test beside the part that it looks at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.kit.pool import Pool
from gateway.orders.process import drain, wait_for_answer
from gateway.orders.waker import OrderWaker
from gateway.suppliers.deps import Deps
from gateway.webhooks import event_rows


@asynccontextmanager
async def waking(deps: Deps) -> AsyncIterator[None]:
    """Orders are processed when they are due, as a worker does."""
    url = deps.settings.database_url
    assert url is not None
    stop = asyncio.Event()
    task = asyncio.create_task(OrderWaker(deps).run(stop, url.get_secret_value()))
    try:
        yield
    finally:
        stop.set()
        await task
        await drain(deps, 10)


async def answered(deps: Deps, order_id: str, seconds: float = 60) -> None:
    """Wait until an order is answered, a worker at work."""
    async with waking(deps):
        await wait_for_answer(deps, order_id, seconds)


async def emit_events(pool: Pool) -> None:
    """Write the deliveries of everything that storefronts are to be told, as a worker does."""
    while await event_rows.dispatch(pool, 100):
        pass


async def idle(deps: Deps, seconds: float = 30) -> None:
    """Wait for every order that this process has in hand; none is broken off, as the end of a process would."""
    async with asyncio.timeout(seconds):
        while deps.running:
            await asyncio.wait(set(deps.running))
