"""How suppliers do, as JSON: our money there, figures of their answers, the queue of jobs, the settings in force."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from schemas.api import Amount, Price, SupplierName
from schemas.examples import AT, example
from schemas.page import Page


class LastSync(msgspec.Struct, frozen=True):
    """The last look at a supplier's catalogue.

    Attributes:
        state: What it came to; null when there was none.
        at: When it ended; null when there was none.
        good_at: When one was last taken over whole; null when none was.
    """

    state: Annotated[Literal["ok", "failed", "quarantined"] | None, example("ok")]
    at: Annotated[datetime | None, example(AT)]
    good_at: Annotated[datetime | None, example(AT)]


class Breaker(msgspec.Struct, frozen=True):
    """Whether calls to a supplier are let through.

    Attributes:
        state: `open`: no call is let through; `half_open`: one is, to try.
        failures: Calls in a row that failed.
        retry_at: When a call is let through again; null when all are.
        last_error: Why the last call failed; null when it did not.
    """

    state: Annotated[Literal["closed", "open", "half_open"], example("closed")]
    failures: int
    retry_at: datetime | None
    last_error: str | None


class SupplierRateLimit(msgspec.Struct, frozen=True):
    """What a supplier allows, and what it last said of it.

    Attributes:
        per_minute: Requests that we send in a minute at most; null without a limit.
        reported_limit: The limit that the supplier last named; null when it named none.
        remaining: What was left of it; null when it did not say.
        resets_at: When all is left again; null when it did not say.
        blocked_until: Until when nothing is sent; null when we may send.
    """

    per_minute: Annotated[int | None, example(60)]
    reported_limit: Annotated[int | None, example(60)]
    remaining: Annotated[int | None, example(57)]
    resets_at: Annotated[datetime | None, example("2026-11-20T10:01:00Z")]
    blocked_until: datetime | None


class SupplierProblem(msgspec.Struct, frozen=True):
    """One thing that is the matter with a supplier.

    Attributes:
        cause: What it is. `balance`: our money there does not suffice; `expired`: its offers are too old to be sold,
            `stale`: they are old; `success_rate`: few purchases of the last hour succeeded.
        reason: The same in words.
        until: When it ends by itself; null where that is not known.
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
    """One supplier account.

    Attributes:
        name: The account's name in the configuration.
        provider: The plugin that talks to the supplier.
        mode: Live or test.
        state: That of the worst of its `problems`: `stopped` and `paused` by operators or for its account, `degraded`
            for everything else.
        configured: Whether the configuration has it.
        capabilities: What the supplier can do.
        last_sync: The last look at its catalogue; null when there was none.
        offers: Its offers in the catalogue.
        set_aside: Its items that could not be mapped.
        balance: Our money there; null where it does not say.
        breaker: Whether calls to it are let through.
        rate_limit: What it allows.
        problems: What is the matter with it, the worst first.
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
    """One account of several at a supplier.

    Attributes:
        name: The supplier's name for it.
        amount: What is in it.
        currency: Its currency; the supplier's own word where it is none of ISO 4217.
    """

    name: str
    amount: Amount
    currency: str


class SupplierBalance(msgspec.Struct, frozen=True, kw_only=True):
    """Our money at one supplier as it was last seen.

    Attributes:
        supplier: The supplier.
        balance: What we have there; null where it does not say.
        spendable: What can be spent, credit and reservations counted; null where it does not say.
        room: What can be spent now, in base currency: `spendable` less what went since. An offer that may cost more is
            not sold.
        reserved: What may not be spent; null where it does not say.
        credit: What may be spent beyond the balance; null where it does not say.
        wallets: The accounts, where there are several.
        at: When it was seen; null when it never was.
        asked_at: When it was last asked for; null when it never was.
        error: Why the last look told nothing; null when it did.
        spent_per_day: What was spent a day, of the last 14 days or since the first purchase.
        days_left: How many days `spendable` lasts at that pace; null when nothing is spent.
        why_none: Why there is no balance; null when there is one.
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
    """Purchases and top-ups of the last hours, the newest 1,000 at most.

    Attributes:
        hours: How many hours.
        attempts: How many there were.
        succeeded: How many succeeded.
        failed: How many failed.
        open: How many have not ended.
        success_rate: The share that succeeded of those that ended; null when none did.
        p50_ms: The median of the supplier's answers, in milliseconds.
        p95_ms: Their 95th percentile, in milliseconds.
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
    """The last 50 syncs.

    Attributes:
        syncs: How many there were.
        ok: How many were taken over.
        success_rate: The share that was taken over; null when there were none.
        p50_ms: The median of those that were taken over, in milliseconds.
        p95_ms: Their 95th percentile, in milliseconds.
    """

    syncs: Annotated[int, example(50)]
    ok: Annotated[int, example(50)]
    success_rate: Annotated[float | None, example(1.0)]
    p50_ms: Annotated[int | None, example(4210)]
    p95_ms: Annotated[int | None, example(6120)]


class StopShown(msgspec.Struct, frozen=True):
    """Why a supplier sells nothing.

    Attributes:
        reason: `person`: an operator stopped it; `account`: the supplier refused our credentials; `restored`: the
            database was restored from a backup.
        note: What the operator wrote.
        everything: Whether it is the stop of all suppliers.
        created_at: Since when.
    """

    reason: Literal["person", "restored", "account"]
    note: str
    everything: bool
    created_at: datetime


class SupplierFigures(msgspec.Struct, frozen=True):
    """One supplier in figures.

    Attributes:
        supplier: The supplier.
        freshness: How old its offers are.
        orders: Its orders.
        syncs: Its syncs.
        open_attempts: Attempts whose outcome is not known yet.
        selectable: Offers that can be sold now; null without a catalogue.
        why_not: Offers by what keeps them from sale; null without a catalogue.
        stops: Why it sells nothing; empty when it sells.
        balance: Our money there.
    """

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
    """A job that waits or runs.

    Attributes:
        id: The job's id.
        kind: What it does.
        state: Whether it waits, runs or failed.
        about: What it is to do.
        created_at: When it was asked for.
        due_at: The earliest that it may begin.
        attempts: How often it was begun.
        heartbeat_at: When its worker was last heard; null while it waits.
    """

    id: Annotated[int, example(8812)]
    kind: Annotated[str, example("sync")]
    state: Annotated[Literal["queued", "picked", "failed"], example("queued")]
    about: Annotated[str, example("pikasim")]
    created_at: datetime
    due_at: Annotated[datetime, example("2026-11-20T10:00:02Z")]
    attempts: int
    heartbeat_at: datetime | None


class JobKind(msgspec.Struct, frozen=True):
    """The jobs of one kind.

    Attributes:
        kind: What they do.
        waiting: How many wait.
        late: How many of these could have begun.
        running: How many run.
        failed: How many failed in the last 24 hours.
        done: How many were done in the last 24 hours.
        oldest_at: Since when the oldest that could begin waits; null when none does.
    """

    kind: Annotated[str, example("sync")]
    waiting: Annotated[int, example(1)]
    late: int
    running: int
    failed: int
    done: Annotated[int, example(424)]
    oldest_at: datetime | None


class Schedule(msgspec.Struct, frozen=True):
    """What is done again and again.

    Attributes:
        name: Its name.
        expression: When it is done, as cron writes it, with seconds at the end.
        last_run_at: When it was last done; null when it never was.
        next_run_at: When it is done next.
        overdue: Whether that is more than a minute past.
    """

    name: Annotated[str, example("sync_if_due")]
    expression: Annotated[str, example("* * * * * */5")]
    last_run_at: Annotated[datetime | None, example(AT)]
    next_run_at: Annotated[datetime, example("2026-11-20T10:00:05Z")]
    overdue: bool


class JobFailure(msgspec.Struct, frozen=True):
    """A job that ended with a fault.

    Attributes:
        job_id: The job.
        kind: What it was to do.
        at: When it ended.
        error: The kind of fault; its words may say too much.
    """

    job_id: Annotated[int, example(8701)]
    kind: Annotated[str, example("sync")]
    at: datetime
    error: Annotated[str, example("TimeoutError")]


class JobPage(Page[Job], frozen=True):
    """A page of the jobs that wait or run, the oldest first.

    Attributes:
        kinds: The jobs by kind.
        schedules: What is done again and again.
        failures: The jobs that failed last.
    """

    kinds: list[JobKind]
    schedules: list[Schedule]
    failures: list[JobFailure]


class Setting(msgspec.Struct, frozen=True):
    """A setting in force.

    Attributes:
        name: Its name in the configuration.
        value: Its value; null for a secret.
        secret: Whether its value is kept secret.
        is_set: Whether it has a value.
        source: Where it comes from; `start` is the command that started this process.
        meaning: What it is for.
    """

    name: Annotated[str, example("sync.interval_seconds")]
    value: Annotated[str | None, example("900")]
    secret: bool
    is_set: Annotated[bool, example(True)]
    source: Annotated[Literal["default", "file", "environment", "start"], example("default")]
    meaning: Annotated[str, example("How often suppliers are synced. Offers are stale after two intervals.")]
