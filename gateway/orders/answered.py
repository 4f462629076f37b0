"""Tells those who wait that an order is answered: in this process at once, in others shortly after the commit.

PostgreSQL lets one transaction at a time commit a notification, and holds it back until that one is on disk. Inside
the transactions that settle orders it would make all of them wait for each other, so it has one of its own, which
writes nothing. A process that ends before it costs those who wait elsewhere the time until they look by themselves.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from gateway.kit.pool import DATABASE_DOWN
from gateway.orders import order_state_rows
from gateway.suppliers.deps import Deps

TOGETHER_SECONDS = 0.02


def notify_answered(deps: Deps, order_id: str) -> None:
    """Wake those who wait for an order whose answer is committed."""
    deps.watch.answered(order_id)
    unannounced = deps.watch.unannounced
    unannounced.add(order_id)
    if len(unannounced) == 1:
        task = asyncio.create_task(_notify_elsewhere(deps), name="announce answered orders")
        deps.running.add(task)
        task.add_done_callback(deps.running.discard)


async def _notify_elsewhere(deps: Deps) -> None:
    await asyncio.sleep(TOGETHER_SECONDS)
    answered = [*deps.watch.unannounced]
    deps.watch.unannounced.clear()
    with suppress(*DATABASE_DOWN):
        await order_state_rows.notify_answered(deps.pool, answered)
