"""Whether each attempt of unknown end was polled in time, measured from the database while everything is killed.

An observer samples the open attempts a few times a second. The schedule counts from the send: an attempt that is still
unknown at one of its ages must have been polled soon after it. Time in which no worker could have done it (all were
killed or frozen or still starting, or PostgreSQL was down) does not count.
"""

from __future__ import annotations

import asyncio
import bisect
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import asyncpg

from gateway.kit.pool import DATABASE_DOWN
from tests.chaos.machine import Machine, runs

LATEST_SECONDS = 10.0  # of the workers' living time
SAMPLE_SECONDS = 0.25
FOLLOWED = frozenset({"unknown", "accepted"})
_OPEN = """
SELECT a.id, a.state, a.signed_at, o.step, o.polls
FROM attempts a JOIN orders o ON o.id = a.order_id
WHERE a.state IN ('sending', 'unknown', 'accepted') AND o.status IN ('pending', 'cancel_pending')
"""
# A worker that is starting does nothing yet; with its first heartbeat it lives.
_WORKERS = "SELECT pid FROM workers WHERE seen_at > now() - interval '1 minute'"


@dataclass(frozen=True)
class Sample:
    """An open attempt as it was seen at one moment; ``version`` changes with each poll and each change."""

    at: float
    state: str
    version: tuple[int, int]


@dataclass
class FollowedAttempt:
    """What was seen of one attempt. ``closed_at`` is when it was first seen to be open no more."""

    sent_at: float
    samples: list[Sample] = field(default_factory=list)
    closed_at: float | None = None


@dataclass
class LivingTime:
    """When workers lived: moments in order, each with whether one did."""

    moments: list[tuple[float, bool]] = field(default_factory=list)

    def add(self, at: float, *, living: bool) -> None:
        """Note one moment."""
        self.moments.append((at, living))

    def between(self, begin: float, end: float) -> float:
        """Seconds of living time: of each stretch between two moments at both of which a worker lived."""
        first = max(0, bisect.bisect_left(self.moments, (begin, False)) - 1)
        total = 0.0
        for (start, lived), (stop, lives) in itertools.pairwise(self.moments[first:]):
            if start >= end:
                break
            if lived and lives:
                total += max(0.0, min(stop, end) - max(start, begin))
        return total


def late_polls(
    attempts: dict[str, FollowedAttempt], living: LivingTime, ages: Sequence[float], every: float, end: float
) -> dict[str, float]:
    """By attempt, the most seconds of living time by which a poll was late; those in time are 0."""
    return {
        name: max((_late_by(attempt, due, living, end) for due in _due_at(attempt, ages, every, end)), default=0.0)
        for name, attempt in attempts.items()
    }


def _due_at(attempt: FollowedAttempt, ages: Sequence[float], every: float, end: float) -> Iterator[float]:
    """The moments at which a poll was due: those of the schedule at which its end was still unknown."""
    last = attempt.closed_at if attempt.closed_at is not None else end
    for age in itertools.chain(ages, itertools.count(ages[-1] + every, every)):
        due = attempt.sent_at + age
        if due >= last:
            return
        if _seen_at(attempt, due).state in FOLLOWED:
            yield due


def _seen_at(attempt: FollowedAttempt, moment: float) -> Sample:
    """The last sample before a moment, the first one where there is none."""
    index = bisect.bisect_right(attempt.samples, moment, key=lambda sample: sample.at)
    return attempt.samples[max(0, index - 1)]


def _late_by(attempt: FollowedAttempt, due: float, living: LivingTime, end: float) -> float:
    before = _seen_at(attempt, due)
    done = next((one.at for one in attempt.samples if one.at > due and one.version != before.version), None)
    return living.between(due, done or attempt.closed_at or end)


class PollObserver:
    """Samples a machine until it is cancelled."""

    def __init__(self, machine: Machine) -> None:
        self.attempts: dict[str, FollowedAttempt] = {}
        self.living = LivingTime()
        self._machine = machine

    async def run(self) -> None:
        """Sample for ever, whatever becomes of the database."""
        while True:
            connection = None
            try:
                connection = await asyncpg.connect(self._machine.database_url, timeout=5)
                while True:
                    async with asyncio.timeout(5):
                        await self._sample(connection)
                    await asyncio.sleep(SAMPLE_SECONDS)
            except DATABASE_DOWN:
                self.living.add(_now(), living=False)
                await asyncio.sleep(SAMPLE_SECONDS)
            finally:
                if connection is not None:
                    connection.terminate()

    async def _sample(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        rows = await connection.fetch(_OPEN)
        pids = {row["pid"] for row in await connection.fetch(_WORKERS)}
        at = _now()
        living = any(
            process.pid in pids and runs(process.pid) and self._machine.is_reached(number)
            for number, process in enumerate(self._machine.workers)
        )
        self.living.add(at, living=living)
        seen = set()
        for row in rows:
            seen.add(row["id"])
            attempt = self.attempts.setdefault(row["id"], FollowedAttempt(row["signed_at"].timestamp()))
            attempt.closed_at = None
            attempt.samples.append(Sample(at, row["state"], (row["step"], row["polls"])))
        for name, attempt in self.attempts.items():
            if name not in seen and attempt.closed_at is None:
                attempt.closed_at = at

    def late(self, slowness: float = 1.0) -> dict[str, float]:
        """The attempts whose polls were too late for so slow a machine, with by how many seconds."""
        return {name: late for name, late in self._lateness().items() if late > LATEST_SECONDS * slowness}

    @property
    def living_seconds(self) -> float:
        """How long a worker lived. In no more than ``LATEST_SECONDS`` no poll could be late."""
        moments = self.living.moments
        return self.living.between(moments[0][0], moments[-1][0]) if moments else 0.0

    @property
    def latest(self) -> float:
        """By how many seconds of living time the latest poll was late."""
        return max(self._lateness().values(), default=0.0)

    def _lateness(self) -> dict[str, float]:
        plan = self._machine.plan
        return late_polls(self.attempts, self.living, plan.poll_ages, plan.poll_every, _now())


def _now() -> float:
    return datetime.now(UTC).timestamp()
