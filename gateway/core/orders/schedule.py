"""When what is not known is looked at again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

AGES = (2.0, 5.0, 15.0, 60.0, 300.0)
EVERY = 900.0
# What waits for a person is still looked at for so long: it settles if it comes.
REVIEWED_FOR = timedelta(days=7)


def seconds_to_next(looks: int) -> float:
    """Seconds from the look before, or from the last change when there was none, to the next look."""
    if looks >= len(AGES):
        return EVERY
    return AGES[looks] - (AGES[looks - 1] if looks else 0.0)


def next_look(now: datetime, looks: int, bounds: Iterable[datetime | None] = ()) -> datetime:
    """When to look next after ``looks`` looks: by the schedule, and at each bound that comes before."""
    planned = now + timedelta(seconds=seconds_to_next(looks))
    return min([planned, *(bound for bound in bounds if bound is not None and bound > now)])
