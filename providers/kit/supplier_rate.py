"""The rate limiter in front of a supplier: how fast it may be called, and whether it is worth calling now.

``SupplierRateLimiter`` is what the transport and the order engine need of it. ``providers.kit.rate_limiter`` has the
machinery and the limiter of one process; the one that all processes share leases its tokens from a row in the
database and lives with the gateway's store.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import IntEnum
from http import HTTPStatus
from typing import Protocol

from schemas.errors import ConnectionLost, NotReached, RateLimited, ServerFault, SupplierError, TimedOut

# What a supplier may ask us to wait at most; a wrong header must not stop it for a day.
MAX_WAIT_SECONDS = 3600.0
# A refusal for the rate that names no time.
UNNAMED_WAIT_SECONDS = 2.0
# From here on a number is not seconds from now but a Unix time, and from the second one in milliseconds.
_UNIX_SECONDS = 1_000_000_000
_UNIX_MILLISECONDS = 100_000_000_000
_MOST_DIGITS = 9
# A process keeps leased tokens for so long at most, so that they cannot pile up.
LEASE_SECONDS = 1
# More tokens than this are never leased at once.
LEASE_TOKENS = 32


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


# What breaks off in this task was meant to and says nothing of the supplier.
_faults_apart: ContextVar[bool] = ContextVar("faults_apart", default=False)


@contextmanager
def faults_apart(apart: bool) -> Iterator[None]:
    """Where ``apart``, keep outages of this task's calls from the breaker: a sandbox's triggers are no outages."""
    before = _faults_apart.set(apart)
    try:
        yield
    finally:
        _faults_apart.reset(before)


def faults_are_apart() -> bool:
    """Whether an outage that this task meets counts for nothing."""
    return _faults_apart.get()


def lowered(priority: Priority) -> Priority:
    """The priority of a read that would have this one by itself."""
    return max(priority, _no_sooner.get())


@dataclass(frozen=True, slots=True)
class Pace:
    """A rate as GCRA knows it: seconds between calls, how many may come at once, how many a lease may take.

    A leased token is used up to ``LEASE_SECONDS`` after it was taken. Burst and interval therefore let at most
    ``per_minute`` tokens into any minute and one such time more: a supplier that counts in fixed windows never sees
    more, whenever its window begins. In the long run it is 5/6 of the limit.
    """

    interval: float
    burst: int
    lease: int

    @classmethod
    def of(cls, per_minute: int) -> Pace:
        """The pace of ``per_minute`` calls in any minute. The function ``lease_supplier_tokens`` reckons the same."""
        sustained = max(1, per_minute - max(1, per_minute // 6))
        window = 60 + LEASE_SECONDS
        if per_minute == 1:
            return cls(interval=float(window), burst=1, lease=1)
        return cls(
            interval=60 / sustained,
            burst=per_minute - window * sustained // 60,
            lease=max(1, min(LEASE_TOKENS, sustained // 60)),
        )

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


class SupplierRateLimiter(Protocol):
    """What the transport asks before a call and reports after it, and what the order engine takes tokens from.

    A purchase takes its token before its attempt is written (``try_acquire``, else ``acquire``), because the
    attempt's deadline begins then, and is sent within ``token_held``. Every other call takes one in ``admit``.
    """

    def try_acquire(self, storefront_id: str) -> bool:
        """Take a token for a purchase at once, from memory; never a database call.

        False when a purchase waits already, when no token is leased, or when the supplier asked us to stay away.
        The breaker is not looked at: ask ``purchase_blocked_for`` first, and again after waiting in ``acquire``.
        """

    async def acquire(self, storefront_id: str, since: datetime, timeout: float) -> bool:  # noqa: ASYNC109 - False, not an error
        """Wait until it is this purchase's turn, for ``timeout`` seconds at most; False when the time ran out.

        Storefronts take turns, over all processes that share the rate; the oldest (``since``) of a storefront goes
        first. A cancelled caller loses no token.
        Raises what the database raises when tokens cannot be leased.
        """

    def release(self) -> None:
        """Give back a token that was acquired and is not used. It still expires with its lease."""

    def purchase_blocked_for(self) -> float:
        """Seconds for which no purchase should be sent, from memory: open breaker or 429. 0.0 means: go.

        Never 0.0 while the breaker is open. What another process found is known 1 to 2 s later.
        """

    def probe_due(self) -> bool:
        """Whether somebody should now probe an open breaker with a read at ``Priority.SETTLE``.

        Purchases never probe, so without reads nobody would. True once per process in 2 s at most.
        """

    async def admit(self, priority: Priority, *, write: bool = False) -> None:
        """Wait until a call may be sent. A purchase within ``token_held`` uses that token and waits for none.

        Raises ``CircuitOpen`` when the breaker is open (a read at ``Priority.SETTLE`` always passes),
        ``RateLimited`` when the wait is too long for this priority, ``RateLimiterUnavailable`` when a purchase
        cannot be counted. In all three cases nothing was sent.
        """

    async def observed(self, headers: Mapping[str, str], status: int) -> None:
        """An answer came: its headers may lower the rate."""

    async def succeeded(self) -> None:
        """The supplier answered, be it with a refusal: the breaker closes."""

    async def failed(self, error: SupplierError, *, write: bool = False) -> None:
        """The supplier was not reached, broke off, was too slow or reported a fault of its own.

        A failed ``write`` counts, but does not keep the breaker open for longer than 30 s, unless the supplier was
        not reached at all.
        """

    async def probe(self) -> None:
        """Let the next read through once even if the breaker is open: how a sync finds out whether it is back."""

    async def refresh(self) -> None:
        """Read the shared state now, rather than within the next second."""

    async def close(self) -> None:
        """Write what is not written yet and end the background tasks. Whoever still waits is refused."""


@dataclass(slots=True, eq=False)
class HeldToken:
    """A token that the task holds for its next purchase; ``used`` once a call was admitted with it."""

    used: bool = False


_held_token: ContextVar[HeldToken | None] = ContextVar("held_token", default=None)


@contextmanager
def token_held() -> Iterator[HeldToken]:
    """Let the next purchase that this task sends use the token that was acquired for it.

    A token that is not ``used`` afterwards may be given back with ``release``.
    """
    token = HeldToken()
    before = _held_token.set(token)
    try:
        yield token
    finally:
        _held_token.reset(before)


def held_token() -> HeldToken | None:
    """The token that this task holds and has not used; None when there is none."""
    token = _held_token.get()
    return None if token is None or token.used else token


def is_outage(error: SupplierError) -> bool:
    """Whether an error says that the supplier is down, rather than that it answered something."""
    return isinstance(error, NotReached | TimedOut | ConnectionLost | ServerFault)


def refuse_long_wait(supplier: str, priority: Priority, wait: float) -> None:
    """Raises ``RateLimited`` when ``wait`` seconds are more than a call of this priority waits."""
    if wait > LONGEST_WAIT[priority]:
        raise RateLimited("not called: its rate leaves no room in time", supplier=supplier, retry_after=wait)


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
