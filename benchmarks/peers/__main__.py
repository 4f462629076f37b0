"""The catalogue over HTTP beside services that others would have written, on the same plans, in the same run.

    python -m benchmarks.peers [--rounds N] [--count N] [--offers 50000]

Every peer gets the plans that the gateway shows, with their prices: none has to choose among offers, to know stock or
rates, or to convert a currency, so each has less to do than the gateway. Each answers the same questions with the same
plans, which is checked, and asks whose key it is. One process serves each; what is counted is the CPU time of that
process, of its children and, where it asks one, of PostgreSQL.

The peers' packages are installed under `.state/peers`, once: the Python ones with pip, Fastify with npm. Without npm
Fastify is left out, and said so.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import inspect
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote

import asyncpg

from benchmarks import http, http_server
from benchmarks.catalog_offers import build_file
from benchmarks.goals import compare_with_goal
from benchmarks.http_server import KEY
from benchmarks.processes import cpu_seconds, print_logs
from gateway.kit.processes import die_with_parent
from gateway.runtime import embedded

HERE = Path(__file__).parent
INSTALLED = HERE.parents[1] / ".state" / "peers"
CHECKED = 60
FIRST = 100  # questions after a start whose slowest is shown
IN_MEMORY_TIMES = 5  # as many questions for those that need so little CPU time that it is counted too coarsely
OVER_FASTIFY = 1.2
_TABLES = """
CREATE TABLE api_keys (digest text PRIMARY KEY, storefront text NOT NULL);
CREATE TABLE plans (
    id text COLLATE "C" PRIMARY KEY, name text NOT NULL, scope text NOT NULL, countries text[] NOT NULL,
    data jsonb NOT NULL, validity jsonb NOT NULL, features jsonb NOT NULL,
    price jsonb NOT NULL, price_per_gb jsonb, price_per_day jsonb NOT NULL,
    in_stock boolean NOT NULL, offer_count integer NOT NULL, stale boolean NOT NULL, updated_at timestamptz NOT NULL,
    unlimited boolean NOT NULL, total_mb bigint, days integer NOT NULL,
    amount numeric(12, 2) NOT NULL, amount_per_gb numeric(24, 16), amount_per_day numeric(24, 16) NOT NULL
);
"""
_INDEXES = """
CREATE INDEX plans_countries ON plans USING gin (countries);
CREATE INDEX plans_amount ON plans (amount, id);
ANALYZE plans;
"""


@dataclass
class Peer:
    """A service that runs, and what was measured of it."""

    name: str
    port: int
    pids: Sequence[int]
    cpu: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    medians: list[float] = field(default_factory=list)
    slowest: list[float] = field(default_factory=list)
    first: float = 0.0

    def ask(self, paths: list[str]) -> dict[str, float]:
        """Ask each question once; milliseconds, and CPU microseconds of an answer."""
        before = cpu_seconds(self.pids)
        load = {"port": self.port, "paths": paths, "count": len(paths), "connections": http.CONNECTIONS, "key": KEY}
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.http_load"],
            input=json.dumps(load), stdout=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{self.name} did not answer every request")
        answer: dict[str, float] = json.loads(done.stdout)
        if answer["bad"]:
            raise SystemExit(f"{self.name}: {answer['bad']:.0f} answers were not 200")
        return answer | {"cpu": (cpu_seconds(self.pids) - before) / len(paths) * 1e6}

    def measure(self, paths: list[str]) -> None:
        answer = self.ask(paths)
        self.cpu.append(answer["cpu"])
        self.rates.append(answer["per_second"])
        self.medians.append(answer["p50_ms"])
        self.slowest.append(answer["p99_ms"])


def install_python() -> Path:
    """The interpreter that has the peers' packages."""
    python = INSTALLED / "venv" / "bin" / "python"
    wanted = HERE / "requirements.txt"
    mark = INSTALLED / "requirements.txt"
    if not mark.exists() or mark.read_bytes() != wanted.read_bytes():
        print("installing FastAPI and Django REST framework …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", python.parents[1]], check=True)
        subprocess.run(
            [python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "-r", wanted], check=True
        )
        shutil.copy(wanted, mark)
    return python


