"""One storm from its start to the audit."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from gateway.access.key_rows import create_key
from gateway.kit.pool import open_pool
from tests.chaos.alerts import is_at_rest, scrape
from tests.chaos.audit import Report, audit
from tests.chaos.books import End, look, secrets_of, until_at_rest
from tests.chaos.hosts import HostTrouble, machine_for, trouble_for
from tests.chaos.leaks import leaks
from tests.chaos.machine import PAYMENTS, SUPPLIERS, Machine, Plan
from tests.chaos.offers_left import MOST_FAILED
from tests.chaos.other_goods import NumberHands, VoucherHands, other_goods_of
from tests.chaos.paying import PayingHands
from tests.chaos.polls import LATEST_SECONDS, SAMPLE_SECONDS, PollObserver
from tests.chaos.storefront import Storefront
from tests.chaos.storm import AMBIGUOUS, Shop, Trouble, arm, plans_of
from tests.chaos.without_worker import REPORTED_WITHIN, Reported, phase_without_worker

AFTER_SECONDS = 18.0
SLOWEST = 8.0
_PROBE_SECONDS = 0.5
LIVING_WITHIN_SECONDS = 60.0
Act = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Storm:
    """How hard and how long. ``seconds`` is the time in which everything is killed, ``settle`` the most after it."""

    orders: int = 580
    numbers: int = 30
    vouchers: int = 50
    checkouts: int = 50
    seconds: float = 90.0
    settle: float = 75.0
    settle_again: float = 40.0  # after the phase without a worker
    without_worker: bool = True
    hands: int = 24
    seed: int = 1
    plan: Plan = field(default_factory=Plan)
    slowness: float = 1.0

    def slowed(self, slowness: float) -> Storm:
        """The same storm in slow motion: so much comes about in it on a busy machine as otherwise on a quiet one."""
        return replace(
            self,
            seconds=self.seconds * slowness,
            settle=self.settle * slowness,
            settle_again=self.settle_again * slowness,
            plan=self.plan.slowed(slowness),
            slowness=slowness,
        )


@dataclass
class Outcome:
    """What came of it.

    ``late_polls`` are attempts polled too late, with by how many seconds; ``offer_left`` failed orders with what would
    still have been sold; ``unworked`` what was reported while no worker was there.
    """

    report: Report
    late_polls: dict[str, float]
    latest_poll: float
    living_seconds: float
    offer_left: dict[str, list[str]]
    unworked: Reported | None
    leaks: dict[str, int]
    orders: Counter[str]
    paying: Counter[str]
    charges: int
    ambiguous: int
    spent: int
    trouble: Counter[str]
    problems: Counter[str]
    seconds: float
    slowness: float
    rule_faults: list[str]
    host_faults: list[str] = field(default_factory=list)

    @property
    def share_failed(self) -> float:
        """Of the eSIM orders, how many failed although an honest offer was left."""
        count = sum(number for what, number in self.orders.items() if what.split()[0] == "esim")
        return len(self.offer_left) / max(1, count)

    @property
    def faults(self) -> list[str]:
        """Everything that must not be."""
        found = [*self.report.faults, *self.host_faults]
        found += [f"attempt {name} was polled {late:.1f} s late" for name, late in sorted(self.late_polls.items())]
        if self.living_seconds <= LATEST_SECONDS * self.slowness:
            found.append(f"workers lived for {self.living_seconds:.1f} s only: late polls would not be seen")
        if self.share_failed > MOST_FAILED:
            found.append(f"{self.share_failed:.1%} of the eSIM orders failed although an offer was left")
        if self.unworked is not None:
            found += [f"without a worker, {place} reported nothing in time" for place in self.unworked.missing]
            found += self.rule_faults
        return found


def slowness_of_this_machine() -> float:
    """How many times longer a computation takes than it computes, for all else that computes beside it; at least 1."""
    began, used = time.perf_counter(), time.process_time()
    while time.process_time() - used < _PROBE_SECONDS:
        sum(range(1000))
    return min(SLOWEST, max(1.0, (time.perf_counter() - began) / _PROBE_SECONDS))


async def storm(folder: Path, how: Storm, steps: Callable[[Trouble], list[tuple[float, Act]]]) -> Outcome:
    """Start everything, let it storm, wait until every order rests, and compare the books."""
    began = time.monotonic()
    with machine_for(folder, how.plan) as machine:
        pool = await open_pool(machine.database_url, name="chaos", max_size=2)
        key = await create_key(
            pool, storefront="shop", mode="test", scopes=["storefront", "ops", "routing", "goods"], per_minute=10**6
        )
        async with pool.acquire() as connection:
            plans, goods = await plans_of(connection), await other_goods_of(connection)
        await pool.close()
        front = Storefront(machine, key.key, random.Random(how.seed))
        # A payment that is notified once places one order whatever was taken out.
        repeated = "once" in how.plan.without
        paying = PayingHands(front, how.checkouts, [*plans[""], *plans["s2s"]], how.plan.hold, repeated)
        trouble = trouble_for(machine, how.slowness)
        arm(machine)
        business = (
            Shop(front, how.orders, plans).run(how.hands, how.seconds),
            NumberHands(front, how.numbers, goods).run(3, how.seconds),
            VoucherHands(front, how.vouchers, goods).run(4, how.seconds),
            paying.run(6, how.seconds),
        )
        observer = PollObserver(machine)
        observing = asyncio.create_task(observer.run(), name="observe polls")
        async with front.open():
            await asyncio.gather(_at_most(business, how), trouble.run(steps(trouble), how.seconds))
            for supplier in (*SUPPLIERS, PAYMENTS):
                machine.lift(supplier)
            await until_at_rest(machine, how.settle)
            unworked = None
            if how.without_worker:
                unworked = await phase_without_worker(machine, front, plans["s2s"])
                await until_at_rest(machine, how.settle_again)
                unworked.scrapes.again = await _scrape_of_rest(machine)
            await _until_seen(observer, LATEST_SECONDS * how.slowness)
            host_faults = await machine.faults_of_hosts(key.key, how.slowness)
        observing.cancel()
        end = await look(machine, front)
        took = time.monotonic() - began
        outcome = _outcome(machine, front, end, trouble, paying.done, observer, unworked, took, how.slowness)
        return replace(outcome, host_faults=host_faults)


async def _until_seen(observer: PollObserver, seconds: float) -> None:
    """Until workers lived for so long that a poll could have been too late; on a slow machine they start slowly."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LIVING_WITHIN_SECONDS + seconds):
            while observer.living_seconds <= seconds:  # noqa: ASYNC110 - other processes live
                await asyncio.sleep(SAMPLE_SECONDS)


