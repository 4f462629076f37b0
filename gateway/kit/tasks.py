"""Waiting for tasks that run in the background, and ending them."""

from __future__ import annotations

import asyncio

_AGAIN_SECONDS = 0.5


async def end(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks and wait until they have ended, whatever they end with.

    They are cancelled again and again: redis-py 8.1 and ``asyncio.wait_for`` of Python 3.11 may each swallow a
    cancellation that comes together with the answer they waited for (seen 2026-11).
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_AGAIN_SECONDS)
    for task in tasks:
        if not task.cancelled():
            task.exception()


async def until_set(event: asyncio.Event) -> None:
    """Wait for an event, as a task that gives nothing."""
    await event.wait()
