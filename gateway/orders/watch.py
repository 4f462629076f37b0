"""Requests that wait for an order to be answered: woken in this process at once, by NOTIFY from any other."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

# Without a connection that listens, who waits looks again this often.
UNHEARD_SECONDS = 1.0
# With one too: a notification may be lost with a connection that just broke.
HEARD_SECONDS = 5.0


@dataclass(slots=True, eq=False)
class Waiter:
    """One request that waits. ``answered`` says that the order is known to be answered."""

    woken: asyncio.Event = field(default_factory=asyncio.Event)
    answered: bool = False


class OrderWatch:
    """Who waits in this process for which order.

    ``listening`` says that notifications of other processes come in; ``unannounced`` are orders answered here that
    other processes are about to be notified of.
    """

    def __init__(self) -> None:
        self.listening = False
        self.unannounced: set[str] = set()
        self._waiting: dict[str, set[Waiter]] = defaultdict(set)

    def answered(self, order_id: str) -> None:
        """Wake who waits for this order: it is answered."""
        for waiter in self._waiting.get(order_id, ()):
            waiter.answered = True
            waiter.woken.set()

    def wake(self, order_id: str) -> None:
        """Have who waits for this order look: it was answered some time ago, and may have been changed since."""
        for waiter in self._waiting.get(order_id, ()):
            waiter.woken.set()

    def wake_all(self) -> None:
        """Have everybody look: notifications may have been missed."""
        for waiters in self._waiting.values():
            for waiter in waiters:
                waiter.woken.set()

    @contextmanager
    def waiting(self, order_id: str) -> Iterator[Waiter]:
        """Who waits for an order, woken whenever it may have been answered."""
        waiter = Waiter()
        self._waiting[order_id].add(waiter)
        try:
            yield waiter
        finally:
            self._waiting[order_id].discard(waiter)
            if not self._waiting[order_id]:
                del self._waiting[order_id]

    @property
    def pause(self) -> float:
        """Seconds after which who waits looks by itself."""
        return HEARD_SECONDS if self.listening else UNHEARD_SECONDS
