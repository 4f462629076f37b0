"""A phase without any worker: orders become overdue, and each is reported in all four places."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import asyncpg

from tests.chaos.alerts import Scrapes, scrape
from tests.chaos.machine import SUPPLIERS, Machine
from tests.chaos.storefront import Storefront

SUPPLIER = "s2s"
ORDERS = 3
REPORTED_WITHIN = 60.0
DELIVERED_AFTER = 6.0
_PLACE_SECONDS = 60.0
_TRUNCATE = "TRUNCATE pgqueuer, pgqueuer_schedules"
_PLACES = ("readyz no_worker", "readyz orders_overdue", "doctor", "metric", "alert")
_GAUGE = re.compile(r'^gateway_orders_overdue\{(?:[^}]*,)?mode="test"[^}]*\} ([0-9.e+]+)$', re.MULTILINE)
_LAST_SEEN = re.compile(r"^gateway_worker_last_seen_seconds(?:\{[^}]*\})? ([0-9.e+]+)$", re.MULTILINE)


@dataclass
class Reported:
    """The orders that became overdue, and after how many seconds each place named them. Missing: it never did."""

    orders: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    scrapes: Scrapes = field(default_factory=Scrapes)

    @property
    def missing(self) -> list[str]:
        """The places that reported nothing in time."""
        return [place for place in _PLACES if self.seconds.get(place, REPORTED_WITHIN + 1) > REPORTED_WITHIN]


async def truncate_queue(machine: Machine) -> None:
    """Empty PgQueuer's tables under the workers."""
    connection = await asyncpg.connect(machine.database_url)
    try:
        await connection.execute(_TRUNCATE)
    finally:
        await connection.close()


async def phase_without_worker(machine: Machine, front: Storefront, plans: list[str]) -> Reported:
    """Kill all workers, place orders that are delivered later, wait for the reports, and start workers again."""
    at_rest = await scrape(machine)
    machine.stop_workers()
    for name in SUPPLIERS:
        machine.lift(name)
    # Nothing wakes these orders but a worker: delivered later, and nobody is told of it.
    machine.tell(SUPPLIER, "till", {"delivery_seconds": DELIVERED_AFTER})
    machine.tell(SUPPLIER, "webhook", {"url": None})
    found = Reported(await _orders_accepted(machine, front, plans), scrapes=Scrapes(at_rest=at_rest))
    overdue_at = await _overdue_at(machine, found.orders)
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=5)) as http:
        places: dict[str, Callable[[], Awaitable[bool]]] = {
            "readyz no_worker": lambda: _readyz(machine, http, "no_worker"),
            "readyz orders_overdue": lambda: _readyz(machine, http, "orders_overdue"),
            "doctor": lambda: _doctor(machine, found.orders),
            "metric": lambda: _metric(machine, http, len(found.orders)),
            "alert": lambda: _alert(front, found.orders),
        }
        while time.time() < overdue_at + REPORTED_WITHIN and len(found.seconds) < len(places):
            for place, reports in places.items():
                if place not in found.seconds and await _is_reported(reports):
                    found.seconds[place] = time.time() - overdue_at
            await asyncio.sleep(0.5)
    found.scrapes.unworked = await scrape(machine)
    machine.start_workers()
    return found


async def _orders_accepted(machine: Machine, front: Storefront, plans: list[str]) -> list[str]:
    """Orders that the supplier took and has not delivered."""
    connection = await asyncpg.connect(machine.database_url)
    accepted: list[str] = []
    end = time.monotonic() + _PLACE_SECONDS
    try:
        while len(accepted) < ORDERS and time.monotonic() < end:
            body = {"plan_id": front.chance.choice(plans), "suppliers": {"only": [SUPPLIER]}}
            made = (await front.insist("/v1/orders", body)).made
            if made is None:
                continue
            for _ in range(40):
                state = await connection.fetchval("SELECT state FROM attempts WHERE order_id = $1", made)
                if state is not None and state != "sending":
                    break
                await asyncio.sleep(0.1)
            accepted += [made] if state == "accepted" else []
    finally:
        await connection.close()
    assert len(accepted) == ORDERS, "the supplier takes no orders"
    return accepted


async def _overdue_at(machine: Machine, orders: list[str]) -> float:
    """When the last of them counts as overdue."""
    connection = await asyncpg.connect(machine.database_url)
    try:
        due = await connection.fetchval("SELECT max(next_poll_at) FROM orders WHERE id = ANY($1)", orders)
    finally:
        await connection.close()
    return float(due.timestamp()) + machine.plan.overdue


async def _is_reported(reports: Callable[[], Awaitable[bool]]) -> bool:
    try:
        return await reports()
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError, KeyError, subprocess.TimeoutExpired):
        return False  # not yet, or not in time on a busy machine


async def _readyz(machine: Machine, http: aiohttp.ClientSession, word: str) -> bool:
    """Every serving process says so."""
    for url in machine.serve_urls:
        async with http.get(f"{url}/readyz") as answer:
            told = await answer.json()
        if not any(line.startswith(f"{word}:") for line in told["degraded"]):
            return False
    return True


async def _doctor(machine: Machine, orders: list[str]) -> bool:
    told = await asyncio.to_thread(machine.doctor)
    wrong = {check["name"]: check["says"] for check in told if check["state"] == "wrong"}
    return "no_worker" in wrong and all(order in wrong.get("orders_overdue", "") for order in orders)


async def _metric(machine: Machine, http: aiohttp.ClientSession, least: int) -> bool:
    for port in machine.metrics_ports:
        async with http.get(f"http://127.0.0.1:{port}/metrics") as answer:
            text = await answer.text()
        overdue, last_seen = _GAUGE.search(text), _LAST_SEEN.search(text)
        if overdue is None or last_seen is None:
            return False
        if float(overdue[1]) < least or float(last_seen[1]) < machine.plan.overdue:
            return False
    return True


async def _alert(front: Storefront, orders: list[str]) -> bool:
    told: Any = await front.get("/v1/ops/alerts?limit=200")
    if told is None:
        return False
    open_alerts = {one["kind"]: json.dumps(one) for one in told["data"] if one["cleared_at"] is None}
    return "no_worker" in open_alerts and all(order in open_alerts.get("orders_overdue", "") for order in orders)