async def _scrape_of_rest(machine: Machine) -> str:
    """What a serving process shows once it has read that workers are back; the last scrape where it never does."""
    end = time.monotonic() + REPORTED_WITHIN
    while True:
        text = await scrape(machine)
        if time.monotonic() > end or is_at_rest(text, machine.plan.overdue):
            return text
        await asyncio.sleep(SAMPLE_SECONDS)


async def _at_most(business: Iterable[Awaitable[None]], how: Storm) -> None:
    """Who still does business some time after the storm is sent home: the audit shows what came of it."""
    try:
        async with asyncio.timeout(how.seconds + AFTER_SECONDS * how.slowness):
            await asyncio.gather(*business)
    except TimeoutError:
        return


def _outcome(
    machine: Machine,
    front: Storefront,
    end: End,
    trouble: Trouble,
    paying: Counter[str],
    observer: PollObserver,
    unworked: Reported | None,
    seconds: float,
    slowness: float,
) -> Outcome:
    charges = [charge for told in end.truth.values() for charge in told["charges"]]
    asked = [charge["triggers"] for charge in charges]
    asked += [[refused["why"]] for told in end.truth.values() for refused in told["uncharged"]]
    return Outcome(
        report=audit(end.seen),
        late_polls=observer.late(slowness),
        latest_poll=observer.latest,
        living_seconds=observer.living_seconds,
        offer_left=end.offer_left,
        unworked=unworked,
        leaks=leaks(machine.logs, secrets_of(machine, front, end)),
        orders=Counter(f"{row['kind']} {row['status']}" for row in end.seen.orders),
        paying=paying + Counter(f"checkout {row['status']}" for row in end.seen.paid.checkouts),
        charges=len(charges),
        ambiguous=sum(not set(AMBIGUOUS).isdisjoint(kinds) for kinds in asked),
        spent=len(asked),
        trouble=trouble.done,
        problems=Counter(f"{one.what} {one.problem}" for one in front.wanted if one.problem is not None),
        seconds=seconds,
        slowness=slowness,
        rule_faults=[] if unworked is None else unworked.scrapes.evaluate(machine.folder, machine.plan.overdue),
    )


