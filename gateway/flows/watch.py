"""Requests that wait for an order to be answered: woken in this process at once, by NOTIFY from any other."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

# Without a connection that listens, who waits looks again this often.
UNHEARD_SECONDS = 1.0
# With one too: a notification may be lost with a connection that just broke.
HEARD_SECONDS = 5.0


class OrderWatch:
    """Who waits in this process for which order. ``listening`` says that notifications of other processes come in."""

    def __init__(self) -> None:
        self.listening = False
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)

    def answered(self, order_id: str) -> None:
        """Wake who waits for this order."""
        for event in self._waiting.get(order_id, ()):
            event.set()

    def wake_all(self) -> None:
        """Wake everybody: notifications may have been missed."""
        for events in self._waiting.values():
            for event in events:
                event.set()

    @contextmanager
    def waiting(self, order_id: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever the order may have been answered."""
        event = asyncio.Event()
        self._waiting[order_id].add(event)
        try:
            yield event
        finally:
            self._waiting[order_id].discard(event)
            if not self._waiting[order_id]:
                del self._waiting[order_id]

    @property
    def pause(self) -> float:
        """Seconds after which who waits looks by itself."""
        return HEARD_SECONDS if self.listening else UNHEARD_SECONDS
