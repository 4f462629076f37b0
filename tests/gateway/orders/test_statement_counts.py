"""What one order costs PostgreSQL: statements and commits, counted by the server's own log over all processes."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import aiohttp
import asyncpg
import pytest

from tests.kit.running_gateway import RunningGateway, running_gateway
from tests.kit.sandboxed import Town, town
from tests.kit.statement_log import LoggedStatement, StatementLog, commits

SUPPLIER = "s2s"
AT_ONCE, LATER = (10, 2), (30, 5)  # statements and commits of an order at most
MEASURED_ORDERS = 2
# Work of a sync or of the minute that comes late on a busy machine makes an order look dearer, never cheaper.
MOST_MEASURED = 6
IDLE_LOOKS = 12
SETTLE_SECONDS = 30.0
STARTED_SECONDS = 120.0
QUIET_SECONDS = 4.0  # what follows an answer (a delayed job, a late notification) comes within this
IDLE_SECONDS = 11.0
# The once-a-minute work of the worker and of the alerts starts with the minute.
FIRST_SECOND, LAST_SECOND = 6, 48

# What the processes do although nobody orders. A statement with such a text that wrote nothing is no part of an order.
IDLE_READS = (
    "FROM catalog_state",  # the catalogue's version, each second
    "SELECT 1 AS watchdog",  # whether PostgreSQL answers
    "FROM (SELECT name FROM suppliers)",  # our money at all suppliers, each second
    "FROM supplier_keys",  # rotated supplier keys
    "FROM webhook_deliveries d JOIN",  # webhooks to storefronts that are due
    "FROM webhook_events WHERE NOT dispatched",  # events for storefronts that have no deliveries yet
    "FROM traveller_emails WHERE next_at",  # e-mails to travellers that are due
    "FROM alert_messages",
    "FROM payments WHERE settled_at IS NULL AND received_at",
    "FROM checkouts WHERE next_",
    "FROM sync_runs WHERE NOT waiting",
    "FROM esims WHERE next_poll_at",
    "FROM api_keys k JOIN",
    "WITH overdue AS MATERIALIZED",  # overdue orders, counted for /readyz
    # The age of exchange rates for /readyz, each read by itself. An order reads rates in a transaction that writes.
    "FROM rate_sources",
    "FROM waiting_rates",
    "FROM fx_rates",
    # Due orders: a claim that finds one writes, and belongs to that order.
    "FROM orders WHERE next_look_at",
    "FROM orders WHERE next_poll_at",
    "FROM pgqueuer",
    "UNNEST($1::text[]) AS expression",  # PgQueuer's schedules, claimed
)
# Idle work that writes.
IDLE_WRITES = (
    "UPDATE api_keys k SET last_used_at",
    "pgqueuer_schedules",
    "pg_advisory_unlock_all()",  # PgQueuer's connection goes back to its pool
    "INSERT INTO workers",  # heartbeats
    "INSERT INTO leases",
    # A serving process judges the health of orders every five seconds, as alerts.
    "alert_rules",
    "alert_state",
    "FROM alerts ",
    "UPDATE alerts ",
    "pg_try_advisory_xact_lock($1)",
    "JOIN alerts a ON",
)
LIVENESS = "SELECT 1"  # whether a listening connection still stands
# A connection's first statements, whoever opens it.
CONNECTION_SETUP = ("current_setting('jit')", "typeinfo_tree", "FROM pg_catalog", "LISTEN ")
# PgQueuer's own pool: it notifies itself to see whether its listener lives, and starts anew when it heard nothing.
QUEUE_APPLICATION = "esim-gateway queue"
QUEUE_START = ("SELECT pg_notify(", "FROM information_schema", "FROM pg_indexes", "FROM pg_enum")
# Committed without waiting for the disk, or in batches beside the order: no commit that an order waits for.
NOT_WAITED_FOR = (
    "INSERT INTO exchanges", "DELETE FROM exchanges", "supplier_limits", "lease_supplier_tokens",
    "SELECT pg_notify('orders_answered', id)",
)  # fmt: skip

_PLANS = """
SELECT plan_id FROM offers WHERE supplier = $1 AND plan_id IS NOT NULL AND visible AND suspect IS NULL
  AND gone_at IS NULL AND coalesce(stock, 1000) > 50 AND cost BETWEEN 1 AND 12 AND NOT coverage @> '{BV}'