def install_node() -> Path | None:
    """The folder that has Fastify, or None where there is no npm."""
    npm, folder, wanted = shutil.which("npm"), INSTALLED / "node", HERE / "package.json"
    if npm is None or shutil.which("node") is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    mark = folder / "package.json"
    if not (folder / "node_modules").exists() or mark.read_bytes() != wanted.read_bytes():
        print("installing Fastify …", flush=True)
        shutil.copy(wanted, mark)
        subprocess.run(
            [npm, "install", "--no-package-lock", "--silent", "--no-fund", "--no-audit"], cwd=folder, check=True
        )
    return folder


@contextmanager
def started(name: str, command: Sequence[str | Path], folder: Path, more: Sequence[int] = ()) -> Iterator[Peer]:
    """A peer that says its port on its first line; ``more`` are processes that work for it."""
    with (folder / f"{name.split(maxsplit=1)[0]}.log").open("w+") as errors:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
            preexec_fn=die_with_parent(),  # noqa: PLW1509 - no thread is started before
        )  # fmt: skip
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line.strip().isdigit():
                errors.seek(0)
                raise SystemExit(f"{name} did not start: {line}{errors.read()}")
            yield Peer(name, int(line), (process.pid, *more))
        finally:
            process.stdin.close() if process.stdin else None
            process.terminate()
            process.wait(timeout=20)
            process.stdout.close() if process.stdout else None


def questions(start: int, count: int) -> list[str]:
    """Questions that nobody asked before; all that they ask for is a number in a plan's row."""
    return [
        f"/v1/plans?country={http.COUNTRIES[number % len(http.COUNTRIES)]}&unlimited=false"
        f"&sort={http.SORTS[number // 10 % len(http.SORTS)]}"
        f"&max_price={number * 37 % 20_000 / 100 + 2:.2f}&max_days={number % 60 + 30}"
        for number in range(start, start + count)
    ]


def all_plans(port: int) -> Iterator[dict[str, Any]]:
    """Every plan that the gateway sells, as it answers."""
    cursor = ""
    while cursor is not None:
        body, _ = http.ask(port, "/v1/plans?limit=200" + (f"&cursor={quote(cursor)}" if cursor else ""))
        page = json.loads(body)
        yield from page["data"]
        cursor = page["next_cursor"]


def row_of(plan: dict[str, Any]) -> tuple[Any, ...]:
    """A plan's row in the peers' table."""
    amount, mb, days = Decimal(plan["price"]["amount"]), plan["data"]["total_mb"], plan["validity"]["days"]

    def text(name: str) -> str | None:
        return json.dumps(plan[name]) if plan[name] is not None else None

    return (
        plan["id"], plan["name"], plan["scope"], plan["countries"], text("data"), text("validity"), text("features"),
        text("price"), text("price_per_gb"), text("price_per_day"), plan["in_stock"], plan["offer_count"],
        plan["stale"], datetime.fromisoformat(plan["updated_at"]), plan["data"]["unlimited"],
        mb, days,
        amount, round(amount / mb, 16) if mb else None, round(amount / days, 16),
    )  # fmt: skip


async def fill(url: str, plans: list[dict[str, Any]]) -> None:
    """The peers' database."""
    connection = await asyncpg.connect(url)
    await connection.execute(_TABLES)
    await connection.execute("INSERT INTO api_keys VALUES ($1, 'bench')", hashlib.sha256(KEY.encode()).hexdigest())
    await connection.copy_records_to_table("plans", records=map(row_of, plans))
    await connection.execute(_INDEXES)
    await connection.close()


def check(gateway: Peer, peer: Peer) -> None:
    """Ask both the same and compare the plans, but for how many offers are within the price: peers have none."""
    for path in questions(0, CHECKED):
        wanted, found = (answer_without_offers(each.port, path) for each in (gateway, peer))
        if wanted != found:
            differs = next(
                (pair for pair in zip(wanted, found, strict=False) if pair[0] != pair[1]), "how many there are"
            )
            raise SystemExit(f"{peer.name} answers {path} otherwise: {differs}")


