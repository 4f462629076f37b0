"""Catalogue queries over HTTP, against a bare aiohttp handler with the same bytes and headers, in the same run.

    python -m benchmarks.http [--rounds N] [--offers 50000,1000000]

Everything is on loopback: each server and the load generator in a process of its own. The servers are
asked in turn, round after round; the figures are medians over the rounds. What is held against the floor is the CPU
time of a server's main thread: the rate also tells what the load generator is able to ask.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import Request, urlopen

from benchmarks.catalog_offers import build_file
from benchmarks.http_server import KEY

QUESTION = "/v1/plans?country=DE&min_data_mb=1024"
CONNECTIONS = 16
COUNTRIES = ("AD", "AE", "AM", "BE", "CH", "DE", "FR", "GB", "HK", "IT")
SORTS = ("price", "price_per_gb", "price_per_day", "data", "days", "-price")


@dataclass
class Server:
    """One server process and what was measured of it."""

    process: subprocess.Popen[str]
    port: int
    rates: dict[str, list[float]] = field(default_factory=dict)
    cpu: dict[str, list[float]] = field(default_factory=dict)

    def cpu_seconds(self) -> float:
        """Of its main thread, to the nanosecond."""
        return int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0]) / 1e9

    def measure(self, what: str, paths: list[str], count: int) -> None:
        """Ask ``count`` times and note requests per second and the server's CPU microseconds for each."""
        before = self.cpu_seconds()
        load = {"port": self.port, "paths": paths, "count": count, "connections": CONNECTIONS, "key": KEY}
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.http_load"],
            input=json.dumps(load), capture_output=True, text=True, check=True,
        )  # fmt: skip
        answer = json.loads(done.stdout)
        if answer["bad"]:
            raise SystemExit(f"{what}: {answer['bad']} answers were not 200")
        self.rates.setdefault(what, []).append(answer["per_second"])
        self.cpu.setdefault(what, []).append((self.cpu_seconds() - before) / count * 1e6)