ORDER BY id LIMIT 40
"""


@dataclass(frozen=True)
class OrderCost:
    """Statements of one order and its commits; ``until_settled`` are those before it was seen as fulfilled."""

    statements: tuple[str, ...]
    commits: int
    until_settled: tuple[int, int]

    def is_within(self, most: tuple[int, int]) -> bool:
        return len(self.statements) <= most[0] and self.commits <= most[1]


@dataclass
class Counted:
    """A running gateway whose database logs every statement."""

    gateway: RunningGateway
    town: Town
    http: aiohttp.ClientSession
    log: StatementLog
    observer: asyncpg.Connection[asyncpg.Record]
    plans: list[str]
    numbers: itertools.count[int]

    async def order(self, wait: int | None) -> str:
        """Place an order; its id."""
        number = next(self.numbers)
        body = {"plan_id": self.plans[number % len(self.plans)], "suppliers": {"only": [SUPPLIER]}}
        prefer = {} if wait is None else {"Prefer": f"wait={wait}"}
        headers = self.gateway.headers(f"count-{number}", **prefer)
        async with self.http.post(f"{self.gateway.url}/v1/orders", json=body, headers=headers) as answer:
            told = await answer.json()
            assert answer.status in {201, 202}, told
            return str(told["id"])

    async def fulfilled(self, order_id: str) -> None:
        """Wait for it in the database, where looking costs the gateway nothing."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while await self.observer.fetchval("SELECT status FROM orders WHERE id = $1", order_id) != "fulfilled":
            assert time.monotonic() < deadline, "the order is not fulfilled"
            await asyncio.sleep(0.1)

    async def cost_of_one(self, wait: int | None) -> OrderCost:
        """Everything from the POST until nothing more follows."""
        await self._away_from_the_minute()
        mark = self.log.mark()
        await self.fulfilled(await self.order(wait))
        early = without_idle_work(self._of_gateway(mark))
        await asyncio.sleep(QUIET_SECONDS)
        own = without_idle_work(self._of_gateway(mark))
        return OrderCost(
            statements=tuple(one.text for one in own),
            commits=commits(without_late_commits(own)),
            until_settled=(len(early), commits(without_late_commits(early))),
        )

    async def idle(self) -> list[LoggedStatement]:
        """What is executed while nobody orders, once the work of the start and of the minute is done."""
        for _ in range(IDLE_LOOKS):
            await self._away_from_the_minute()
            mark = self.log.mark()
            await asyncio.sleep(IDLE_SECONDS)
            found = without_idle_work(self._of_gateway(mark))
            if not found:
                break
        return found

    async def costs(self, wait: int | None, most: tuple[int, int]) -> list[OrderCost]:
        """Orders, until ``MEASURED_ORDERS`` cost at most so many statements and commits; all where too few do."""
        measured: list[OrderCost] = []
        within: list[OrderCost] = []
        while len(within) < MEASURED_ORDERS and len(measured) < MOST_MEASURED:
            measured.append(await self.cost_of_one(wait))
            within = [cost for cost in measured if cost.is_within(most)]
        return within if len(within) == MEASURED_ORDERS else measured

    def _of_gateway(self, mark: int) -> list[LoggedStatement]:
        return [one for one in self.log.since(mark) if one.application.startswith("esim-gateway")]

    async def _away_from_the_minute(self) -> None:
        second = time.time() % 60
        if not FIRST_SECOND <= second <= LAST_SECOND:
            await asyncio.sleep((FIRST_SECOND - second) % 60)


def transactions(statements: Sequence[LoggedStatement]) -> list[list[LoggedStatement]]:
    """The statements by transaction, in the order of their first."""
    found: list[list[LoggedStatement]] = []
    open_ones: dict[str, list[LoggedStatement]] = {}
    for statement in statements:
        if statement.verb == "BEGIN":
            open_ones[statement.session] = [statement]
            found.append(open_ones[statement.session])
        elif statement.session in open_ones:
            open_ones[statement.session].append(statement)
            if statement.verb in {"COMMIT", "ROLLBACK"}:
                del open_ones[statement.session]
        else:
            found.append([statement])
    return found


def without_idle_work(statements: Sequence[LoggedStatement]) -> list[LoggedStatement]:
    """What is left when transactions of nothing but idle work, and what a new connection asks first, are taken out."""
    kept = {id(one) for group in transactions(statements) if not _is_idle(group) for one in group}
    return [one for one in statements if id(one) in kept and not _is_setup(one)]


