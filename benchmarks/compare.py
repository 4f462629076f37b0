"""Whether the work tree is slower than a commit: the same questions and orders to both, in turn.

    python -m benchmarks.compare [COMMIT] [--rounds N] [--without-orders]

Without a commit it is the last one, or the one before where nothing has changed since. What is compared is CPU time.
The commit runs twice: what its two runs differ by is noise, as is what rounds differ by, and only more than that
counts. Ends with 1 when something became slower.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from benchmarks import http
from benchmarks.orders_gateway import headers_of
from benchmarks.processes import cpu_seconds
from gateway.kit.processes import die_with_parent

ROOT = Path(__file__).parents[1]
OFFERS = 50_000
REQUESTS, ORDERS, CALLERS = 1000, 320, 16
SUPPLIER_SECONDS = 0.02
LEAST = 0.01  # a smaller difference is none
BEFORE, AGAIN, NOW = "before", "before, again", "now"
_BUILD = (
    "import sys, pathlib, benchmarks.catalog_offers as offers; print(offers.build_file({}, pathlib.Path(sys.argv[1])))"
)


@dataclass
class Measured:
    """CPU microseconds of one answer or order, round by round, of each of the three."""

    cpu: dict[str, list[float]] = field(default_factory=lambda: {BEFORE: [], AGAIN: [], NOW: []})

    def ratios(self, which: str) -> list[float]:
        """Each round's figure over what the commit's two runs took."""
        commit = zip(self.cpu[BEFORE], self.cpu[AGAIN], strict=True)
        return [2 * figure / (before + again) for figure, (before, again) in zip(self.cpu[which], commit, strict=True)]


@dataclass(frozen=True)
class Served:
    """A gateway that takes orders."""

    url: str
    key: str
    plans: list[str]
    pids: list[int]


def git(*command: str) -> str:
    return subprocess.run(["git", *command], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def extract(commit: str, folder: Path) -> Path:
    """The files of a commit."""
    folder.mkdir()
    with subprocess.Popen(["git", "archive", commit], cwd=ROOT, stdout=subprocess.PIPE) as archive:
        subprocess.run(["tar", "-x", "-C", folder], stdin=archive.stdout, check=True)
    return folder


def build(tree: Path, folder: Path) -> Path:
    """The catalogue's file as this tree lays it out."""
    folder.mkdir()
    command = [sys.executable, "-c", _BUILD.format(OFFERS), str(folder)]
    return Path(subprocess.run(command, cwd=tree, stdout=subprocess.PIPE, text=True, check=True).stdout.strip())


