"""The door in front of a supplier: how fast it may be called, and whether it is worth calling now.

``Gate`` is what the transport needs of it. ``MemoryGate`` serves one process (tests, tools); the
one that all processes share is a row in the database, and lives with the gateway's store.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import IntEnum
from http import HTTPStatus
from typing import Protocol

from schemas.errors import CircuitOpen, ConnectionLost, NotReached, RateLimited, ServerFault, SupplierError, TimedOut

BREAKER_FAILURES = 5
BREAKER_SECONDS = 30.0
BREAKER_MAX_SECONDS = 600.0
# What a supplier may ask us to wait at most; a wrong header must not stop it for a day.
MAX_WAIT_SECONDS = 3600.0
# A refusal for the rate that names no time.
UNNAMED_WAIT_SECONDS = 2.0
# From here on a number is not seconds from now but a Unix time, and from the second one in milliseconds.
_UNIX_SECONDS = 1_000_000_000
_UNIX_MILLISECONDS = 100_000_000_000
_MOST_DIGITS = 9
_CLOCK_NOISE = 1e-6  # sums of floats are a little off


class Priority(IntEnum):
    """Who goes first when a supplier's rate is short: buying and settling before syncing and looking."""

    PURCHASE = 0
    SETTLE = 1
    SYNC = 2
    USAGE = 3


# The share of the burst that each priority leaves for those before it.
RESERVED_SHARE: Mapping[Priority, float] = {
    Priority.PURCHASE: 0.0,
    Priority.SETTLE: 0.1,
    Priority.SYNC: 0.5,
    Priority.USAGE: 0.7,
}

# How long a call of each priority waits for a supplier that asked us to stay away.
LONGEST_WAIT: Mapping[Priority, float] = {
    Priority.PURCHASE: 5.0,
    Priority.SETTLE: 30.0,
    Priority.SYNC: 65.0,
    Priority.USAGE: 30.0,
}


# What is read in this task goes no sooner than so, whatever a plugin thinks of it.
_no_sooner: ContextVar[Priority] = ContextVar("no_sooner", default=Priority.PURCHASE)


@contextmanager
def no_sooner_than(priority: Priority) -> Iterator[None]:
    """Have every read of this task, and of those that it begins, let what has a higher priority go first."""
    before = _no_sooner.set(priority)
    try:
        yield
    finally:
        _no_sooner.reset(before)


def lowered(priority: Priority) -> Priority:
    """The priority of a read that would have this one by itself."""
    return max(priority, _no_sooner.get())


@dataclass(frozen=True, slots=True)
class Pace:
    """A rate as GCRA knows it: seconds between calls, and how many may come at once.

    Burst and interval together let at most ``per_minute`` calls into any minute, so that a supplier
    that counts in fixed windows never sees more, whenever its window begins.
    """

    interval: float
    burst: int

    @classmethod
    def of(cls, per_minute: int) -> Pace:
        """The pace of ``per_minute`` calls in any minute."""
        burst = max(1, per_minute // 6)
        return cls(interval=60 / max(1, per_minute - burst), burst=burst)

    def tolerance(self, priority: Priority) -> float:
        """How many seconds of calls may be ahead of the clock for this priority."""
        reserved = math.floor(self.burst * RESERVED_SHARE[priority])
        return (self.burst - 1 - reserved) * self.interval


@dataclass(frozen=True, slots=True)
class RateReport:
    """What an answer's headers say of the rate; seconds are from now, None where it does not say."""

    limit: int | None = None
    remaining: int | None = None
    resets_in: float | None = None
    retry_after: float | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str], now: datetime) -> RateReport:
        """Read ``X-RateLimit-*`` and ``Retry-After``; what is unreadable counts as not said."""
        lower = {name.lower(): value for name, value in headers.items()}
        return cls(
            limit=_whole(lower.get("x-ratelimit-limit"), least=1),
            remaining=_whole(lower.get("x-ratelimit-remaining"), least=0),
            resets_in=seconds_until(lower.get("x-ratelimit-reset"), now),
            retry_after=seconds_until(lower.get("retry-after"), now),
        )

    def wait(self) -> float | None:
        """Seconds to wait after a refusal for the rate: Retry-After, else the reset."""
        return self.retry_after if self.retry_after is not None else self.resets_in

    def blocks(self, status: int) -> float | None:
        """Seconds for which nothing should be sent after an answer of this status, None when it may go on."""
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return wait if (wait := self.wait()) is not None else UNNAMED_WAIT_SECONDS
        return self.resets_in if self.remaining == 0 else None


