"""Microseconds for a query in the core alone, for many filters and orders, at 50,000 and 1,000,000 offers.

    python -m benchmarks.core [--offers 50000,1000000] [--only WORDS]

A query is everything from its filters to the bytes of the answer, 50 plans of it. Each is asked many
times of an index that has seen others; ``first`` is the very first time, with nothing remembered.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from benchmarks.catalog_offers import CODES, NOW, build_file, open_index
from benchmarks.goals import compare_with_goal
from gateway.catalog.index import Index, InStock, Need, PlanQuery
from gateway.catalog.index.featured import OFTEN
from gateway.catalog.index.matrix import Bucket, cells
from gateway.prices.prices import Ask, prices
from schemas.features import Wanted
from schemas.plan import Scope

GOAL_MICROSECONDS = 150
GOAL_CHOICE = 300  # microseconds
GOAL_MATRIX = 20  # milliseconds
ROUNDS = 60
A, B, C, LAST = CODES[0], CODES[1], CODES[2], CODES[-1]


def filters(index: Index) -> dict[str, PlanQuery]:
    """Filters of every kind, alone and together, with many answers, few and none."""
    begin = NOW - timedelta(days=3)
    nearly, half = (begin + timedelta(seconds=index.plan_count * part) for part in (0.49999, 0.25))
    return {
        "no filter": PlanQuery(),
        "a country": PlanQuery(countries=(A,)),
        "a little-known country": PlanQuery(countries=(LAST,)),
        "a country, 3 GB, 7 to 10 days": PlanQuery(countries=(A,), min_data_mb=3072, min_days=7, max_days=10),
        "2 countries": PlanQuery(countries=(A, B)),
        "5 countries": PlanQuery(countries=(A, B, C, CODES[50], LAST)),
        "12 countries": PlanQuery(countries=CODES[::17]),
        "a region": PlanQuery(region="region3"),
        "scope global": PlanQuery(scope=Scope.GLOBAL),
        "scope global, 50 GB, 100 days": PlanQuery(scope=Scope.GLOBAL, min_data_mb=51200, min_days=100),
        "50 GB": PlanQuery(min_data_mb=51200),
        "unlimited": PlanQuery(unlimited=True),
        "365 days": PlanQuery(min_days=365),
        "top-up and voice": PlanQuery(wanted=Wanted(topup=True, voice=True)),
        "a country, exit country": PlanQuery(countries=(A,), wanted=Wanted(exit_country="HK")),
        "5G": PlanQuery(wanted=Wanted(network="5G")),
        "a country, 5G": PlanQuery(countries=(A,), wanted=Wanted(network="5G")),
        "3 countries, 5G in each": PlanQuery(countries=(A, B, C), wanted=Wanted(network="5G")),
        "a country, max price": PlanQuery(countries=(A,), max_price=Decimal(3)),
        "a country in another currency": PlanQuery(countries=(A,), currency="EUR"),
        "out of stock": PlanQuery(in_stock=InStock.FALSE),
        "a country, in stock or not": PlanQuery(countries=(A,), in_stock=InStock.ANY),
        "updated since, few": PlanQuery(updated_since=nearly),
        "updated since, half": PlanQuery(updated_since=half),
        "nothing: SMS": PlanQuery(wanted=Wanted(sms=True)),
        "nothing: a country, SMS": PlanQuery(countries=(A,), wanted=Wanted(sms=True)),
        "nothing: 50 GB at 60 cents": PlanQuery(countries=(A,), min_data_mb=51200, max_price=Decimal("0.60")),
        "nothing: a country that no plan covers": PlanQuery(countries=("ZZ",)),
        "nothing: 1,000 days": PlanQuery(min_days=1000),
    }


def orders() -> dict[str, PlanQuery]:
    """The other orders, over everything and within a country."""
    found = {}
    for sort in ("price_per_gb", "price_per_day", "data", "days"):
        for word in (sort, f"-{sort}"):
            found[f"sort {word}"] = PlanQuery(sort=word)
            found[f"a country, sort {word}"] = PlanQuery(countries=(A,), sort=word)
    found["sort -price"] = PlanQuery(sort="-price")
    return found


TEXTS = {
    "q: a country and an amount": PlanQuery(q=f"country {B} 5 gb"),
    "q: beginning of a word": PlanQuery(q="8 gb, 30 d"),
    "q: nothing": PlanQuery(q="nowhere"),
}


def measure(index: Index, query: PlanQuery) -> tuple[float, float]:
    """(first, median) microseconds. What is asked often is got ready, as a serving process does it between answers."""
    index.snapshot.forget()
    first, *_ = (_asked(index, query) for _ in range(OFTEN))
    index.featured.make(index.featured.lacking)
    return first, statistics.median(_asked(index, query) for _ in range(ROUNDS))


def _asked(index: Index, query: PlanQuery) -> float:
    began = time.perf_counter()
    index.plans(query)
    return (time.perf_counter() - began) * 1e6


def report(sizes: list[int], folder: Path, only: str) -> None:
    """Every query at every size, and the slowest filter beside the goal."""
    indexes = {}
    for size in sizes:
        path = build_file(size, folder)
        began = time.perf_counter()
        indexes[size] = open_index(path)
        opened = (time.perf_counter() - began) * 1e3
        print(f"{size:,} offers: {path.stat().st_size / 1e6:.0f} MB, opened in {opened:.1f} ms")
        indexes[size].warm()
        for code in (None, "EUR"):
            indexes[size].plans(PlanQuery(currency=code))
    print("\n" + " " * 44 + "".join(f"{f'{size:,}':>20}" for size in sizes))
    print(f"{'microseconds':<44}" + f"{'first':>11}{'then':>9}" * len(sizes))
    slowest: dict[str, dict[str, float]] = {"filter": {}, "order": {}, "free text": {}}
    largest = sizes[-1]
    groups = {"filter": filters(indexes[largest]), "order": orders(), "free text": TEXTS}
    for kind, queries in groups.items():
        for name, query in queries.items():
            if only not in name:
                continue
            line = f"{name:<44}"
            for size in sizes:
                first, then = measure(indexes[size], query)
                line += f"{first:>11.0f}{then:>9.0f}"
                if size == largest:
                    slowest[kind][name] = then
            print(line, flush=True)
    print()
    for kind, found in slowest.items():
        if found:
            name = max(found, key=found.__getitem__)
            title = f"slowest {kind} at {largest:,} offers ({name})"
            print(compare_with_goal(title, found[name], "<=", GOAL_MICROSECONDS, "us"))
            within = sum(value <= GOAL_MICROSECONDS for value in found.values())
            print(
                f"  {within} of {len(found)} are within it; their median is {statistics.median(found.values()):.0f} us"
            )
    smallest = sizes[0]
    title = f"the matrix of prices: 50 countries, 20 suppliers, {smallest:,} offers"
    taken = statistics.median(_matrix(indexes[smallest]) for _ in range(ROUNDS))
    print(compare_with_goal(title, taken, "<=", GOAL_MATRIX, "ms"))
    title = f"its cells for all {len(CODES)} countries, {largest:,} offers"
    taken = statistics.median(_cells(indexes[largest]) for _ in range(ROUNDS))
    print(compare_with_goal(title, taken, "<=", GOAL_MATRIX, "ms"))
    need = Need(countries=(A, B), data_mb=3072, days=10)
    title = f"a choice for a need of two countries, {largest:,} offers"
    taken = statistics.median(_timed(indexes[largest], need) for _ in range(ROUNDS))
    print(compare_with_goal(title, taken, "<=", GOAL_CHOICE, "us"))


def _matrix(index: Index) -> float:
    began = time.perf_counter()
    prices(index, Ask(Bucket(5120, 30)))
    return (time.perf_counter() - began) * 1e3


def _cells(index: Index) -> float:
    began = time.perf_counter()
    cells(index.snapshot, index.selectable, Bucket(1024, 7), CODES)
    return (time.perf_counter() - began) * 1e3


def _timed(index: Index, need: Need) -> float:
    began = time.perf_counter()
    index.choose(need)
    return (time.perf_counter() - began) * 1e6


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--offers", default="50000,1000000")
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-core-") as folder:
        report([int(size) for size in arguments.offers.split(",")], Path(folder), arguments.only)


if __name__ == "__main__":
    main()