def answer_without_offers(port: int, path: str) -> list[Any]:
    answer = json.loads(http.ask(port, path)[0])
    return [*({**plan, "offer_count": 0} for plan in answer["data"]), answer["has_more"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--count", type=int, default=400, help="requests of one round to each")
    parser.add_argument("--offers", type=int, default=50_000)
    arguments = parser.parse_args()
    python, node = install_python(), install_node()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        served = stack.enter_context(http.server("gateway", build_file(arguments.offers, folder)))
        gateway = Peer("the gateway", served.port, (served.process.pid,))
        plans = list(all_plans(gateway.port))
        (folder / "plans").write_text("".join(f"{json.dumps(plan)}\n" for plan in plans))
        http.keep_answer(gateway.port, folder / "answer.json")
        floor = stack.enter_context(http.server("bare", folder / "answer.json"))
        peers = [Peer("bare aiohttp handler, the same answer", floor.port, (floor.process.pid,)), gateway]
        if node is None:
            print("Fastify is left out: node or npm is missing")
        else:
            shutil.copy(HERE / "fastify.mjs", node)
            command = ["node", str(node / "fastify.mjs"), str(folder / "plans"), KEY]
            peers.append(stack.enter_context(started("Fastify, all in memory", command, node)))
        servers = stack.enter_context(embedded.start(folder / "state"))
        url = servers.postgres.url()
        asyncio.run(fill(url, plans))
        postgres = (servers.postgres.pid,)
        for name, script in (
            ("FastAPI, SQLAlchemy, asyncpg", "with_fastapi.py"),
            ("Django REST framework, psycopg", "with_rest_framework.py"),
        ):
            peers.append(stack.enter_context(started(name, [python, HERE / script, url], folder, postgres)))
        try:
            for peer in peers[1:]:
                began = time.perf_counter()
                http.ask(peer.port, questions(CHECKED, 1)[0])
                peer.first = (time.perf_counter() - began) * 1e3
            for peer in peers[2:]:
                check(gateway, peer)
        except HTTPError as error:
            print_logs(folder)
            raise SystemExit(f"{error.url}: {error} {error.read(500)!r}") from error
        print(
            f"{len(plans):,} plans of {arguments.offers:,} offers; {CHECKED} answers of each are the same", flush=True
        )
        following = CHECKED + 1
        for number in range(arguments.rounds + 1):
            for peer in peers:
                times = 1 if servers.postgres.pid in peer.pids else IN_MEMORY_TIMES
                paths = questions(following, arguments.count * times if number else FIRST)
                following += len(paths)
                peer.measure(paths) if number else peer.ask(paths)
        report(peers)


def report(peers: list[Peer]) -> None:
    """Every figure, the source of the floor, and the goal."""
    gateway = peers[1]
    base = statistics.median(gateway.cpu)
    print(f"\nnever asked before, of other countries and in other orders; {http.CONNECTIONS} callers\n")
    print(f"{'':<40}{'CPU us':>9}{'of ours':>9}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'first ms':>10}")
    for peer in peers:
        cpu, rate, p50, p99 = (statistics.median(of) for of in (peer.cpu, peer.rates, peer.medians, peer.slowest))
        first = f"{peer.first:>10.1f}" if peer.first else f"{'–':>10}"
        print(f"{peer.name:<40}{cpu:>9.0f}{cpu / base:>9.2f}{rate:>12,.0f}{p50:>9.2f}{p99:>9.2f}{first}")
    print("\nThe bare handler:\n")
    print(inspect.getsource(http_server.bare))
    fastify = next((peer for peer in peers if peer.name.startswith("Fastify")), None)
    if fastify is not None:
        over = statistics.median(fastify.cpu) / base
        print(compare_with_goal("CPU of Fastify in memory over ours, never answered before", over, ">=", OVER_FASTIFY))


if __name__ == "__main__":
    main()
