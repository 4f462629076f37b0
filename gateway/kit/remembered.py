"""What a process has read and may show again for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Remembered:
    """Values by name, each for so many seconds; those that are over go with the next one that is read."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[float, Any]] = {}
        self._running: dict[Hashable, asyncio.Task[Any]] = {}

    async def get(self, name: Hashable, seconds: float, read: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The value of that name, read anew where it is not known any more, once for all who ask meanwhile."""
        if (known := self._known.get(name)) is not None and asyncio.get_running_loop().time() < known[0]:
            found: T = known[1]
            return found
        task = self._running.get(name)
        if task is None:
            task = self._running[name] = asyncio.create_task(self._read(name, seconds, read))
            task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # all who asked may be gone
        return await asyncio.shield(task)

    async def _read(self, name: Hashable, seconds: float, read: Callable[[], Coroutine[Any, Any, T]]) -> T:
        try:
            found = await read()
        finally:
            del self._running[name]
        now = asyncio.get_running_loop().time()
        self._known = {key: value for key, value in self._known.items() if now < value[0]}
        self._known[name] = now + seconds, found
        return found
