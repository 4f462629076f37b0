"""What clients, the database and the disk can do to a serving process: its answers meanwhile, and its end.

    python -m benchmarks.attacks [slow_bodies] [gzip_bombs] [logins] [frozen] [full_disk] [--seconds 30]

Each attack has a ``serve`` of its own, with embedded servers. ``/livez`` and a catalogue route are asked all the time:
first quietly, then during the attack. The attack goes on while SIGTERM ends the process. The serving process has 200
file descriptors under slow bodies. ``full_disk`` needs root or user namespaces.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from benchmarks.goals import compare_with_goal
from benchmarks.orders_gateway import SECRET_KEY, Setting, open_setting
from benchmarks.processes import free_port, started, wait_until_ready
from gateway.catalog.publish import publish
from gateway.kit import log
from gateway.kit.pool import open_pool
from gateway.kit.processes import working_in
from gateway.kit.settings import load
from gateway.runtime.embedded_servers import DATABASE

QUIET_SECONDS = 10.0
PAUSE_SECONDS = 0.005
LEAST_BOUND_MS = 100.0
TIMES_QUIET = 10.0
END_SECONDS = 20.0
ANSWER_SECONDS = 5.0
ROUTES = ("/livez", "/v1/plans?country=JP&limit=20")
_ENDING_SECONDS = 90.0
_DISK = 'mount -t tmpfs -o size=64m none "$0" && exec "$@"'
_DATABASE_EVENTS = frozenset(
    {"database down", "console: database down", "database_silent", "degraded", "health_read_failed",
     "health_alerts_failed", "a key could not be looked up", "listening_lost", "stopping"}
)  # fmt: skip


@dataclass
class Target:
    """A ``serve`` under attack."""

    setting: Setting
    port: int
    process: subprocess.Popen[str]
    state_dir: Path
    clients: dict[str, int] = field(default_factory=dict)


Attack = Callable[[Target], contextlib.AbstractAsyncContextManager[None]]


@dataclass(frozen=True)
class Case:
    """An attack, what a serve under it runs with, and the log's events that name its cause."""

    attack: Attack
    prefix: tuple[str, ...] = ()
    more: tuple[tuple[str, str], ...] = ()
    events: frozenset[str] = frozenset()


@contextlib.asynccontextmanager
async def _clients(target: Target, kind: str) -> AsyncIterator[None]:
    with started("benchmarks.attack_clients", kind, str(target.port), target.setting.key) as process:
        yield
        output, _ = await asyncio.to_thread(process.communicate, "")
        target.clients = json.loads(output or "{}")


def _attack_of(kind: str) -> Attack:
    return lambda target: _clients(target, kind)


@contextlib.asynccontextmanager
async def _frozen(target: Target) -> AsyncIterator[None]:
    """PostgreSQL answers nothing, while clients ask for what only it knows."""
    async with _clients(target, "readers"):
        await asyncio.sleep(1)  # connections were made and are idle
        pids = working_in(target.setting.servers.postgres.folder)
        try:
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)


@contextlib.asynccontextmanager
async def _full_disk(target: Target) -> AsyncIterator[None]:
    """The state folder has no room, while one catalogue after the other is published."""
    filler = Path(f"/proc/{target.process.pid}/root{target.state_dir}/filler")
    await asyncio.to_thread(_fill, filler)
    setting = target.setting
    url, redis_url = setting.servers.postgres.url(), setting.servers.valkey.url()
    settings = load(state_dir=setting.folder / "publisher", database_url=url, secret_key=[SECRET_KEY])

    async def keep_publishing() -> None:
        from redis.asyncio import Redis  # noqa: PLC0415 - as the gateway does

        pool = await open_pool(url, name="bench")
        async with Redis.from_url(redis_url) as redis:
            while True:
                await pool.execute("UPDATE catalog_state SET content = content + 1")
                await publish(pool, redis, settings)
                await asyncio.sleep(3)

    task = asyncio.create_task(keep_publishing())
    yield
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        await task


CASES = {
    "slow_bodies": Case(_attack_of("slow_bodies"), prefix=("prlimit", "--nofile=200")),
    "gzip_bombs": Case(_attack_of("gzip_bombs")),
    "logins": Case(_attack_of("logins"), more=(("GATEWAY_TRUSTED_PROXIES", "127.0.0.0/8"),)),
    "frozen": Case(_frozen, events=_DATABASE_EVENTS),
    "full_disk": Case(_full_disk, prefix=("unshare", "--mount", "sh", "-c", _DISK), events=frozenset({"degraded"})),
}


def _fill(filler: Path) -> None:
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


