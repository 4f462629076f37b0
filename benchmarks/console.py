"""The console on a large gateway: each page's own server time at the median, and its bytes with all it loads.

    python -m benchmarks.console [--rounds N] [--offers N --changes N --orders N] [words]

Its own PostgreSQL and one serving process on this machine. The server's time is what it says itself
(Server-Timing): session, queries, drawing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.console_data import Size, accounts, fill
from benchmarks.console_places import is_of_storefront, places
from benchmarks.goals import compare_with_goal
from gateway.access import user_rows
from gateway.access.user_rows import Role
from gateway.catalog.publish import publish
from gateway.console import static_files
from gateway.kit import log
from gateway.kit.pool import open_pool
from gateway.kit.sealing import Seal
from gateway.kit.settings import Settings, load
from gateway.migrations import upgrade
from gateway.runtime import embedded
from gateway.runtime.supervisor import ENV_STATE_DIR, listen

MODE: Any = "live"
GOAL_MS = 150
GOAL_KB = 500
_SECRET = "uJ4wXq9RzT2nKc7LvBe5YhMg8sPfDo3iAa6tGkV0rNxQyZ1W"
_FILES = re.compile(rb'/console/static/([^"?]+)')


async def main(arguments: argparse.Namespace) -> None:
    """Make the data, serve, ask, show."""
    log.configure("error")
    with _folder(arguments.data) as folder, embedded.start(Path(folder), valkey=False) as servers:
        url = servers.where.database_url or ""
        settings = load(
            database_url=url, redis_url=None, state_dir=Path(folder), secret_key=[_SECRET], suppliers=accounts()
        )
        await upgrade(url)
        pool = await open_pool(url, statement_seconds=900)
        if not await pool.fetchval("SELECT EXISTS (SELECT FROM offers)"):
            began = time.monotonic()
            await fill(pool, Seal.from_settings(settings), Size(arguments.offers, arguments.changes, arguments.orders))
            print(
                f"{arguments.offers:,} offers, {arguments.changes:,} price changes, {arguments.orders:,} orders",
                end=" ",
            )
            print(f"made in {time.monotonic() - began:.0f} s\n", flush=True)
        await publish(pool, None, settings)
        tokens = await _sessions(pool)
        wanted = {
            n: a for n, a in (await places(pool, MODE)).items() if not arguments.words or _is_asked(n, arguments.words)
        }
        await pool.close()
        await _serve(settings, Path(folder), tokens, wanted, arguments.rounds)


@contextmanager
def _folder(kept: str) -> Iterator[str]:
    """Where the data is: a folder that stays, or one that goes with the run."""
    if kept:
        yield str(Path(kept).absolute())
        return
    with tempfile.TemporaryDirectory(prefix="bench-console-") as made:
        yield made


def _is_asked(name: str, parts: list[str]) -> bool:
    return any(word in name or word == "=" + name for word in parts)


async def _sessions(pool: Any) -> tuple[str, str]:
    """The session of an admin, and that of a storefront's user."""
    storefront = await pool.fetchval("SELECT storefront_id FROM orders ORDER BY created_at DESC LIMIT 1")
    users: tuple[tuple[str, Role, str | None], ...] = (
        ("bench", "admin", None),
        ("bench-storefront", "storefront", storefront),
    )
    tokens = []
    async with pool.acquire() as connection:
        for name, role, storefront_id in users:
            user = await user_rows.add(connection, name, role, "none", storefront_id=storefront_id)
            user = user or await user_rows.by_name(connection, name)
            assert user is not None
            tokens.append(user_rows.new_token())
            await user_rows.begin_session(connection, user.id, tokens[-1], MODE, "127.0.0.1")
    return tokens[0], tokens[1]


async def _serve(
    settings: Settings, folder: Path, tokens: tuple[str, str], wanted: dict[str, str], rounds: int
) -> None:
    """One serving process, as ``serve`` starts it, asked page after page."""
    listening = listen("127.0.0.1", 0)
    port, descriptor = listening.getsockname()[1], listening.fileno()
    environment = {
        ENV_STATE_DIR: str(folder),
        "GATEWAY_LOG_LEVEL": "error",
        "GATEWAY_SECRET_KEY": _SECRET,
        "GATEWAY_SUPPLIERS": json.dumps(settings.suppliers),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "serve", "--worker-socket", str(descriptor)),
        pass_fds=(descriptor,),
        env=os.environ | environment,
        stdout=asyncio.subprocess.DEVNULL,
    )
    listening.close()
    try:
        url = f"http://127.0.0.1:{port}"
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as http:
            await _until_ready(http, url)
            for name, address in wanted.items():
                await _measure(http, url, name, address, rounds, tokens[is_of_storefront(address)])
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _until_ready(http: aiohttp.ClientSession, url: str) -> None:
    for _ in range(600):
        try:
            async with http.get(url + "/readyz") as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.1)
    raise SystemExit("the gateway did not become ready")


async def _measure(http: aiohttp.ClientSession, url: str, name: str, address: str, rounds: int, token: str) -> None:
    took, body, status = [], b"", 0
    for number in range(rounds + 2):  # the first two only warm up
        async with http.get(url + address, allow_redirects=False, headers={"Cookie": f"gw_session={token}"}) as answer:
            body, status = await answer.read(), answer.status
            if number > 1:
                took.append(float(answer.headers["Server-Timing"].partition("dur=")[2]))
    if status != 200:
        print(f"{name:<58} {status}" + ("" if status in {301, 302, 303} else "  MISSED"))
        return
    files = sum(static_files.size(file.decode()) for file in set(_FILES.findall(body)))
    print(compare_with_goal(name, statistics.median(took), "<=", GOAL_MS, " ms"))
    print(compare_with_goal(f"{name}, all it loads", (len(body) + files) / 1024, "<=", GOAL_KB, " KB"), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--offers", type=int, default=50_000)
    parser.add_argument("--changes", type=int, default=1_000_000)
    parser.add_argument("--orders", type=int, default=200_000)
    parser.add_argument("--data", default="", help="a folder that keeps the data, so that the next run finds it there")
    parser.add_argument("words", nargs="*", help="pages whose path has one of these words; all when none is given")
    asyncio.run(main(parser.parse_args()))
