"""What is degraded about processing orders: no worker, orders overdue. Pure; the same words everywhere.

`stale_rates` is reported beside them: `gateway.pricing.rate_rules` decides on it.

``/readyz``, ``doctor``, the metrics and the alerts report it from the orders themselves and from workers' heartbeats,
so that a queue or a scheduler that stopped is seen whatever it says of itself.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

HealthWord: TypeAlias = Literal["no_worker", "orders_overdue", "stale_rates"]
WORKER_SECONDS = 60.0  # without a heartbeat for so long, no worker is there; one is written every 10 seconds
OVERDUE_SECONDS = 60.0  # so long after its time an order is overdue; a living worker is late by a few seconds
MOST_COUNTED = 10_000  # overdue orders are counted to this many: a count must stay cheap when it is bad


class OverdueOrder(msgspec.Struct, frozen=True):
    """An order that nobody processed at its time."""

    id: str
    due_at: datetime


class OrderHealth(msgspec.Struct, frozen=True, kw_only=True):
    """What the database tells. ``worker_seen_seconds`` is the age of the newest heartbeat, None without any.

    ``overdue_test`` of the overdue orders are of test mode. ``oldest`` are the first, the longest overdue first.
    """

    worker_seen_seconds: float | None
    overdue: int = 0
    overdue_test: int = 0
    oldest: tuple[OverdueOrder, ...] = ()


class Degradation(msgspec.Struct, frozen=True):
    """Something that does not work, by its word, with the reason."""

    word: HealthWord
    reason: str


def degradations(health: OrderHealth, watched_seconds: float) -> list[Degradation]:
    """What is degraded. Where no worker was ever seen, that counts once it was watched for ``watched_seconds``."""
    found: list[Degradation] = []
    if seconds_without_worker(health, watched_seconds) >= WORKER_SECONDS:
        seen = health.worker_seen_seconds
        reason = "no worker has ever been seen" if seen is None else f"no worker has been seen for {seen:.0f} s"
        found.append(Degradation("no_worker", reason))
    if health.overdue:
        count = f"{health.overdue}" + (" or more" if health.overdue >= MOST_COUNTED else "")
        noun = "order is" if health.overdue == 1 else "orders are"
        found.append(Degradation("orders_overdue", f"{count} {noun} overdue by more than {OVERDUE_SECONDS:.0f} s"))
    return found


def seconds_without_worker(health: OrderHealth, watched_seconds: float) -> float:
    """How long ago a worker was last seen; since the watch began where none ever was."""
    seen = health.worker_seen_seconds
    return watched_seconds if seen is None else max(0.0, seen)
