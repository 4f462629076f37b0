"""How suppliers do, as JSON: our money there, figures of their answers, the queue of jobs, the settings in force."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from schemas.api import Amount, Price, SupplierName
from schemas.examples import AT, example
from schemas.page import Page


class LastSync(msgspec.Struct, frozen=True):
    """The last look at a supplier's catalogue; ``good_at`` is when one was last taken over whole."""

    state: Annotated[Literal["ok", "failed", "quarantined"] | None, example("ok")]
    at: Annotated[datetime | None, example(AT)]
    good_at: Annotated[datetime | None, example(AT)]


class Breaker(msgspec.Struct, frozen=True):
    """Whether calls to a supplier are let through."""

    state: Annotated[Literal["closed", "open", "half_open"], example("closed")]
    failures: int
    retry_at: datetime | None
    last_error: str | None


class SupplierRateLimit(msgspec.Struct, frozen=True):
    """What a supplier allows, and what it last said of it."""

    per_minute: Annotated[int | None, example(60)]
    reported_limit: Annotated[int | None, example(60)]
    remaining: Annotated[int | None, example(57)]
    resets_at: Annotated[datetime | None, example("2026-11-20T10:01:00Z")]
    blocked_until: datetime | None


class SupplierProblem(msgspec.Struct, frozen=True):
    """One thing that is the matter with a supplier; ``until`` is when it ends by itself, null where that is not known.

    ``balance``: our money there does not suffice. ``expired``: its offers are too old to be sold, ``stale``: they are
    old. ``success_rate``: few purchases of the last hour succeeded.
    """

    cause: Annotated[
        Literal[
            "stop", "not_configured", "pause", "balance", "expired", "breaker", "quarantine", "stale", "success_rate"
        ],
        example("pause"),
    ]
    reason: Annotated[str, example("an operator paused it")]
    until: datetime | None


class Supplier(msgspec.Struct, frozen=True):
    """One supplier account. ``offers`` counts what is in the catalogue, ``set_aside`` what could not be mapped.

    ``state`` is that of the worst of its ``problems``, which stand in that order: ``stopped`` and ``paused`` by
    operators or for its account, ``degraded`` for everything else.
    """

    name: SupplierName
    provider: Annotated[str, example("pikasim")]
    mode: Annotated[Literal["live", "test"], example("live")]
    state: Annotated[Literal["ok", "degraded", "paused", "stopped"], example("ok")]
    configured: Annotated[bool, example(True)]
    capabilities: Annotated[list[str], example(["catalog", "orders"])]
    last_sync: LastSync | None
    offers: Annotated[int, example(2310)]
    set_aside: Annotated[int, example(12)]
    balance: Annotated[Price | None, example({"amount": "412.50"})]
    breaker: Breaker
    rate_limit: SupplierRateLimit
    problems: Annotated[tuple[SupplierProblem, ...], example([])]


class SupplierWallet(msgspec.Struct, frozen=True):
    """One account of several at a supplier; ``currency`` is its own word where it is none of ISO 4217."""

    name: str
    amount: Amount
    currency: str


class SupplierBalance(msgspec.Struct, frozen=True, kw_only=True):
    """Our money at one supplier as it was last seen, ``at``.

    ``spendable`` counts credit and reservations: ``credit`` may be spent beyond the balance, ``reserved`` may not be
    spent; null where the supplier does not say. ``room`` is what can be spent now, in base currency: ``spendable`` less
    what went since. An offer that may cost more than it is not sold. ``asked_at`` is the last look, ``error`` why it
    told nothing.
    ``spent_per_day`` is of the last 14 days by the ledger, or of fewer when the first purchase was later;
    ``days_left`` is ``spendable`` at that pace, null when nothing is spent. ``why_none``: why there is no balance.
    """

    supplier: SupplierName
    balance: Annotated[Price | None, example({"amount": "412.50"})]
    spendable: Annotated[Price | None, example({"amount": "912.50"})]
    room: Annotated[Price | None, example({"amount": "907.32"})]
    reserved: Annotated[Price | None, example(None)]
    credit: Annotated[Price | None, example({"amount": "500.00"})]
    wallets: Annotated[list[SupplierWallet], example([])]
    at: Annotated[datetime | None, example(AT)]
    asked_at: Annotated[datetime | None, example(AT)]
    error: str | None
    spent_per_day: Annotated[Price | None, example({"amount": "61.20"})]
    days_left: Annotated[float | None, example(14.9)]
    why_none: str | None


