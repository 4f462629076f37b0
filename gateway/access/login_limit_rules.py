"""When a log-in attempt has to wait: the rate limits of addresses, known devices, sessions and user names. Pure.

An unknown device is limited by its address and by the user name. A known device (one that logged in as this user
before) and a session that asks for its own password are limited by their own failures alone, so nobody else can
lock them out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Literal

NAME_WINDOW = timedelta(hours=1)
NAME_LOCK = timedelta(minutes=15)
NAME_FAILURES = 10
NAME_FAILURES_PER_ADDRESS = 3
FORGET_AFTER = timedelta(hours=24)

Counter = Literal["address", "device", "session"]
_MOST_DOUBLINGS = 20


@dataclass(frozen=True, slots=True)
class Backoff:
    """How a counter of failures makes the next attempt wait: ``free`` failures cost nothing, then the wait doubles."""

    free: int
    longest: int  # seconds

    def wait(self, failures: int) -> int:
        """Seconds to wait after that many failures."""
        over = failures - self.free
        return min(2 ** min(over, _MOST_DOUBLINGS), self.longest) if over >= 0 else 0


BACKOFF: dict[Counter, Backoff] = {
    "address": Backoff(free=20, longest=900),  # an office shares one address
    "device": Backoff(free=5, longest=900),
    "session": Backoff(free=5, longest=900),
}


@dataclass(frozen=True, slots=True)
class NameFailure:
    """One failure of an unknown device that was counted against a user name."""

    address: str
    at: datetime


def name_wait(failures: Sequence[NameFailure], now: datetime) -> int:
    """Seconds that unknown devices wait for this user name, 0 when it is not locked; 15 minutes at most."""
    counted = [failure.at for failure in failures if failure.at > now - NAME_WINDOW]
    if len(counted) < NAME_FAILURES:
        return 0
    left = min(max(counted) + NAME_LOCK - now, NAME_LOCK).total_seconds()
    return max(0, ceil(left))


def counts_against_name(failures: Sequence[NameFailure], address: str, now: datetime) -> bool:
    """Whether one more failure from this address counts against the user name."""
    same = sum(failure.address == address and failure.at > now - NAME_WINDOW for failure in failures)
    return same < NAME_FAILURES_PER_ADDRESS