@contextmanager
def server(kind: str, file: Path, tree: Path | None = None) -> Iterator[Server]:
    """A running server, of this tree or another one; it ends with this block."""
    command = [sys.executable, "-m", "benchmarks.http_server", kind, str(file)]
    process = subprocess.Popen(
        command, cwd=tree, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        line = process.stderr.readline() if process.stderr else ""
        if not line.strip().isdigit():
            raise SystemExit(
                f"the {kind} server did not start: {line}{process.stderr.read() if process.stderr else ''}"
            )
        yield Server(process, int(line))
    finally:
        process.stdin.close() if process.stdin else None
        process.wait(timeout=20)
        process.stderr.close() if process.stderr else None


def questions(start: int, count: int) -> list[str]:
    """Questions that nobody asked before, whose answers are the floor's bytes: every number gives another one."""
    return [f"{QUESTION}&max_price={10_000 + number}.25" for number in range(start, start + count)]


def mixed(start: int, count: int) -> list[str]:
    """Questions that nobody asked before, in all orders and of many countries; some answers are far longer."""
    made = []
    for number in range(start, start + count):
        country, sort = COUNTRIES[number % len(COUNTRIES)], SORTS[number // 10 % len(SORTS)]
        made.append(f"/v1/plans?country={country}&sort={sort}&max_price={500 + number}.25")
    return made


def varied(start: int, count: int) -> list[str]:
    """Questions that nobody asked before, with other filters and other plans each time."""
    return [
        f"/v1/plans?country={COUNTRIES[number % len(COUNTRIES)]}&sort={SORTS[number // 10 % len(SORTS)]}"
        f"&min_data_mb={number * 37 % 20_000 + 100}&min_days={number % 30 + 1}"
        for number in range(start, start + count)
    ]


def ask(port: int, path: str) -> tuple[bytes, dict[str, str]]:
    """One answer's body and headers."""
    with urlopen(Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {KEY}"})) as answer:
        return answer.read(), dict(answer.headers)


def keep_answer(port: int, file: Path) -> int:
    """Write the answer to ``QUESTION`` into a file for the floor, and give the bytes of its body."""
    body, headers = ask(port, QUESTION)
    kept = {name: value for name, value in headers.items() if name not in {"Content-Length", "Date"}}
    file.write_text(json.dumps({"text": body.decode(), "headers": kept}))
    return len(body)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--count", type=int, default=4000, help="requests of one round")
    parser.add_argument("--offers", default="50000,1000000", help="sizes of the catalogue; the first is measured most")
    arguments = parser.parse_args()
    sizes = [int(size) for size in arguments.offers.split(",")]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = {}
        for count in sizes:
            servers[count] = stack.enter_context(server("gateway", build_file(count, folder)))
        answer = folder / "answer.json"
        size = keep_answer(servers[sizes[0]].port, answer)
        floor = stack.enter_context(server("bare", answer))
        known_page = stack.enter_context(server("known page", build_file(sizes[0], folder)))
        new = 0
        for number in range(arguments.rounds + 1):
            count = arguments.count if number else 500  # the first round only warms up
            for made in servers.values():
                floor.measure("floor", [QUESTION], count)
                known_page.measure("new", questions(new, count // 2), count // 2)
                made.measure("seen", [QUESTION], count)
                made.measure("new", questions(new, count // 2), count // 2)
                made.measure("mixed", mixed(new, count // 8), count // 8)
                made.measure("varied", varied(new, count // 8), count // 8)
                new += count // 2
            if number == 0:
                for measured in (floor, known_page, *servers.values()):
                    measured.rates.clear()
                    measured.cpu.clear()
        report(floor, known_page, servers, size)


def report(floor: Server, known_page: Server, servers: dict[int, Server], size: int) -> None:
    """Every figure beside its goal.

    ``known_page`` shows how near to the floor a page that was never answered could come if finding and rendering its
    plans cost nothing.
    """
    first, *others = servers
    base = statistics.median(floor.cpu["floor"])
    rows = [
        ("floor: a bare handler, same bytes and headers", floor, "floor"),
        ("never answered, were its page known", known_page, "new"),
    ]
    for count, made in servers.items():
        rows.append((f"{count:,} offers, answered before", made, "seen"))
        rows.append((f"{count:,} offers, never answered before", made, "new"))
        rows.append((f"{count:,} offers, never answered, all orders", made, "mixed"))
        rows.append((f"{count:,} offers, new filters, other plans", made, "varied"))
    print(f"\nanswers of about {size:,} bytes, {CONNECTIONS} connections\n")
    print(f"{'':<46}{'requests/s':>12}{'CPU us':>9}{'of floor':>10}")
    for name, made, what in rows:
        rate, cpu = statistics.median(made.rates[what]), statistics.median(made.cpu[what])
        print(f"{name:<46}{rate:>12,.0f}{cpu:>9.1f}{base / cpu:>10.2f}")
    mine = servers[first]
    goals = [
        ("answered before, of the floor", base / statistics.median(mine.cpu["seen"]), ">=", 1.10),
        ("never answered before, of the floor", base / statistics.median(mine.cpu["new"]), ">=", 0.45),
        ("never answered, all orders, of the floor", base / statistics.median(mine.cpu["mixed"]), ">=", 0.30),
    ]
    for count in others:
        large = servers[count]
        seen = statistics.median(large.cpu["seen"]) / statistics.median(mine.cpu["seen"])
        fresh = statistics.median(large.cpu["new"]) / statistics.median(mine.cpu["new"])
        goals += [
            (f"CPU at {count:,} over {first:,}, answered before", seen, "<=", 1.05),
            (f"CPU at {count:,} over {first:,}, never answered before", fresh, "<=", 1.40),
            (
                f"never answered before, of the floor, at {count:,}",
                base / statistics.median(large.cpu["new"]),
                ">=",
                0.40,
            ),
        ]
    print(f"\n{'':<58}{'is':>8}{'goal':>10}")
    for name, value, relation, goal in goals:
        good = value >= goal if relation == ">=" else value <= goal
        print(f"{name:<58}{value:>8.2f}{f'{relation} {goal:.2f}':>10}  {'' if good else 'MISSED'}")


if __name__ == "__main__":
    main()
