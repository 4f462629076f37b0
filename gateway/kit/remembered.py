"""What a process has read and may show again for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Remembered:
    """Values by name, each for so many seconds; those that are over go with the next one that is read."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[float, Any]] = {}

    async def get(self, name: Hashable, seconds: float, read: Callable[[], Awaitable[T]]) -> T:
        """The value of that name, read anew where it is not known any more."""
        now = asyncio.get_running_loop().time()
        if (known := self._known.get(name)) is not None and now < known[0]:
            found: T = known[1]
            return found
        found = await read()
        self._known = {key: value for key, value in self._known.items() if now < value[0]}
        self._known[name] = now + seconds, found
        return found