async def probe(port: int, key: str, path: str, done: asyncio.Event) -> tuple[list[float], Counter[str]]:
    """Ask one route, over one connection after the other, until ``done``: milliseconds and statuses.

    A kept connection that turns out to be closed is replaced and the question asked again, as every HTTP client does.
    """
    taken: list[float] = []
    statuses: Counter[str] = Counter()
    question = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
    began, kept = time.perf_counter(), False
    while not done.is_set():
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                for number in range(20):
                    kept = number > 0
                    writer.write(question)
                    head = await reader.readuntil(b"\r\n\r\n")
                    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                    await reader.readexactly(length)
                    taken.append((time.perf_counter() - began) * 1000)
                    statuses[head.split()[1].decode()] += 1
                    if done.is_set():
                        break
                    await asyncio.sleep(PAUSE_SECONDS)
                    began = time.perf_counter()
            finally:
                writer.close()
            began = time.perf_counter()
        except (OSError, asyncio.IncompleteReadError):
            if kept:
                kept = False
                continue
            statuses["failed"] += 1
            taken.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(PAUSE_SECONDS)
            began = time.perf_counter()
    return taken, statuses


async def probe_all(target: Target, wait: Awaitable[None]) -> dict[str, tuple[list[float], Counter[str]]]:
    """Ask every route until ``wait`` is over."""
    done = asyncio.Event()
    probes = [asyncio.create_task(probe(target.port, target.setting.key, path, done)) for path in ROUTES]
    await wait
    done.set()
    return dict(zip(ROUTES, await asyncio.gather(*probes), strict=True))


def p99(taken: list[float]) -> float:
    """The 99th percentile."""
    return sorted(taken)[int(len(taken) * 0.99)]


async def run(name: str, case: Case, setting: Setting, seconds: float) -> bool:
    """One attack, reported; whether every goal was met."""
    port, state_dir = free_port(), setting.folder / f"state-{name}"
    state_dir.mkdir()
    log_file = setting.folder / f"{name}.log"
    environment = setting.environment(state_dir.name, DATABASE)
    environment |= {"GATEWAY_REDIS_URL": setting.servers.valkey.url(), **dict(case.more)}
    prefix = (*case.prefix, str(state_dir)) if "sh" in case.prefix else case.prefix
    lines: list[str] = []
    with started("gateway", "serve", "--port", str(port), env=environment, output=log_file, prefix=prefix) as process:
        target = Target(setting, port, process, state_dir)
        await wait_until_ready(f"http://127.0.0.1:{port}/readyz")
        await probe_all(target, asyncio.sleep(2))
        quiet = await probe_all(target, asyncio.sleep(QUIET_SECONDS))
        async with case.attack(target):
            attacked = await probe_all(target, asyncio.sleep(seconds))
            began = time.perf_counter()
            process.terminate()
            try:
                await asyncio.to_thread(process.wait, _ENDING_SECONDS)
            except subprocess.TimeoutExpired:
                lines.append(f"MISSED {name}: SIGTERM did not end it within {_ENDING_SECONDS:.0f} s")
                process.kill()
            ended = time.perf_counter() - began
    for path, (taken, statuses) in attacked.items():
        before = p99(quiet[path][0])
        bound = max(TIMES_QUIET * before, LEAST_BOUND_MS)
        lines.append(
            compare_with_goal(f"{name}: p99 of {path} (quiet {before:.2f} ms)", p99(taken), "<=", round(bound, 1), "ms")
        )
        others = {status: count for status, count in statuses.items() if status != "200"}
        if others:
            lines.append(f"MISSED {name}: {path} was answered {others}")
    lines.append(compare_with_goal(f"{name}: SIGTERM to the end", ended, "<=", END_SECONDS, "s"))
    if "slowest_ms" in target.clients:
        slowest = target.clients.pop("slowest_ms") / 1000
        lines.append(
            compare_with_goal(f"{name}: slowest answer that needs the database", slowest, "<=", ANSWER_SECONDS, "s")
        )
    lines += [f"MISSED {name}: logged {line}" for line in wrong_causes(log_file, case.events)]
    print("\n".join(lines))
    print(f"{name}: answers to the clients of the attack: {target.clients}\n", flush=True)
    return not any("MISSED" in line for line in lines)


def wrong_causes(log_file: Path, events: frozenset[str]) -> list[str]:
    """Each kind of line at warning or above whose event does not name the attack's cause, once, and other output."""
    found: dict[str, str] = {}
    for line in log_file.read_text("utf-8", "replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # the first password, and what Python prints when it dies, which ends the process
        event = str(entry.get("event"))
        if event != "request" and entry.get("level") in {"warning", "error"} and event not in events:
            found.setdefault(event, line[:300])
    return list(found.values())


async def main(names: list[str], seconds: float, folder: Path) -> bool:
    """Every attack, one after the other; whether all goals were met."""
    log.configure("error")
    with contextlib.ExitStack() as stack:
        setting = await open_setting(stack, folder, 0, {})
        return all([await run(name, CASES[name], setting, seconds) for name in names])


def cli() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("attacks", nargs="*", help=f"some of {', '.join(CASES)}; all without")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long each lasts")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.attacks) - set(CASES)):
        parser.error(f"no attack {', '.join(unknown)}; there are {', '.join(CASES)}")
    with tempfile.TemporaryDirectory(prefix="bench-attacks-") as folder:
        if not uvloop.run(main(arguments.attacks or list(CASES), arguments.seconds, Path(folder))):
            sys.exit(1)


if __name__ == "__main__":
    cli()
