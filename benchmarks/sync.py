"""A sync beside its floor: downloading and parsing the same pages from the same server in the same run.

    python -m benchmarks.sync [--offers 60000] [--suppliers 6] [--changed 0.05]

A server process holds the pages of several accounts at one provider, rendered as that provider writes
them, and hands them out without work worth mentioning. Floor and syncs run one after another, each in
a process of its own with the same number of requests under way, so that wall time and peak memory are
each one's own. The floor fetches every page and decodes it into the provider's typed structs.
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
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import structlog
import uvloop
from aiohttp import web

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
OFFERS, SUPPLIERS, CHANGED = 60_000, 6, 0.05
GOAL_FIRST, GOAL_CHANGED, GOAL_MB = 6.0, 2.5, 150
TEMPLATES = 1000
STEP_SECONDS = 900


class Page(msgspec.Struct):
    """A page of packages, all of it decoded."""

    packages: list[wire.Package]
    pagination: wire.Pagination


class Figures(msgspec.Struct, frozen=True):
    """What one process took: wall and CPU seconds, and its peak resident memory in MB."""

    seconds: float
    cpu: float
    peak_mb: float
    items: int
    changed: int = 0


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
        first, some = self.first.seconds / self.floor.seconds, self.some.seconds / self.floor.seconds
        peak = max(self.first.peak_mb, self.some.peak_mb)
        size = f"{self.offers:,} offers from {self.suppliers} suppliers"
        share = self.some.changed / max(1, self.some.items)
        return [
            (f"sync of {size}, first / download and parse", f"{first:.2f}x", f"<= {GOAL_FIRST}x", first <= GOAL_FIRST),
            (
                f"sync of {size}, {share:.1%} changed / download and parse",
                f"{some:.2f}x",
                f"<= {GOAL_CHANGED}x",
                some <= GOAL_CHANGED,
            ),
            ("peak memory of a sync", f"{peak:.0f} MB", f"<= {GOAL_MB} MB", peak <= GOAL_MB),
        ]

    def detail(self) -> str:
        """Every step's own figures."""
        steps = {
            "download and parse (floor)": self.floor,
            "download, parse and map": self.walk,
            "first sync": self.first,
            "sync, nothing changed": self.nothing,
            "sync, some changed": self.some,
        }
        base = self.floor
        return "\n".join(
            f"  {name:<28} {f.seconds:7.2f} s {f.seconds / base.seconds:6.2f}x"
            f"  {f.cpu:7.2f} s CPU {f.cpu / base.cpu:6.2f}x  {f.peak_mb:6.0f} MB"
            for name, f in steps.items()
        )


async def measure(offers: int = OFFERS, suppliers: int = SUPPLIERS, changed: float = CHANGED) -> Result:
    """Serve, download, sync three times; on a database of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-sync-") as folder,
        embedded.start(Path(folder) / "servers") as servers,
    ):
        dsn = servers.postgres.url()
        await upgrade(dsn)
        async with _server(offers // suppliers, suppliers) as url:
            common = (url, str(suppliers), folder, dsn)
            floor = await _step("floor", *common)
            walk = await _step("walk", *common)
            first = await _step("sync", *common)
            nothing = await _step("sync", *common)
            async with aiohttp.ClientSession() as session, session.post(f"{url}/change/{changed}"):
                pass
            some = await _step("sync", *common)
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
async def _server(items: int, suppliers: int) -> AsyncIterator[str]:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.sync",
        "--step",
        "serve",
        str(items),
        str(suppliers),
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


async def serve(items: int, suppliers: int) -> None:
    """Pages of many packages out of some templates, each with its own code, days and price."""
    catalogs = [_Catalog(number, items) for number in range(suppliers)]

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
    def __init__(self, number: int, items: int) -> None:
        self._number, self._items = number, items
        world = SandboxWorld(["pikasim"])
        rows = [serialize_plan(item) for item in world.items("pikasim")]
        whole = [row for row in rows if row["price"] and row["duration"] and row["durationUnit"] == "DAY"][:TEMPLATES]
        self._templates = [_template(row) for row in whole]
        self._raised = frozenset[int]()

    def change(self, share: float) -> None:
        chosen = random.Random(self._number).sample(range(self._items), round(self._items * share))
        self._raised = frozenset(chosen)

    def page(self, number: int) -> bytes:
        last = min(number * PAGE, self._items)
        rows = b",".join(map(self._item, range((number - 1) * PAGE, last)))
        pages = -(-self._items // PAGE)
        where = json.dumps({"page": number, "limit": PAGE, "total": self._items, "pages": pages}).encode()
        return b'{"success":true,"data":{"packages":[' + rows + b'],"pagination":' + where + b"}}"

    def _item(self, at: int) -> bytes:
        days, template = divmod(at, len(self._templates))
        price = 300 + (at * 7919 + self._number) % 4000 + (at in self._raised)
        return self._templates[template] % (at, 1 + days % 365, price)


def _template(row: dict[str, Any]) -> bytes:
    marked = row | {"packageCode": "C-\0", "duration": "\1", "price": "\2"}
    text = json.dumps(marked, ensure_ascii=False).replace("%", "%%")
    text = text.replace("\\u0000", "%07d").replace('"\\u0001"', "%d").replace('"\\u0002"', "%d")
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
            "requests_per_minute": 100_000_000,
        }
        for number in range(suppliers)
    }
    settings = load(suppliers=accounts, state_dir=folder, sync={"max_moved_share": 1.0})
    pool = await open_pool(dsn)
    try:
        async with accounts_of(settings, pool) as opened:
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
        await serve(*map(int, arguments))
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
    parser.add_argument("--step", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        uvloop.run(_one(options.step[0], options.step[1:]))
        return
    result = asyncio.run(measure(options.offers, options.suppliers, options.changed))
    print(result.detail())
    for what, figure, goal, met in result.lines():
        print(f"{'met   ' if met else 'MISSED'}  {what}: {figure} (goal {goal})")


if __name__ == "__main__":
    main()