def without_late_commits(statements: Sequence[LoggedStatement]) -> list[LoggedStatement]:
    """Without the transactions whose commit nobody waits for."""
    kept = {
        id(one)
        for group in transactions(statements)
        if not any(word in one.text for one in group for word in NOT_WAITED_FOR)
        for one in group
    }
    return [one for one in statements if id(one) in kept]


def _is_idle(group: Sequence[LoggedStatement]) -> bool:
    inner = [one for one in group if one.verb not in {"BEGIN", "COMMIT", "ROLLBACK"}]
    # Every judgement of alerts is one transaction that looks at alert_state, which no order touches.
    return any("alert_state" in one.text for one in inner) or all(_is_idle_statement(one) for one in inner)


def _is_idle_statement(one: LoggedStatement) -> bool:
    text = " ".join(one.text.split())
    if _is_setup(one) or text.rstrip(";") == LIVENESS or any(word in text for word in IDLE_WRITES):
        return True
    if one.application == QUEUE_APPLICATION and any(word in text for word in QUEUE_START):
        return True
    return not one.wrote and any(word in text for word in IDLE_READS)


def _is_setup(one: LoggedStatement) -> bool:
    return any(word in one.text for word in CONNECTION_SETUP)


@pytest.fixture
async def counted(own_servers, tmp_path) -> AsyncIterator[Counted]:
    async with town() as suppliers, aiohttp.ClientSession() as http:
        await suppliers.tell(SUPPLIER, "till", {"delivery_seconds": 0, "deposit": "100000"})
        async with running_gateway(tmp_path, own_servers, suppliers.accounts()) as gateway:
            observer = await asyncpg.connect(
                own_servers.postgres.url(), server_settings={"application_name": "observer"}
            )
            plans = [row["plan_id"] for row in await observer.fetch(_PLANS, SUPPLIER)]
            log = StatementLog(own_servers.postgres.log, own_servers.postgres.url())
            made = Counted(gateway, suppliers, http, log, observer, plans, itertools.count(1))
            for _ in range(6):  # each connection learns its statements and types once
                await made.fulfilled(await made.order(20))
            await log.start()
            # The worker is up when its schedules run; before that it looks at its tables. The first look for alerts
            # makes their rules and takes longest.
            async with asyncio.timeout(STARTED_SECONDS):
                await schedules_run(log)
                await alerts_judged(observer)
            await asyncio.sleep(QUIET_SECONDS)
            yield made
            await observer.close()


async def schedules_run(log: StatementLog) -> None:
    """Wait until the worker has run a schedule since the log began."""
    for _ in itertools.count():
        if any("pgqueuer_schedules SET" in one.text for one in log.since(0)):
            return
        await asyncio.sleep(0.2)


async def alerts_judged(observer: asyncpg.Connection) -> None:
    """Wait until the worker has looked for alerts once."""
    for _ in itertools.count():
        if await observer.fetchval("SELECT evaluated_at FROM alert_state") is not None:
            return
        await asyncio.sleep(0.2)


def shown(name: str, costs: Sequence[OrderCost]) -> str:
    counts = ", ".join(
        f"{len(cost.statements)} and {cost.commits} ({cost.until_settled[0]} and {cost.until_settled[1]} until settled)"
        for cost in costs
    )
    longest = max(costs, key=lambda cost: len(cost.statements))
    listed = "\n".join(" ".join(text.split())[:110] for text in longest.statements)
    return f"{name}: statements and commits {counts}\n{listed}"


@pytest.mark.xdist_group("statement_counts")
async def test_an_order_costs_at_most_ten_statements_at_once_and_thirty_when_delivered_later(counted):
    unnamed = {" ".join(one.text.split())[:200] for one in await counted.idle()}
    assert unnamed == set(), "idle work that the test does not name"

    costs = {"synchronous": await counted.costs(20, AT_ONCE)}
    await counted.town.tell(SUPPLIER, "till", {"delivery_seconds": 1})
    costs["asynchronous, polled"] = await counted.costs(None, LATER)
    await counted.town.tell(SUPPLIER, "webhook", {"url": f"{counted.gateway.url}/webhooks/{SUPPLIER}"})
    costs["asynchronous, by webhook"] = await counted.costs(20, LATER)

    report = "\n\n".join(shown(name, several) for name, several in costs.items())
    logging.getLogger(__name__).info(report)  # --log-cli-level=info shows the figures of a passing run
    too_much = {
        name: (len(cost.statements), cost.commits)
        for name, several in costs.items()
        for cost in several
        if not cost.is_within(AT_ONCE if name == "synchronous" else LATER)
    }
    assert too_much == {}, report