@contextmanager
def taking_orders(tree: Path) -> Iterator[Served]:
    """A gateway of this tree with servers of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.orders_served", str(SUPPLIER_SECONDS)], cwd=tree,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        preexec_fn=die_with_parent(),  # noqa: PLW1509 - no thread is started before
    )  # fmt: skip
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise SystemExit(f"the gateway of {tree} did not start")
        yield Served(**json.loads(line))
    finally:
        process.stdin.close() if process.stdin else None
        process.wait(timeout=60)
        process.stdout.close() if process.stdout else None


def compare_answers(trees: dict[str, Path], folder: Path, rounds: int) -> dict[str, Measured]:
    """The catalogue over HTTP."""
    question_sets: dict[str, Callable[[int], list[str]]] = {
        "a page, answered before": lambda _: [http.QUESTION],
        "a page, never answered before": lambda start: http.questions(start, REQUESTS),
        "a page, other filters and orders": lambda start: http.varied(start, REQUESTS),
    }
    measured = {name: Measured() for name in question_sets}
    with ExitStack() as stack:
        files = {tree: build(tree, folder / f"catalogue-{number}") for number, tree in enumerate(set(trees.values()))}
        servers = {
            which: stack.enter_context(http.server("gateway", files[tree], tree)) for which, tree in trees.items()
        }
        for number in range(rounds + 1):
            for name, questions in question_sets.items():
                for which in random.sample(list(servers), len(servers)):
                    server = servers[which]
                    server.measure(name, questions(number * REQUESTS), REQUESTS)
                    if number:  # the first round only warms up
                        measured[name].cpu[which].append(server.cpu[name][-1])
    return measured


async def order(served: Served) -> None:
    """``ORDERS`` orders, some at a time, each delivered."""
    numbers = iter(range(ORDERS))

    async def caller() -> None:
        for number in numbers:
            body = {"plan_id": served.plans[number % len(served.plans)]}
            headers = headers_of(served.key) | {"Prefer": "wait=20"}
            async with client.post(f"{served.url}/v1/orders", json=body, headers=headers) as answer:
                reply = await answer.json()
                if answer.status != 201 or reply["status"] != "fulfilled":
                    raise SystemExit(f"{served.url} answers {answer.status}: {reply}")

    async with aiohttp.ClientSession() as client:
        await asyncio.gather(*(caller() for _ in range(CALLERS)))


def compare_orders(trees: dict[str, Path], rounds: int) -> dict[str, Measured]:
    """Orders with all that a worker does about them."""
    measured = Measured()
    with ExitStack() as stack:
        served = {which: stack.enter_context(taking_orders(tree)) for which, tree in trees.items()}
        for number in range(rounds + 1):
            for which in random.sample(list(served), len(served)):
                before = cpu_seconds(served[which].pids)
                asyncio.run(order(served[which]))
                if number:
                    measured.cpu[which].append((cpu_seconds(served[which].pids) - before) / ORDERS * 1e6)
    return {"an order, with PostgreSQL and the worker": measured}


def verdict(measured: Measured) -> tuple[float, float, str]:
    """How many times the commit's CPU time it takes now, what of that may be noise, and what that says.

    Noise is how far the commit's two runs are from each other, and three standard errors of these medians.
    """
    ratios = {which: measured.ratios(which) for which in (BEFORE, NOW)}
    now, apart = statistics.median(ratios[NOW]), 2 * abs(statistics.median(ratios[BEFORE]) - 1)
    noise = max(LEAST, apart + 3 * math.hypot(*map(_standard_error, ratios.values())))
    if abs(now - 1) <= noise:
        return now, noise, "no difference"
    return now, noise, "SLOWER" if now > 1 else "faster"


def _standard_error(ratios: list[float]) -> float:
    """That of their median, from their median deviation: a round in which the machine was busy counts little."""
    middle = statistics.median(ratios)
    deviation = 1.4826 * statistics.median(abs(ratio - middle) for ratio in ratios)
    return 1.2533 * deviation / math.sqrt(len(ratios))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit", nargs="?", help="what to compare with")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--without-orders", action="store_true", help="only the catalogue")
    arguments = parser.parse_args()
    commit = arguments.commit or ("HEAD" if git("status", "--porcelain") else "HEAD~1")
    with tempfile.TemporaryDirectory(prefix="bench-compare-") as directory:
        folder = Path(directory)
        old = extract(commit, folder / "tree")
        trees = {BEFORE: old, AGAIN: old, NOW: ROOT}
        print(f"now against {git('log', '-1', '--format=%h %s', commit)}, {arguments.rounds} rounds", flush=True)
        measured = compare_answers(trees, folder, arguments.rounds)
        if not arguments.without_orders and (old / "benchmarks" / "orders_served.py").exists():
            measured |= compare_orders(trees, arguments.rounds)
        elif not arguments.without_orders:
            print("orders are left out: the commit cannot be started by itself")
    print(f"\n{'CPU microseconds, medians':<44}{'before':>9}{'now':>9}{'ratio':>8}{'noise':>8}")
    slower = False
    for name, each in measured.items():
        ratio, noise, says = verdict(each)
        slower |= says == "SLOWER"
        before, now = (statistics.median(each.cpu[which]) for which in (BEFORE, NOW))
        print(f"{name:<44}{before:>9.0f}{now:>9.0f}{ratio:>8.3f}{noise:>8.3f}  {says}")
    raise SystemExit(1 if slower else 0)


if __name__ == "__main__":
    main()
