"""How suppliers do, as JSON: our money there, figures of their answers, the queue of jobs, the settings in force."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from schemas.api import Amount, Price, Supplier, SupplierName
from schemas.page import Page


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
    balance: Price | None
    spendable: Price | None
    room: Price | None
    reserved: Price | None
    credit: Price | None
    wallets: list[SupplierWallet]
    at: datetime | None
    asked_at: datetime | None
    error: str | None
    spent_per_day: Price | None
    days_left: float | None
    why_none: str | None


class OrderFigures(msgspec.Struct, frozen=True):
    """Purchases and top-ups of the last ``hours``, the newest 1,000 at most.

    ``success_rate`` is of those that ended. ``p50_ms`` and ``p95_ms`` are of the supplier's answers.
    """

    hours: int
    attempts: int
    succeeded: int
    failed: int
    open: int
    success_rate: float | None
    p50_ms: int | None
    p95_ms: int | None


class SyncFigures(msgspec.Struct, frozen=True):
    """The last 50 syncs; ``p50_ms`` and ``p95_ms`` are of those that were taken over."""

    syncs: int
    ok: int
    success_rate: float | None
    p50_ms: int | None
    p95_ms: int | None


class StopShown(msgspec.Struct, frozen=True):
    """Why a supplier sells nothing; ``everything``: it is the stop of all suppliers."""

    reason: Literal["person", "restored", "account"]
    note: str
    everything: bool
    created_at: datetime


class SupplierFigures(msgspec.Struct, frozen=True):
    """One supplier in figures. ``why_not`` counts offers by what keeps them from sale, null without a catalogue."""

    supplier: Supplier
    freshness: Literal["fresh", "stale", "expired"]
    orders: OrderFigures
    syncs: SyncFigures
    open_attempts: int
    selectable: int | None
    why_not: dict[str, int] | None
    stops: list[StopShown]
    balance: SupplierBalance


class Job(msgspec.Struct, frozen=True):
    """A job that waits or runs; ``about`` says what it is to do. ``due_at`` is the earliest that it may begin."""

    id: int
    kind: str
    state: Literal["queued", "picked", "failed"]
    about: str
    created_at: datetime
    due_at: datetime
    attempts: int
    heartbeat_at: datetime | None


class JobKind(msgspec.Struct, frozen=True):
    """The jobs of one kind: how many wait, of those ``late`` that could have begun, how many run.

    ``failed`` and ``done`` are of the last 24 hours. ``oldest_at``: since when the oldest that could begin waits.
    """

    kind: str
    waiting: int
    late: int
    running: int
    failed: int
    done: int
    oldest_at: datetime | None


class Schedule(msgspec.Struct, frozen=True):
    """What is done again and again. ``overdue``: its next run is more than a minute past."""

    name: str
    expression: str
    last_run_at: datetime | None
    next_run_at: datetime
    overdue: bool


class JobFailure(msgspec.Struct, frozen=True):
    """A job that ended with a fault; ``error`` names its kind, for its words may say too much."""

    job_id: int
    kind: str
    at: datetime
    error: str


class JobPage(Page[Job], frozen=True):
    """A page of the jobs that wait or run, the oldest first, and what is known of the queue as a whole."""

    kinds: list[JobKind]
    schedules: list[Schedule]
    failures: list[JobFailure]


class Setting(msgspec.Struct, frozen=True):
    """A setting in force. ``value`` is null for a secret, of which only ``is_set`` is told.

    ``source``: where it comes from; "start" is the command that started this process.
    """

    name: str
    value: str | None
    secret: bool
    is_set: bool
    source: Literal["default", "file", "environment", "start"]
    meaning: str
