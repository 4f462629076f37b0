"""What a domain has workers do, declared in its ``jobs.py``: again and again, or for as long as a worker lives.

A schedule is a frequent question whether something is due, not an appointment: a run that was missed costs time and
nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from gateway.kit.pool import Pool
from gateway.kit.settings import Settings

D = TypeVar("D")

# PgQueuer's cron: the sixth field is seconds.
EVERY_2_SECONDS = "* * * * * */2"
EVERY_5_SECONDS = "* * * * * */5"
EVERY_10_SECONDS = "* * * * * */10"
EVERY_MINUTE = "* * * * *"
EVERY_10_MINUTES = "*/10 * * * *"


@dataclass(frozen=True, slots=True)
class JobContext(Generic[D]):
    """What jobs work with: ``pool`` is for what is short and must not wait for orders, ``stop`` ends the worker."""

    deps: D
    settings: Settings
    pool: Pool
    dsn: str
    stop: asyncio.Event


class PeriodicJob(NamedTuple):
    """Something that a worker does again and again, given a ``JobContext``. Of several workers one runs it at a time.

    Where its name says "if due", who was asked a short while ago is left alone.
    """

    name: str
    cron: str
    run: Callable[[Any], Awaitable[object]]


class ContinuousJob(NamedTuple):
    """Something that each worker does, given a ``JobContext``, until ``stop`` is set.

    It waits for a database that is away.
    """

    name: str
    run: Callable[[Any], Awaitable[None]]
