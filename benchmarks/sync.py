"""A sync beside its floor: downloading and parsing the same pages from the same server in the same run.

    python -m benchmarks.sync [--offers 40000] [--suppliers 20] [--changed 0.05] [--own-names]

A server process holds the pages of several accounts at one provider, rendered as that provider writes
them, and hands them out without work worth mentioning. A plan's name says its place, amount and days, as real names do,
and accounts name equal plans alike; with ``--own-names`` no name ever comes twice. Floor and syncs run one after
another, each in a process of its own with the same number of requests under way, so that time and peak memory are
each one's own. The floor fetches every page and decodes it into the provider's typed structs.

Figures are CPU time: of a sync its process from its start, without the imports that the floor has too, and
PostgreSQL's. The syncs after the first find what earlier ones wrote: offers, plans, and a history of prices.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import structlog
import uvloop
from aiohttp import web

from benchmarks.processes import cpu_seconds
from gateway.kit.pool import open_pool
from gateway.kit.settings import load
from gateway.migrations import upgrade
from gateway.runtime import embedded
from gateway.suppliers.accounts import accounts_of
from gateway.sync.run import run_sync
from providers.loader import load_manifests
from providers.pikasim import wire
from providers.pikasim.sandbox import serialize_plan
from providers.simulator import SandboxWorld

PAGE = 200
AT_ONCE = 4  # pages under way for each supplier, as the provider's manifest has it
OFFERS, SUPPLIERS, CHANGED = 40_000, 20, 0.05
GOAL_FIRST, GOAL_CHANGED, GOAL_NOTHING, GOAL_MB = 5.0, 2.0, 1.15, 150
TEMPLATES = 1000
ROUNDS = 3  # of changes
STEP_SECONDS = 1800


class Page(msgspec.Struct):
    """A page of packages, all of it decoded."""

    packages: list[wire.Package]
    pagination: wire.Pagination


class Figures(msgspec.Struct, frozen=True):
    """What one step took: wall seconds, CPU seconds of its process and of PostgreSQL, and its peak resident memory."""

    seconds: float
    cpu: float
    peak_mb: float
    items: int
    changed: int = 0
    database_cpu: float = 0

    def over(self, floor: Figures) -> float:
        """How many times the floor's CPU time it took, with PostgreSQL's."""
        return (self.cpu + self.database_cpu) / floor.cpu


class Result(msgspec.Struct, frozen=True):
    """One run of the benchmark."""

    offers: int
    suppliers: int
    floor: Figures
    walk: Figures
    first: Figures
    nothing: Figures
    some: Figures

    def lines(self) -> list[tuple[str, str, str, bool]]:
        """What, figure, goal, and whether it is met."""
        size = f"sync of {self.offers:,} offers from {self.suppliers} suppliers"
        share = self.some.changed / max(1, self.some.items)
        lines = []
        for what, step, goal in (
            ("first", self.first, GOAL_FIRST),
            (f"{share:.1%} changed", self.some, GOAL_CHANGED),
            ("nothing changed", self.nothing, GOAL_NOTHING),
        ):
            ratio = step.over(self.floor)
            lines.append((f"{size}, {what} / download and parse", f"{ratio:.2f}x", f"<= {goal}x", ratio <= goal))
        peak = max(self.first.peak_mb, self.some.peak_mb)
        return [*lines, ("peak memory of a sync", f"{peak:.0f} MB", f"<= {GOAL_MB} MB", peak <= GOAL_MB)]

    def detail(self) -> str:
        """Every step's own figures."""
        steps = {
            "download and parse (floor)": self.floor,
            "download, parse and map": self.walk,
            "first sync": self.first,
            "sync, some changed": self.some,
            "sync, nothing changed": self.nothing,
        }
        return "\n".join(
            f"  {name:<28} {f.seconds:7.2f} s {f.seconds / self.floor.seconds:6.2f}x"
            f"  CPU {f.cpu:7.2f} s, PostgreSQL {f.database_cpu:7.2f} s {f.over(self.floor):6.2f}x  {f.peak_mb:6.0f} MB"
            for name, f in steps.items()
        )


