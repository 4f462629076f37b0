"""When a supplier is polled for what is not known. Pure, and without memory: only the time of the send counts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

AGES = (2.0, 5.0, 15.0, 60.0, 300.0)
EVERY = 900.0
# What waits for an operator is still polled for so long: it settles if it comes.
REVIEWED_FOR = timedelta(days=7)
REVIEWED_EVERY = timedelta(minutes=15)
# A poll that was never sent (our own limiter or breaker, a plugin's fault) is tried again this soon, and not counted.
UNSENT_AGAIN = timedelta(seconds=2)
# How long a process that goes on with an order by itself is left alone by the workers.
CONTINUES = timedelta(seconds=5)


def seconds_to_next(age: float) -> float:
    """The age in seconds at which the next poll is due, of what was sent ``age`` seconds ago (RULES 21)."""
    for due in AGES:
        if due > age:
            return due
    return AGES[-1] + EVERY * (int((age - AGES[-1]) // EVERY) + 1)


def next_poll(now: datetime, sent_at: datetime, bounds: Iterable[datetime | None] = ()) -> datetime:
    """When to poll next: by the schedule from the send on, and at each bound that comes before.

    A bound (the end of a quiescence) is a poll of its own and takes no place in the schedule.
    """
    planned = sent_at + timedelta(seconds=seconds_to_next((now - sent_at).total_seconds()))
    return min([planned, *(bound for bound in bounds if bound is not None and bound > now)])


def next_poll_in_review(now: datetime, sent_at: datetime) -> datetime:
    """When to poll next for an order that waits for an operator: every 15 minutes for a week, then once a day."""
    return now + (REVIEWED_EVERY if now - sent_at <= REVIEWED_FOR else timedelta(days=1))
