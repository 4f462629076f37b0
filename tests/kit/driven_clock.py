"""A clock for rate limiters that stands still until a test moves it, or a limiter waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

# A caller that got its turn goes on within a few rounds of the event loop; the clock waits for it.
_ROUNDS = 5


class DrivenClock:
    """Call it for seconds; ``database`` is the same moment as the database tells it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._zero = datetime.now(UTC) - timedelta(seconds=self.now)  # so that a row's own now() fits

    def __call__(self) -> float:
        return self.now

    def database(self) -> datetime:
        """The same moment as a time stamp."""
        return self._zero + timedelta(seconds=self.now)

    async def pause(self, event: asyncio.Event, seconds: float) -> None:
        """Wait as ``wait_until_set`` does, with no time passing but on this clock."""
        for _ in range(_ROUNDS):
            await asyncio.sleep(0)
        if not event.is_set():
            self.now += seconds


class CommonClock(DrivenClock):
    """The clock of several limiters: it moves on to the end of the shortest pause when all that serve are pausing.

    ``serving`` tells how many those are. What a limiter asks of the database in between takes no time.
    """

    def __init__(self, serving: Callable[[], int]) -> None:
        super().__init__()
        self._serving = serving
        self._pauses: list[tuple[float, asyncio.Event]] = []

    async def pause(self, event: asyncio.Event, seconds: float) -> None:
        """Wait as ``wait_until_set`` does, with no time passing but on this clock."""
        for _ in range(_ROUNDS):
            await asyncio.sleep(0)
        entry = (self.now + seconds, event)
        self._pauses.append(entry)
        try:
            while self.now < entry[0] and not event.is_set():
                if len(self._pauses) == self._serving() and not any(event.is_set() for _, event in self._pauses):
                    self.now = max(self.now, min(until for until, _ in self._pauses))
                await asyncio.sleep(0 if self.now >= entry[0] else 0.0005)
        finally:
            self._pauses.remove(entry)
