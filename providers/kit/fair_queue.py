"""The queue of calls that wait for a supplier's rate: by priority, purchases in turn over storefronts.

Among purchases the storefronts take turns (round robin) and the oldest purchase of a storefront goes first, so that
the backlog of one tenant delays another one's purchase by one turn. The other priorities are first in, first out.
Where processes share a rate, ``pop`` is told the storefront whose turn it is over all of them.
"""

from __future__ import annotations

import asyncio
import itertools
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from providers.kit.supplier_rate import Priority

_numbers = itertools.count()
_by_age = attrgetter("age")


@dataclass(eq=False, slots=True, frozen=True)
class Waiter:
    """One call that waits. ``turn`` is done with the expiry of its token when its turn has come.

    ``has_timeout`` is set for callers with a time-out of their own; the others are refused when the wait is too long.
    """

    priority: Priority
    storefront_id: str
    age: tuple[datetime, int]
    has_timeout: bool
    turn: asyncio.Future[float]


class FairQueue:
    """Waiting calls in the order in which they are served."""

    def __init__(self) -> None:
        self._purchases: dict[str, list[Waiter]] = {}  # by storefront, the oldest first
        self._turns: deque[str] = deque()  # storefronts with waiting purchases, the next one first
        self._others: dict[Priority, dict[Waiter, None]] = {
            priority: {} for priority in Priority if priority is not Priority.PURCHASE
        }
        self._purchase_count = 0

    def push(self, priority: Priority, storefront_id: str, since: datetime, *, has_timeout: bool) -> Waiter:
        """Add a call. A storefront that has none waiting gets the last turn."""
        turn: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        waiter = Waiter(priority, storefront_id, (since, next(_numbers)), has_timeout, turn)
        if priority is not Priority.PURCHASE:
            self._others[priority][waiter] = None
            return waiter
        if storefront_id not in self._purchases:
            self._purchases[storefront_id] = []
            self._turns.append(storefront_id)
        insort(self._purchases[storefront_id], waiter, key=_by_age)
        self._purchase_count += 1
        return waiter

    def pop(self, priority: Priority, storefront_id: str | None = None) -> Waiter | None:
        """Take out the call of this priority whose turn it is; None when none waits.

        A purchase of ``storefront_id`` goes first when one waits: its turn was decided over all processes.
        """
        if priority is not Priority.PURCHASE:
            waiter = next(iter(self._others[priority]), None)
            if waiter is not None:
                del self._others[priority][waiter]
            return waiter
        if not self._turns:
            return None
        if storefront_id is None or storefront_id not in self._purchases:
            storefront_id = self._turns[0]
        waiter = self._purchases[storefront_id][0]
        self.discard(waiter)
        if storefront_id in self._purchases:
            self._turns.remove(storefront_id)
            self._turns.append(storefront_id)
        return waiter

    def discard(self, waiter: Waiter) -> None:
        """Take out a call wherever it stands; nothing happens when it is not in the queue."""
        if waiter.priority is not Priority.PURCHASE:
            self._others[waiter.priority].pop(waiter, None)
            return
        waiting = self._purchases.get(waiter.storefront_id, [])
        place = bisect_left(waiting, waiter.age, key=_by_age)
        if place == len(waiting) or waiting[place] is not waiter:
            return
        del waiting[place]
        self._purchase_count -= 1
        if not waiting:
            del self._purchases[waiter.storefront_id]
            self._turns.remove(waiter.storefront_id)

    def count(self, priority: Priority) -> int:
        """How many calls of this priority wait."""
        return self._purchase_count if priority is Priority.PURCHASE else len(self._others[priority])

    def purchases_of(self, storefront_id: str) -> int:
        """How many purchases of this storefront wait."""
        return len(self._purchases.get(storefront_id, ()))

    def oldest_purchases(self, each: int) -> list[tuple[str, datetime]]:
        """Storefront and age of the purchases that wait: of each storefront so many at most, the oldest first."""
        return [
            (storefront_id, waiter.age[0])
            for storefront_id, waiting in self._purchases.items()
            for waiter in waiting[:each]
        ]

    def first_priority(self) -> Priority | None:
        """The most urgent priority that waits; None when the queue is empty."""
        return next((priority for priority in Priority if self.count(priority)), None)

    def __iter__(self) -> Iterator[Waiter]:
        """All calls that wait, in no particular order; the queue may be changed meanwhile."""
        purchases = [waiter for waiting in self._purchases.values() for waiter in waiting]
        return iter(purchases + [waiter for waiting in self._others.values() for waiter in waiting])
