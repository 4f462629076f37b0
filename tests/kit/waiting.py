"""Wait for what happens elsewhere: in another task, process or server, which has no event for it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

PATIENCE = 120.0


async def until(look: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """The first true answer of ``look``, a function or a coroutine function. ``TimeoutError`` if there is none."""
    async with asyncio.timeout(seconds):
        while True:
            found = look()
            if inspect.isawaitable(found):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.02)