def long_trouble(trouble: Trouble) -> list[tuple[float, Act]]:
    """For the long form: shares of its time, and what happens then."""
    steps: list[tuple[float, Act]] = [
        (0.06 + 0.07 * number, lambda: trouble.kill_worker(1)) for number in range(12) if number not in {4, 9}
    ]
    return [
        *steps,
        (0.08, lambda: trouble.freeze_worker(0, 33)),  # past the heartbeat of 30 s
        (0.15, lambda: trouble.freeze_redis(10)),
        (0.22, trouble.kill_serving),
        (0.34, lambda: trouble.kill_postgres(2)),
        (0.48, lambda: trouble.freeze_serving(17)),  # past the 15 s that an attempt has to go out
        (0.55, lambda: trouble.kill_worker(0)),
        (0.69, lambda: trouble.restart_postgres(2)),
        (0.75, lambda: trouble.freeze_redis(5)),
        (0.85, trouble.kill_serving),
        (0.90, lambda: trouble.kill_worker(0)),
        (0.30, trouble.truncate_queue),
        (0.95, trouble.truncate_queue),
    ]


def short_trouble(trouble: Trouble) -> list[tuple[float, Act]]:
    """The same in a few seconds, with clocks that run faster still."""
    return [
        (0.10, lambda: trouble.kill_worker(1)),
        (0.15, lambda: trouble.freeze_worker(0, 4)),  # past a heartbeat of 3 s
        (0.20, lambda: trouble.freeze_redis(2)),
        (0.30, trouble.kill_serving),
        (0.50, lambda: trouble.kill_postgres(0.5)),
        (0.70, lambda: trouble.kill_worker(1)),
        (0.85, lambda: trouble.kill_worker(0)),
        (0.95, trouble.truncate_queue),
    ]


def long_host_trouble(trouble: Trouble) -> list[tuple[float, Act]]:
    """For two hosts: everything on them, between them and behind them."""
    assert isinstance(trouble, HostTrouble)
    return [
        (0.04, trouble.sync_everywhere),
        *((0.06 + 0.11 * number, lambda number=number: trouble.kill_worker(number % 2)) for number in range(8)),
        (0.10, lambda: trouble.cut_off(0, 12)),
        (0.18, lambda: trouble.freeze_redis(8)),
        (0.26, lambda: trouble.freeze_host(1, 20)),  # past the 15 s that an attempt has to go out
        (0.30, trouble.kill_serving),
        (0.34, lambda: trouble.freeze_pooler(6)),
        (0.42, trouble.kill_pooler),
        (0.48, lambda: trouble.cut_off(1, 4)),
        (0.55, trouble.sync_everywhere),
        (0.57, trouble.fail_over),
        (0.70, lambda: trouble.cut_off(1, 12)),
        (0.74, trouble.kill_serving),
        (0.80, lambda: trouble.kill_postgres(2)),
        (0.88, trouble.kill_pooler),
        (0.92, lambda: trouble.freeze_host(0, 6)),
        (0.95, trouble.truncate_queue),
    ]


def short_host_trouble(trouble: Trouble) -> list[tuple[float, Act]]:
    """The same in a few seconds."""
    assert isinstance(trouble, HostTrouble)
    return [
        (0.02, trouble.sync_everywhere),
        (0.10, lambda: trouble.cut_off(0, 3)),
        (0.15, lambda: trouble.kill_worker(1)),
        (0.35, trouble.kill_pooler),
        (0.45, lambda: trouble.freeze_host(1, 3)),
        (0.60, trouble.fail_over),
        (0.75, trouble.kill_serving),
        (0.85, lambda: trouble.kill_worker(0)),
    ]


SHORT = Storm(
    orders=40,
    numbers=6,
    vouchers=10,
    checkouts=12,
    seconds=7,
    settle=45,
    hands=10,
    plan=Plan(timeout=1.0, send=4.0, heartbeat=3.0, quiescence=6, provisioning=7, hold=5.0, overdue=6.0),
)
SHORT_HOSTS = replace(SHORT, without_worker=False, plan=replace(SHORT.plan, hosts=True))
