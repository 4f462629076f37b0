"""Query times while the next catalogue is built by another process and then taken over, against quiet ones.

python -m benchmarks.swap [--offers 1000000]
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.catalog_offers import CODES, build_file, open_index
from benchmarks.goals import compare_with_goal
from gateway.catalog.index import Index, PlanQuery

GOAL = 6
QUIET_SECONDS = 5.0
PAUSE = 0.0005


class Asking:
    """Asks one country after the other, and notes how long each answer took from when it was due."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.taken: list[float] = []
        self._number = 0

    async def until(self, done: asyncio.Event) -> list[float]:
        """Ask until ``done``; microseconds of each, with the time that the loop was kept from it."""
        self.taken = []
        due = time.perf_counter()
        while not done.is_set():
            self._number += 1
            self.index.plans(PlanQuery(countries=(CODES[self._number % 100],), min_days=self._number % 30))
            now = time.perf_counter()
            self.taken.append((now - due) * 1e6)
            due = now + PAUSE
            await asyncio.sleep(PAUSE)
        return self.taken


async def measure(offers: int, folder: Path) -> None:
    """Quiet, then with a builder beside it and a new catalogue taken over again and again."""
    path = build_file(offers, folder)
    asking = Asking(open_index(path))
    asking.index.warm()
    quiet = await _during(asking, asyncio.sleep(QUIET_SECONDS))
    quiet = await _during(asking, asyncio.sleep(QUIET_SECONDS))

    async def build_and_swap() -> None:
        builder = await asyncio.create_subprocess_exec(
            "nice", sys.executable, "-m", "benchmarks.swap", "--build", str(folder), "--offers", str(offers // 5 + 1),
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        while builder.returncode is None:
            await asyncio.sleep(1.0)
            asking.index = await asyncio.to_thread(_taken_over, path)
            if builder.returncode is None:
                await asyncio.wait([asyncio.create_task(builder.wait())], timeout=0.01)

    busy = await _during(asking, build_and_swap())
    print(f"p99 quiet {_p99(quiet):.0f} us of {len(quiet):,} queries, busy {_p99(busy):.0f} us of {len(busy):,}")
    print(
        compare_with_goal(
            "query p99 during a build and swaps, over the quiet p99", _p99(busy) / _p99(quiet), "<=", GOAL, "x"
        )
    )


async def _during(asking: Asking, work: object) -> list[float]:
    done = asyncio.Event()
    task = asyncio.create_task(asking.until(done))
    await work  # type: ignore[misc]
    done.set()
    return await task


def _taken_over(path: Path) -> Index:
    index = open_index(path)
    index.warm()
    return index


def _p99(taken: list[float]) -> float:
    return sorted(taken)[int(len(taken) * 0.99)]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--offers", type=int, default=1_000_000)
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.build is not None:
        build_file(arguments.offers, arguments.build)
        return
    with tempfile.TemporaryDirectory(prefix="bench-swap-") as folder:
        asyncio.run(measure(arguments.offers, Path(folder)))


if __name__ == "__main__":
    main()