async def measure(
    offers: int = OFFERS, suppliers: int = SUPPLIERS, changed: float = CHANGED, *, own_names: bool = False
) -> Result:
    """Serve, download, and sync: first, three times with changes, and once more; on a database of its own.

    The last sync with changes is the one that counts: before it prices have moved twice.
    """
    with (
        tempfile.TemporaryDirectory(prefix="bench-sync-") as folder,
        embedded.start(Path(folder) / "servers") as servers,
    ):
        dsn = servers.postgres.url()
        await upgrade(dsn)
        postgres = servers.where.postgres_pid or 0
        async with _server(offers // suppliers, suppliers, own_names=own_names) as url:

            async def step(name: str) -> Figures:
                before = cpu_seconds([postgres])
                figures = await _step(name, url, str(suppliers), folder, dsn)
                return msgspec.structs.replace(figures, database_cpu=cpu_seconds([postgres]) - before)

            floor, walk, first = await step("floor"), await step("walk"), await step("sync")
            some = first
            for _ in range(ROUNDS):
                async with aiohttp.ClientSession() as session, session.post(f"{url}/change/{changed}"):
                    pass
                some = await step("sync")
            nothing = await step("sync")
            floor = min(floor, await step("floor"), key=lambda figures: figures.cpu)
    return Result(offers, suppliers, floor, walk, first, nothing, some)


async def _step(name: str, *arguments: str) -> Figures:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.sync", "--step", name, *arguments, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(child.communicate(), STEP_SECONDS)
    if child.returncode:
        raise RuntimeError(f"the step {name} ended with exit code {child.returncode}")
    return msgspec.json.decode(out.splitlines()[-1], type=Figures)


@asynccontextmanager
async def _server(items: int, suppliers: int, *, own_names: bool) -> AsyncIterator[str]:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.sync",
        "--step",
        "serve",
        str(items),
        str(suppliers),
        str(int(own_names)),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert child.stdout is not None
        port = int(await asyncio.wait_for(child.stdout.readline(), 60))
        yield f"http://127.0.0.1:{port}"
    finally:
        child.terminate()
        await child.wait()


# --- the server -----------------------------------------------------------------------------------


async def serve(items: int, suppliers: int, own_names: bool) -> None:
    """Pages of many packages out of some templates, each with its own code, days and price."""
    catalogs = [_Catalog(number, items, own_names=own_names) for number in range(suppliers)]

    async def packages(request: web.Request) -> web.Response:
        catalog = catalogs[int(request.match_info["supplier"])]
        return web.Response(body=catalog.page(int(request.query["page"])), content_type="application/json")

    async def change(request: web.Request) -> web.Response:
        for catalog in catalogs:
            catalog.change(float(request.match_info["share"]))
        return web.Response()

    app = web.Application()
    app.router.add_get("/{supplier}/packages", packages)
    app.router.add_post("/change/{share}", change)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


class _Catalog:
    def __init__(self, number: int, items: int, *, own_names: bool) -> None:
        self._number, self._items, self._own_names = number, items, own_names
        world = SandboxWorld(["pikasim"])
        rows = [serialize_plan(item) for item in world.items("pikasim")]
        whole = [row for row in rows if row["price"] and row["duration"] and row["durationUnit"] == "DAY"][:TEMPLATES]
        self._templates = [(_template(row), row["price"]) for row in whole]
        self._raised = Counter[int]()
        self._rounds = 0

    def change(self, share: float) -> None:
        self._rounds += 1
        chosen = random.Random(f"{self._number}|{self._rounds}")
        self._raised.update(chosen.sample(range(self._items), round(self._items * share)))

    def page(self, number: int) -> bytes:
        last = min(number * PAGE, self._items)
        rows = b",".join(map(self._item, range((number - 1) * PAGE, last)))
        pages = -(-self._items // PAGE)
        where = json.dumps({"page": number, "limit": PAGE, "total": self._items, "pages": pages}).encode()
        return b'{"success":true,"data":{"packages":[' + rows + b'],"pagination":' + where + b"}}"

    def _item(self, at: int) -> bytes:
        more, which = divmod(at, len(self._templates))
        template, price = self._templates[which]
        days = 1 + more % 365
        price = round(price * (1 + self._number / 200) * (1 + days / 100)) + self._raised[at]
        return template % (at, days, b" S%d-%d" % (self._number, at) if self._own_names else b"", days, price)


def _template(row: dict[str, Any]) -> bytes:
    name = row["name"].replace(f"{row['duration']} Days", "\3 Days") + "\4"
    marked = row | {"packageCode": "C-\0", "name": name, "duration": "\1", "price": "\2"}
    text = json.dumps(marked, ensure_ascii=False).replace("%", "%%")
    text = text.replace("\\u0000", "%07d").replace("\\u0003", "%d").replace("\\u0004", "%s")
    text = text.replace('"\\u0001"', "%d").replace('"\\u0002"', "%d")
    return text.encode()


# --- what is measured -----------------------------------------------------------------------------


async def floor(url: str, suppliers: int) -> int:
    """Every page fetched and decoded into typed structs, as many at once as the sync has."""
    decoder = msgspec.json.Decoder(wire.Answer[Page], strict=False)

    async def page(session: aiohttp.ClientSession, supplier: int, number: int) -> Page:
        async with session.get(f"{url}/{supplier}/packages?page={number}&limit={PAGE}") as answer:
            return decoder.decode(await answer.read()).data

    async def walk(session: aiohttp.ClientSession, supplier: int) -> int:
        first = await page(session, supplier, 1)
        numbers = iter(range(2, first.pagination.pages + 1))

        async def some() -> int:
            return sum([len((await page(session, supplier, number)).packages) for number in numbers])

        return len(first.packages) + sum(await asyncio.gather(*(some() for _ in range(AT_ONCE))))

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        return sum(await asyncio.gather(*(walk(session, supplier) for supplier in range(suppliers))))


async def sync(url: str, suppliers: int, folder: str, dsn: str, *, walk_only: bool) -> tuple[int, int]:
    """The real flow with the real plugin; how many items were met, and how many changed."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    accounts = {
        f"s{number:02}": {
            "provider": "pikasim",
            "mode": "test",
            "base_url": f"{url}/{number}",
            "api_key": "bench",
            "requests_per_minute": 1_000_000,
        }
        for number in range(suppliers)
    }
    settings = load(suppliers=accounts, state_dir=folder, sync={"max_moved_share": 1.0})
    pool = await open_pool(dsn)
    try:
        async with accounts_of(settings, pool) as opened:
            # To the price guard each is a provider of its own: accounts of one provider are no measure of each other.
            await pool.execute("UPDATE suppliers SET provider = name")
            if walk_only:
                met = await asyncio.gather(*(_walk(account) for account in opened.values()))
                return sum(met), 0
            run = await run_sync(pool, opened, settings)
    finally:
        await pool.close()
    if run.state != "ok":
        raise RuntimeError(f"the sync failed: {[part.error for part in run.suppliers]}")
    return sum(part.total for part in run.suppliers), sum(part.changed for part in run.suppliers)


async def _walk(account: Any) -> int:
    met = 0
    async for page in account.provider.catalog():
        met += len(page.offers) + len(page.set_aside)
    return met


async def _one(name: str, arguments: list[str]) -> None:
    if name == "serve":
        await serve(int(arguments[0]), int(arguments[1]), bool(int(arguments[2])))
        return
    url, suppliers, folder, dsn = arguments
    load_manifests()  # a process that starts loads its code, whatever it then does
    began, cpu = time.perf_counter(), time.process_time()
    if name == "floor":
        items, changed = await floor(url, int(suppliers)), 0
    else:
        items, changed = await sync(url, int(suppliers), folder, dsn, walk_only=name == "walk")
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(msgspec.json.encode(Figures(seconds, cpu, peak, items, changed)).decode())


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--offers", type=int, default=OFFERS)
    parser.add_argument("--suppliers", type=int, default=SUPPLIERS)
    parser.add_argument("--changed", type=float, default=CHANGED)
    parser.add_argument("--own-names", action="store_true", help="no two plans of all suppliers have one name")
    parser.add_argument("--step", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        uvloop.run(_one(options.step[0], options.step[1:]))
        return
    result = asyncio.run(measure(options.offers, options.suppliers, options.changed, own_names=options.own_names))
    print(result.detail())
    for what, figure, goal, met in result.lines():
        print(f"{'met   ' if met else 'MISSED'}  {what}: {figure} (goal {goal})")


if __name__ == "__main__":
    main()
