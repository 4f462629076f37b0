"""The servers that ``benchmarks.http`` compares: the gateway on a snapshot file, a part of it, and a bare handler."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop
from aiohttp import web

from benchmarks.catalog_offers import open_index
from gateway.access.key_rows import ApiKey, key_digest
from gateway.api import state
from gateway.api.connections import FrontDoorRunner
from gateway.app import make_app
from gateway.catalog.index import Index, PlanQuery
from gateway.kit.settings import Settings, load

KEY = "gw_test_0123456789abcdefghijABCDEFGHIJ010biWfU"  # made up, with the checksum that a key has
PER_MINUTE = 1_000_000_000


class StandingCatalog:
    """A catalogue that never changes."""

    loaded = True
    degraded: tuple[str, ...] = ()

    def __init__(self, index: Index) -> None:
        self._index = index

    def index(self, _mode: str, _storefront_id: str | None = None) -> Index:
        return self._index

    async def close(self) -> None:
        return


def known_page(path: Path) -> Index:
    """An index that answers every list with the same page: what is left is what all around it costs."""
    index = open_index(path)
    page = index.plans(PlanQuery(countries=("DE",), min_data_mb=1024))
    vars(index)["plans"] = lambda _query: page
    return index


def gateway(path: Path, make_index: Callable[[Path], Index] = open_index) -> web.Application:
    """The whole API on a snapshot file, without PostgreSQL and Redis; one key is known."""

    async def open_catalog(_settings: Settings, _pool: Any, _redis: Any) -> Any:
        return StandingCatalog(make_index(path))

    async def know_a_key(app: web.Application) -> None:
        key = ApiKey("key_bench", None, "sf_bench", "bench", "test", ("storefront",), "gw_test_", PER_MINUTE,
                     datetime.now(UTC), None, None)  # fmt: skip
        ring = app[state.KEYRING]
        ring.known[f"Bearer {KEY}"] = ring._remember(key_digest(KEY), key)  # noqa: SLF001 - no database here

    app = make_app(load(), open_catalog=open_catalog)
    app.on_startup.append(know_a_key)
    return app


def bare(body: bytes, headers: dict[str, str]) -> web.Application:
    """The floor: aiohttp's own cost of answering with these bytes and headers."""

    async def handler(_request: web.Request) -> web.Response:
        return web.Response(body=body, headers=headers)

    app = web.Application()
    app.router.add_get("/v1/plans", handler)
    return app


def bare_on(path: Path) -> web.Application:
    """The floor with the answer that a file holds as JSON, its text and its headers."""
    answer = json.loads(path.read_bytes())
    return bare(answer["text"].encode(), answer["headers"])


async def run(app: web.Application) -> None:
    """Serve on a free port, say which, until standard input ends."""
    runner = FrontDoorRunner(app) if state.SETTINGS in app else web.AppRunner(app, access_log=None)
    await runner.setup()
    gc.collect()
    gc.freeze()  # as serve does
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], file=sys.stderr, flush=True)
    done: Awaitable[bytes] = asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    await done
    await runner.cleanup()


if __name__ == "__main__":
    kind, file = sys.argv[1], Path(sys.argv[2])
    makers: dict[str, Callable[[Path], web.Application]] = {
        "gateway": gateway,
        "known page": lambda path: gateway(path, known_page),
        "bare": bare_on,
    }
    uvloop.run(run(makers[kind](file)))
