"""One storm from its start to the audit."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from gateway.sealing import Seal
from gateway.store.keys import create_key
from gateway.store.pool import DATABASE_DOWN, open_pool
from tests.chaos.audit import AT_REST, Report, Seen, audit
from tests.chaos.leaks import leaks
from tests.chaos.machine import SUPPLIERS, Machine, Plan
from tests.chaos.storm import AMBIGUOUS, Shop, Trouble, arm, plans_of

AFTER_SECONDS = 25.0
Act = Callable[[], Awaitable[None]]
_ORDERS = "SELECT id, kind, status FROM orders"
_ATTEMPTS = "SELECT id, order_id, kind, supplier, state, error_code, supplier_order_id FROM attempts"
_LEDGER = "SELECT attempt_id, kind, amount FROM ledger"
_KEYS = "SELECT key, order_id FROM idempotency_keys"


@dataclass(frozen=True)
class Storm:
    """How hard and how long. ``seconds`` is the time in which everything is killed, ``settle`` the most after it."""

    orders: int = 560
    seconds: float = 95.0
    settle: float = 75.0
    hands: int = 24
    seed: int = 1
    plan: Plan = field(default_factory=Plan)


@dataclass
class Outcome:
    """What came of it."""

    report: Report
    leaks: dict[str, int]
    orders: Counter[str]
    charges: int
    ambiguous: int
    spent: int
    trouble: Counter[str]
    problems: Counter[str]
    seconds: float


async def storm(folder: Path, how: Storm, steps: Callable[[Trouble], list[tuple[float, Act]]]) -> Outcome:
    """Start everything, let it storm, wait until every order rests, and compare the books."""
    began = time.monotonic()
    with Machine(folder, how.plan) as machine:
        pool = await open_pool(machine.database_url, name="chaos", max_size=2)
        key = await create_key(
            pool, storefront="shop", mode="test", scopes=["storefront", "ops", "routing"], per_minute=10**6
        )
        async with pool.acquire() as connection:
            plans = await plans_of(connection)
        await pool.close()
        shop = Shop(machine, key.key, plans, how.orders, random.Random(how.seed))
        trouble = Trouble(machine)
        arm(machine)
        pace = how.hands * how.seconds / how.orders / 2
        await asyncio.gather(_at_most(shop.run(how.hands, pace), how), trouble.run(steps(trouble), how.seconds))
        for supplier in SUPPLIERS:
            machine.lift(supplier)
        await _until_at_rest(machine, how.settle)
        return await _outcome(machine, shop, trouble, time.monotonic() - began)


async def _at_most(ordering: Awaitable[None], how: Storm) -> None:
    """Who still orders some time after the storm is sent home: the audit shows what came of it."""
    try:
        async with asyncio.timeout(how.seconds + AFTER_SECONDS):
            await ordering
    except TimeoutError:
        return


async def _until_at_rest(machine: Machine, seconds: float) -> None:
    """Wait until nothing is left to do; the audit tells what was not done by then."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            connection = await asyncpg.connect(machine.database_url)
            try:
                if not await connection.fetchval(
                    "SELECT count(*) FROM orders WHERE status <> ALL($1)", sorted(AT_REST)
                ):
                    return
            finally:
                await connection.close()
        except DATABASE_DOWN:
            pass
        await asyncio.sleep(0.5)


async def _outcome(machine: Machine, shop: Shop, trouble: Trouble, seconds: float) -> Outcome:
    seal = Seal([machine.secret_key])
    pool = await open_pool(machine.database_url, name="chaos", max_size=1)
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        # Ours first: a charge that comes after it belongs to an attempt that is open here.
        rows: dict[str, list[Any]] = {}
        for name, query in (("orders", _ORDERS), ("attempts", _ATTEMPTS), ("ledger", _LEDGER), ("keys", _KEYS)):
            rows[name] = [dict(row) for row in await connection.fetch(query)]
        esims = [
            {"order_id": row["order_id"], "supplier": row["supplier"], "iccid": seal.open_text(row["iccid"])}
            for row in await connection.fetch("SELECT order_id, supplier, iccid FROM esims")
        ]
    await pool.close()
    truth = {name: machine.ask(name, "truth") for name in SUPPLIERS}
    sold = [esim for name in SUPPLIERS for esim in machine.ask(name, "esims")["esims"]]
    seen = Seen(
        charges={name: told["charges"] for name, told in truth.items()},
        orders=rows["orders"],
        attempts=rows["attempts"],
        ledger=rows["ledger"],
        esims=esims,
        keys={row["key"]: row["order_id"] for row in rows["keys"]},
        promised={one.key: one.order_id for one in shop.wanted if one.order_id is not None},
    )
    charges = [charge for told in truth.values() for charge in told["charges"]]
    asked = [charge["triggers"] for charge in charges]
    asked += [[refused["why"]] for told in truth.values() for refused in told["uncharged"]]
    accounts = machine.accounts().values()
    secrets = {
        "activation codes": [code for esim in sold for code in (esim["text_code"], esim["picture_code"])],
        "matching ids": [esim["picture_code"].split("$")[2] for esim in sold],
        "ICCIDs": [esim["iccid"] for esim in sold],
        "e-mail addresses": [*shop.emails, *(c["details"]["email"] for c in truth["beppay"]["charges"])],
        "keys": [shop.api_key, *(str(a[n]) for a in accounts for n in ("api_key", "token") if n in a)],
        "secrets": [
            machine.secret_key,
            *(str(a[n]) for a in accounts for n in ("partner_secret", "webhook_secret") if n in a),
        ],
    }
    return Outcome(
        report=audit(seen),
        leaks=leaks(machine.logs, secrets),
        orders=Counter(f"{row['kind']} {row['status']}" for row in rows["orders"]),
        charges=len(charges),
        ambiguous=sum(not set(AMBIGUOUS).isdisjoint(kinds) for kinds in asked),
        spent=len(asked),
        trouble=trouble.done,
        problems=Counter(one.problem for one in shop.wanted if one.problem is not None),
        seconds=seconds,
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
    ]


SHORT = Storm(
    orders=50,
    seconds=7,
    settle=45,
    hands=12,
    plan=Plan(timeout=1.0, send=4.0, heartbeat=3.0, quiescence=6, provisioning=7),
)