class Gate(Protocol):
    """What the transport asks before a call and tells after it."""

    async def admit(self, priority: Priority) -> None:
        """Wait until a call may be sent. Raises ``CircuitOpen`` when the supplier is known to be down."""

    async def observed(self, headers: Mapping[str, str], status: int) -> None:
        """An answer came: its headers may lower the rate."""

    async def succeeded(self) -> None:
        """The supplier answered, be it with a refusal."""

    async def failed(self, error: SupplierError) -> None:
        """The supplier was not reached, broke off, was too slow or reported a fault of its own."""

    async def probe(self) -> None:
        """Let the next call through once even if the breaker is open: how a sync looks whether it is back."""


def is_outage(error: SupplierError) -> bool:
    """Whether an error says that the supplier is down, rather than that it answered something."""
    return isinstance(error, NotReached | TimedOut | ConnectionLost | ServerFault)


def refuse_long_wait(supplier: str, priority: Priority, wait: float) -> None:
    """Raises ``RateLimited`` when ``wait`` seconds are more than a call of this priority waits."""
    if wait > LONGEST_WAIT[priority]:
        raise RateLimited("not called: its rate leaves no room in time", supplier=supplier, retry_after=wait)


def breaker_seconds(failures: int) -> float:
    """How long the breaker stays open after this many consecutive failures: doubling, bounded."""
    beyond = min(max(0, failures - BREAKER_FAILURES), 10)
    return min(BREAKER_MAX_SECONDS, BREAKER_SECONDS * 2.0**beyond)


def seconds_until(text: str | None, now: datetime) -> float | None:
    """Seconds from ``now`` until what a header names: seconds, a Unix time (also in ms) or an HTTP date.

    Never negative and never more than an hour; None when the text is none of these.
    """
    if text is None or not (word := text[:64].strip()):
        return None
    try:
        number = float(word)
    except ValueError:
        at = http_date(word)
        if at is None:
            return None
        number = at.timestamp()
    if not math.isfinite(number):
        return None
    if number >= _UNIX_MILLISECONDS:
        number /= 1000
    if number >= _UNIX_SECONDS:
        number -= now.timestamp()
    return min(max(number, 0.0), MAX_WAIT_SECONDS)


def http_date(text: str) -> datetime | None:
    """The moment that a header's date names; None for whatever else stands there."""
    try:
        at = parsedate_to_datetime(text[:64])
    except (ValueError, OverflowError):  # numbers that no date holds are the latter
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _whole(text: str | None, *, least: int) -> int | None:
    word = (text or "").strip()
    if not word.isascii() or not word.isdecimal() or len(word) > _MOST_DIGITS:
        return None
    return number if (number := int(word)) >= least else None


class MemoryGate:
    """A gate of one process. ``requests_per_minute`` None means no limit of our own."""

    def __init__(
        self, supplier: str = "", requests_per_minute: int | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.supplier = supplier
        self.per_minute = requests_per_minute
        self.failures = 0
        self.open_until: float | None = None
        self._clock = clock
        self._arrival = clock()
        self._blocked_until = self._arrival
        self._probe = False

    async def admit(self, priority: Priority) -> None:
        """As ``Gate.admit``."""
        now = self._clock()
        if self.open_until is not None and now < self.open_until and not self._probe:
            raise CircuitOpen(
                "not called: it failed too often", supplier=self.supplier, retry_after=self.open_until - now
            )
        self._probe = False
        while (wait := self._take(priority)) > 0:
            refuse_long_wait(self.supplier, priority, wait)
            await asyncio.sleep(wait)

    async def observed(self, headers: Mapping[str, str], status: int) -> None:
        """As ``Gate.observed``."""
        report = RateReport.of(headers, datetime.now(UTC))
        if wait := report.blocks(status):
            self._blocked_until = max(self._blocked_until, self._clock() + wait)
        if report.limit is not None and self.per_minute is not None:
            self.per_minute = min(self.per_minute, report.limit)

    async def succeeded(self) -> None:
        """As ``Gate.succeeded``."""
        self.failures = 0
        self.open_until = None

    async def failed(self, error: SupplierError) -> None:
        """As ``Gate.failed``."""
        if not is_outage(error):
            return
        self.failures += 1
        if self.failures >= BREAKER_FAILURES:
            self.open_until = self._clock() + breaker_seconds(self.failures)

    async def probe(self) -> None:
        """As ``Gate.probe``."""
        self._probe = True

    def _take(self, priority: Priority) -> float:
        now = self._clock()
        if now < self._blocked_until:
            return self._blocked_until - now
        if self.per_minute is None:
            return 0.0
        pace = Pace.of(self.per_minute)
        wait = self._arrival - pace.tolerance(priority) - now
        if wait > _CLOCK_NOISE:
            return wait
        self._arrival = max(self._arrival, now) + pace.interval
        return 0.0
