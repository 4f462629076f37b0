"""Memory of processes that serve one catalogue of 1,000,000 offers: what they share, what each has alone.

python -m benchmarks.memory [--offers 1000000] [--workers 2]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.catalog_offers import CODES, build_file, open_index
from benchmarks.core import filters, orders
from benchmarks.goals import compare_with_goal
from gateway.catalog.index import PlanQuery

GOAL_SHARED, GOAL_PRIVATE = 250, 60


def serve(path: Path) -> None:
    """Open the catalogue, ask it everything, say so, and stay until standard input ends."""
    index = open_index(path)
    index.warm()
    for query in (*filters(index).values(), *orders().values()):
        index.plans(query)
    for code in CODES:
        index.plans(PlanQuery(countries=(code,), sort="data"))
        index.plans(PlanQuery(countries=(code,), min_data_mb=4096, currency="EUR"))
    for column in index.snapshot.columns.values():
        column.max(initial=0)  # every page of the file is touched, as after a long time of serving
    print("ready", flush=True)
    sys.stdin.read()


def megabytes(pid: int, path: Path) -> tuple[float, float]:
    """(of the mapped file, private) megabytes of a process."""
    mapped = private = 0
    inside = False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        columns = line.split()
        if "-" in columns[0] and not columns[0].endswith(":"):
            inside = line.endswith(str(path))
        elif columns[0] == "Rss:" and inside:
            mapped += int(columns[1])
        elif columns[0] in ("Private_Clean:", "Private_Dirty:") and not inside:
            private += int(columns[1])
    return mapped / 1024, private / 1024


def report(offers: int, workers: int) -> None:
    """Each process beside the goals."""
    with tempfile.TemporaryDirectory(prefix="bench-memory-") as folder, ExitStack() as stack:
        path = build_file(offers, Path(folder))
        found = []
        for _ in range(workers):
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "benchmarks.memory", "--serve", str(path)],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                )
            )  # fmt: skip
            if process.stdout is None or process.stdout.readline().strip() != "ready":
                raise SystemExit("a process ended before it was ready")
            found.append(process)
        sizes = [megabytes(process.pid, path) for process in found]
        for number, (mapped, private) in enumerate(sizes):
            print(f"process {number + 1}: {mapped:.0f} MB of the mapped file, {private:.0f} MB of its own")
        for process in found:
            if process.stdin is not None:
                process.stdin.close()
        print(
            compare_with_goal(
                f"shared at {offers:,} offers", max(mapped for mapped, _ in sizes), "<=", GOAL_SHARED, "MB"
            )
        )
        print(compare_with_goal("private, a process", max(private for _, private in sizes), "<=", GOAL_PRIVATE, "MB"))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--offers", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve is not None:
        serve(arguments.serve)
    else:
        report(arguments.offers, arguments.workers)


if __name__ == "__main__":
    main()
