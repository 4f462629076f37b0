"""The circuit breaker of one supplier as a process remembers it.

It opens after some outages in a row. A purchase is never its probe: it is refused while the breaker is open. A poll
of an order always passes, and any answer closes it. Ambiguous purchases (time-outs, resets, 5xx on writes) count
towards opening it, but only failures of reads or of connecting keep it open for longer than ``BREAKER_SECONDS``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from providers.kit.supplier_rate import Priority
from schemas.errors import NotReached, SupplierError

BREAKER_FAILURES = 5
BREAKER_SECONDS = 30.0
BREAKER_MAX_SECONDS = 600.0
# After this long without a result a probe counts as lost: its process was killed.
PROBE_SECONDS = 120.0
# A probe that takes longer than this no longer keeps a process from sending one of its own.
SLOW_PROBE_SECONDS = 5.0
# A process sends at most one probe in this time.
PROBE_EVERY_SECONDS = 2.0
# What purchases are told to wait while a probe is out: its answer may come at any moment.
PROBING_WAIT_SECONDS = 1.0


class BreakerState(StrEnum):
    """As in the column ``supplier_breakers.state``."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Passage(StrEnum):
    """What the breaker says to one call: it may go, it may go as the one probe, or it is refused."""

    GO = "go"
    PROBE = "probe"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerRow:
    """A row of ``supplier_breakers``; times are seconds from when it was read."""

    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    read_failures: int = 0
    retry_in: float | None = None
    changed_ago: float = 0.0
    last_error: str | None = None


def breaker_seconds(read_failures: int) -> float:
    """How long the breaker stays open after this many consecutive failures of reads: doubling, bounded."""
    beyond = min(max(0, read_failures - BREAKER_FAILURES), 10)
    return min(BREAKER_MAX_SECONDS, BREAKER_SECONDS * 2.0**beyond)


def is_read_failure(error: SupplierError, *, write: bool) -> bool:
    """Whether a failure says that the supplier does not answer at all, rather than that one write is ambiguous."""
    return not write or isinstance(error, NotReached)


class Breaker:
    """State and counts, in the time of the caller's clock (seconds). ``version`` changes with every own change."""

    def __init__(self, *, writes_may_probe: bool = False) -> None:
        self.writes_may_probe = writes_may_probe
        self.state = BreakerState.CLOSED
        self.failures = 0
        self.read_failures = 0
        self.last_error: str | None = None
        self.version = 0
        self._retry_at = 0.0
        self._changed_at = 0.0
        self._probed_at = float("-inf")
        self._probe_requested = False

    @property
    def is_clean(self) -> bool:
        """Whether it is closed and counts no failure, so that a success changes nothing."""
        return self.state is BreakerState.CLOSED and self.failures == 0

    def request_probe(self) -> None:
        """Let the next read be the probe although the time for it has not come."""
        self._probe_requested = True

    def passage(self, now: float, priority: Priority, *, write: bool) -> Passage:
        """Whether a call may go. A requested probe is used up by the read that asks."""
        if self.state is BreakerState.CLOSED:
            return Passage.GO
        if write or priority is Priority.PURCHASE:
            return Passage.PROBE if self.writes_may_probe and self._may_probe(now) else Passage.REFUSED
        if priority is Priority.SETTLE:
            return Passage.GO
        requested, self._probe_requested = self._probe_requested, False
        requested = requested and self.state is BreakerState.OPEN
        return Passage.PROBE if requested or self._may_probe(now) else Passage.REFUSED

    def retry_in(self, now: float) -> float:
        """Seconds until it may be probed; 0.0 when that time has come."""
        return max(0.0, self._retry_at - now) if self.state is BreakerState.OPEN else 0.0

    def purchase_blocked_for(self, now: float) -> float:
        """Seconds for which purchases are refused: 0.0 when it is closed, never 0.0 while it is not."""
        if self.state is BreakerState.CLOSED or (self.writes_may_probe and self._may_probe(now)):
            return 0.0
        return max(PROBING_WAIT_SECONDS, self.retry_in(now))

    def probe_due(self, now: float) -> bool:
        """Whether this process should send a read as probe now: True at most once in ``PROBE_EVERY_SECONDS``."""
        if self.state is BreakerState.CLOSED or now - self._probed_at < PROBE_EVERY_SECONDS:
            return False
        if self.state is BreakerState.OPEN and now < self._retry_at:
            return False
        if self.state is BreakerState.HALF_OPEN and now - self._changed_at < SLOW_PROBE_SECONDS:
            return False
        self._probed_at = now
        return True

    def start_probe(self, now: float) -> None:
        """One call is the probe; the others are refused until it is back, polls of orders excepted."""
        if self.state is not BreakerState.CLOSED:
            self.state, self._changed_at = BreakerState.HALF_OPEN, now
            self.version += 1

    def fail(self, now: float, error: SupplierError, *, write: bool) -> bool:
        """Count an outage. False when it changes nothing: the call was on its way when the breaker opened."""
        if not self._counts(now, write=write):
            return False
        self.failures += 1
        self.read_failures += is_read_failure(error, write=write)
        self.last_error = described(error)
        if self.state is not BreakerState.CLOSED or self.failures >= BREAKER_FAILURES:
            self.state, self._changed_at = BreakerState.OPEN, now
            self._retry_at = now + breaker_seconds(self.read_failures)
        self.version += 1
        return True

    def succeed(self, now: float) -> bool:
        """The supplier answered. False when that changes nothing."""
        if self.is_clean:
            return False
        self.state, self.failures, self.read_failures = BreakerState.CLOSED, 0, 0
        self._changed_at, self._probe_requested = now, False
        self.version += 1
        return True

    def load(self, now: float, row: BreakerRow) -> None:
        """Take over what the shared row says."""
        self.state, self.failures, self.read_failures = row.state, row.failures, row.read_failures
        self.last_error = row.last_error
        self._retry_at = now + (row.retry_in or 0.0)
        self._changed_at = now - row.changed_ago

    def _counts(self, now: float, *, write: bool) -> bool:
        if self.state is BreakerState.CLOSED:
            return True
        # A write that fails now was sent before the breaker opened, unless writes may be the probe.
        answers_a_probe = not write or self.writes_may_probe
        return answers_a_probe and (self.state is BreakerState.HALF_OPEN or now >= self._retry_at)

    def _may_probe(self, now: float) -> bool:
        if self.state is BreakerState.OPEN:
            return now >= self._retry_at
        return now - self._changed_at >= PROBE_SECONDS


def described(error: SupplierError) -> str:
    """What operators read of the failure that opened a breaker."""
    return f"{error.code}: {error}"
