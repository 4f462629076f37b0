"""Failed log-ins in the database. An attempt is counted as failed before its secret is checked, and taken back after.

So a hundred attempts at once are no better than one after the other. ``gateway.access.login_limit_rules`` decides who
waits. Every transaction locks these rows before the user's own, so that none of them waits for another in a circle.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.access.login_limit_rules import (
    BACKOFF,
    FORGET_AFTER,
    NAME_WINDOW,
    Counter,
    NameFailure,
    counts_against_name,
    name_wait,
)
from gateway.kit.pool import Connection, Pool


@dataclass(frozen=True, slots=True)
class Attempt:
    """What an attempt is counted by: one counter, and for an unknown device the user whose name was given.

    ``tried`` is the address, the device's id or the session's digest. ``user_id`` is None for a name that nobody has.
    """

    counter: Counter
    tried: str
    user_id: str | None

    @property
    def own(self) -> bool:
        """Whether the counter belongs to the user: a known device or a session."""
        return self.counter != "address"


@dataclass(frozen=True, slots=True)
class Counted:
    """A counted attempt. ``wait`` above 0 means that it was refused and not counted: seconds until the next one.

    ``name_row`` is its row against the user name; ``locked`` says that this very attempt locked the name.
    """

    attempt: Attempt
    wait: int = 0
    name_row: int | None = None
    locked: bool = False


async def count(pool: Pool, attempt: Attempt) -> Counted:
    """Count an attempt as failed unless it has to wait."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("DELETE FROM login_failures WHERE last_at < now() - $1::interval", FORGET_AFTER)
        await connection.execute("DELETE FROM login_name_failures WHERE at < now() - $1::interval", NAME_WINDOW)
        failures, wait = await _standing(connection, attempt)
        if wait:
            return Counted(attempt, wait)
        if attempt.own:
            await _write(connection, attempt, failures + 1)
            return Counted(attempt)
        counted = await _count_against_name(connection, attempt)
        if not counted.wait:
            await _write(connection, attempt, failures + 1)
        return counted


async def take_back(connection: Connection, counted: Counted) -> None:
    """Undo ``count``: the secret was right, or was not checked at all. Earlier failures stand."""
    await connection.execute(
        """UPDATE login_failures SET failures = greatest(failures - 1, 0), blocked_until = NULL
           WHERE kind = $1 AND tried = $2""",
        counted.attempt.counter,
        counted.attempt.tried,
    )
    if counted.name_row is not None:
        await connection.execute("DELETE FROM login_name_failures WHERE id = $1", counted.name_row)


async def forget(connection: Connection, counted: Counted) -> None:
    """Undo ``count`` and forget this device's or session's failures, or what this address failed as this user."""
    await take_back(connection, counted)
    attempt = counted.attempt
    if attempt.own:
        await connection.execute(
            "DELETE FROM login_failures WHERE kind = $1 AND tried = $2", attempt.counter, attempt.tried
        )
    else:
        await connection.execute(
            "DELETE FROM login_name_failures WHERE user_id = $1 AND address = $2", attempt.user_id, attempt.tried
        )


async def unlock(connection: Connection, user_id: str) -> int:
    """Forget every failure that keeps a user waiting, on any device; how many there were."""
    named = await connection.fetch("DELETE FROM login_name_failures WHERE user_id = $1 RETURNING 1", user_id)
    own = await connection.fetch("DELETE FROM login_failures WHERE user_id = $1 RETURNING failures", user_id)
    return len(named) + sum(int(row["failures"]) for row in own)


async def _standing(connection: Connection, attempt: Attempt) -> tuple[int, int]:
    """Failures so far, and seconds to wait. The counter's row stays locked until the transaction ends."""
    row = await connection.fetchrow(
        """INSERT INTO login_failures AS f (kind, tried, failures, last_at, user_id) VALUES ($1, $2, 0, now(), $3)
           ON CONFLICT (kind, tried) DO UPDATE SET last_at = now()
           RETURNING failures, ceil(extract(epoch FROM blocked_until - now()))::int AS wait""",
        attempt.counter,
        attempt.tried,
        attempt.user_id if attempt.own else None,
    )
    return (0, 0) if row is None else (row["failures"], max(0, row["wait"] or 0))


async def _write(connection: Connection, attempt: Attempt, failures: int) -> None:
    wait = BACKOFF[attempt.counter].wait(failures)
    await connection.execute(
        """UPDATE login_failures SET failures = $3,
                  blocked_until = CASE WHEN $4 > 0 THEN now() + make_interval(secs => $4) END
           WHERE kind = $1 AND tried = $2""",
        attempt.counter,
        attempt.tried,
        failures,
        float(wait),
    )


async def _count_against_name(connection: Connection, attempt: Attempt) -> Counted:
    # One attempt on a name after the other: each sees those before it. A name that nobody has (None) takes the same
    # statements and matches no row.
    await connection.execute("SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE", attempt.user_id)
    rows = await connection.fetch(
        "SELECT address, at FROM login_name_failures WHERE user_id = $1 ORDER BY id", attempt.user_id
    )
    now: datetime = await connection.fetchval("SELECT clock_timestamp()")
    failures = [NameFailure(row["address"], row["at"]) for row in rows]
    if wait := name_wait(failures, now):
        return Counted(attempt, wait)
    if not counts_against_name(failures, attempt.tried, now):
        return Counted(attempt)
    row_id = await connection.fetchval(
        """INSERT INTO login_name_failures (user_id, address, at)
           SELECT id, $2, $3 FROM users WHERE id = $1 RETURNING id""",
        attempt.user_id,
        attempt.tried,
        now,
    )
    locked = name_wait([*failures, NameFailure(attempt.tried, now)], now) > 0
    return Counted(attempt, name_row=row_id, locked=locked)