class OrderFigures(msgspec.Struct, frozen=True):
    """Purchases and top-ups of the last ``hours``, the newest 1,000 at most.

    ``success_rate`` is of those that ended. ``p50_ms`` and ``p95_ms`` are of the supplier's answers.
    """

    hours: Annotated[int, example(24)]
    attempts: Annotated[int, example(212)]
    succeeded: Annotated[int, example(208)]
    failed: Annotated[int, example(3)]
    open: Annotated[int, example(1)]
    success_rate: Annotated[float | None, example(0.9858)]
    p50_ms: Annotated[int | None, example(420)]
    p95_ms: Annotated[int | None, example(1870)]


class SyncFigures(msgspec.Struct, frozen=True):
    """The last 50 syncs; ``p50_ms`` and ``p95_ms`` are of those that were taken over."""

    syncs: Annotated[int, example(50)]
    ok: Annotated[int, example(50)]
    success_rate: Annotated[float | None, example(1.0)]
    p50_ms: Annotated[int | None, example(4210)]
    p95_ms: Annotated[int | None, example(6120)]


class StopShown(msgspec.Struct, frozen=True):
    """Why a supplier sells nothing; ``everything``: it is the stop of all suppliers."""

    reason: Literal["person", "restored", "account"]
    note: str
    everything: bool
    created_at: datetime


class SupplierFigures(msgspec.Struct, frozen=True):
    """One supplier in figures. ``why_not`` counts offers by what keeps them from sale, null without a catalogue."""

    supplier: Supplier
    freshness: Annotated[Literal["fresh", "stale", "expired"], example("fresh")]
    orders: OrderFigures
    syncs: SyncFigures
    open_attempts: Annotated[int, example(1)]
    selectable: Annotated[int | None, example(2291)]
    why_not: Annotated[dict[str, int] | None, example({"out_of_stock": 16, "suspect_price": 3})]
    stops: Annotated[list[StopShown], example([])]
    balance: SupplierBalance


class Job(msgspec.Struct, frozen=True):
    """A job that waits or runs; ``about`` says what it is to do. ``due_at`` is the earliest that it may begin."""

    id: Annotated[int, example(8812)]
    kind: Annotated[str, example("sync")]
    state: Annotated[Literal["queued", "picked", "failed"], example("queued")]
    about: Annotated[str, example("pikasim")]
    created_at: datetime
    due_at: Annotated[datetime, example("2026-11-20T10:00:02Z")]
    attempts: int
    heartbeat_at: datetime | None


class JobKind(msgspec.Struct, frozen=True):
    """The jobs of one kind: how many wait, of those ``late`` that could have begun, how many run.

    ``failed`` and ``done`` are of the last 24 hours. ``oldest_at``: since when the oldest that could begin waits.
    """

    kind: Annotated[str, example("sync")]
    waiting: Annotated[int, example(1)]
    late: int
    running: int
    failed: int
    done: Annotated[int, example(424)]
    oldest_at: datetime | None


class Schedule(msgspec.Struct, frozen=True):
    """What is done again and again. ``overdue``: its next run is more than a minute past."""

    name: Annotated[str, example("sync_if_due")]
    expression: Annotated[str, example("* * * * * */5")]
    last_run_at: Annotated[datetime | None, example(AT)]
    next_run_at: Annotated[datetime, example("2026-11-20T10:00:05Z")]
    overdue: bool


class JobFailure(msgspec.Struct, frozen=True):
    """A job that ended with a fault; ``error`` names its kind, for its words may say too much."""

    job_id: Annotated[int, example(8701)]
    kind: Annotated[str, example("sync")]
    at: datetime
    error: Annotated[str, example("TimeoutError")]


class JobPage(Page[Job], frozen=True):
    """A page of the jobs that wait or run, the oldest first, and what is known of the queue as a whole."""

    kinds: list[JobKind]
    schedules: list[Schedule]
    failures: list[JobFailure]


class Setting(msgspec.Struct, frozen=True):
    """A setting in force. ``value`` is null for a secret, of which only ``is_set`` is told.

    ``source``: where it comes from; "start" is the command that started this process.
    """

    name: Annotated[str, example("sync.interval_seconds")]
    value: Annotated[str | None, example("900")]
    secret: bool
    is_set: Annotated[bool, example(True)]
    source: Annotated[Literal["default", "file", "environment", "start"], example("default")]
    meaning: Annotated[str, example("How often suppliers are synced. Offers are stale after two intervals.")]
