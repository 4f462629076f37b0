"""A storm over two hosts: network namespaces, each with a ``serve`` and a ``worker``, and a cable to this one.

Here stand PostgreSQL with its standby, pgbouncer, Valkey, the sandboxes, and HAProxy, which passes connections of the
hosts on to them, those of storefronts on to the hosts, and everything that is for PostgreSQL on to the one of the two
that takes writes. On each host another HAProxy listens where these servers listen here: so every address is one of
loopback, the same everywhere, and yet every byte goes over the cable, which can be cut.
"""

from __future__ import annotations

import asyncio
import math
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import pytest

from benchmarks.processes import free_port
from gateway.access.key_rows import create_key
from gateway.kit.pool import open_pool
from gateway.kit.settings import with_password
from gateway.runtime import embedded
from gateway.runtime.embedded_servers import Postgres
from tests.chaos.machine import Machine, Plan, runs
from tests.chaos.storm import Trouble
from tests.kit.haproxy import HAProxy
from tests.kit.pgbouncer import PgBouncer
from tests.kit.programs import program
from tests.kit.replicated_postgres import Cluster

HOSTS = 2
CONVERGE_SECONDS = 2.0
_LOOK_SECONDS = 0.05
_SHARED_WITHIN_SECONDS = 20.0
_PER_MINUTE = 30
# Two syncs of one supplier that were going on at the same moment. A run counts from the begin of the transaction that
# notes it, which may be a little before the end of the one before it.
_OVERLAPPING_SYNCS = """
SELECT one.id AS one, other.id AS other FROM sync_runs one JOIN sync_runs other
ON one.id < other.id AND one.suppliers && other.suppliers
WHERE NOT one.waiting AND NOT other.waiting
AND least(coalesce(one.ended_at, now()), coalesce(other.ended_at, now()))
    - greatest(one.started_at, other.started_at) > interval '1 second'
"""


def require_hosts() -> None:
    """Skip a test where hosts cannot be made: that takes root, network namespaces, HAProxy and pgbouncer."""
    for name in ("ip", "haproxy", "pgbouncer"):
        program(name)
    if os.geteuid() != 0:
        pytest.skip("only root makes network namespaces")
    if subprocess.run(["unshare", "--net", "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("this machine allows no network namespaces")


@dataclass(frozen=True)
class Host:
    """A network namespace with a cable to this one; ``ours`` and ``theirs`` are the addresses at its two ends."""

    name: str
    cable: str
    ours: str
    theirs: str

    @property
    def inside(self) -> tuple[str, ...]:
        """The command that runs another there."""
        return (program("nsenter"), f"--net=/run/netns/{self.name}")

    def connect(self) -> None:
        """Put the cable in, again."""
        _ip("link", "set", self.cable, "up")

    def cut_off(self) -> None:
        """Take the cable out: nothing is refused, packets are lost."""
        _ip("link", "set", self.cable, "down")


@contextmanager
def hosts(count: int) -> Iterator[list[Host]]:
    """So many hosts, until the end of the block."""
    subnet, made = secrets.randbelow(250), []
    try:
        for number in range(count):
            cable = f"chaos{os.getpid()}{chr(ord('a') + number)}"
            # Of the range that is for trials of networks, and is no one's address.
            first = f"198.18.{subnet}.{4 * number + 1}"
            host = Host(cable, cable, first, f"198.18.{subnet}.{4 * number + 2}")
            _ip("netns", "add", host.name)
            made.append(host)
            _ip("link", "add", host.cable, "type", "veth", "peer", "name", "eth0", "netns", host.name)
            _ip("addr", "add", f"{host.ours}/30", "dev", host.cable)
            _ip("-n", host.name, "addr", "add", f"{host.theirs}/30", "dev", "eth0")
            _ip("-n", host.name, "link", "set", "lo", "up")
            _ip("-n", host.name, "link", "set", "eth0", "up")
            host.connect()
        yield made
    finally:
        for host in made:
            _ip("netns", "del", host.name)


def _ip(*words: str) -> None:
    ended = subprocess.run([program("ip"), *words], check=False, capture_output=True, text=True)
    assert ended.returncode == 0, f"ip {' '.join(words)}: {ended.stderr}"


class HostedMachine(Machine):
    """The running whole on two hosts, with a pooler and a standby."""

    listen_host = "0.0.0.0"

    def __init__(self, folder: Path, plan: Plan | None = None) -> None:
        super().__init__(folder, plan)
        self._front, self._primary_port = free_port(), free_port()
        self._cut_at: dict[int, float] = {}
        self._away_until: dict[int, float] = {}

    @property
    def url(self) -> str:
        """Where the API is: at the balancer."""
        return f"http://127.0.0.1:{self._front}"

    @property
    def postgres(self) -> Postgres:
        return self.cluster.primary

    @property
    def database_url(self) -> str:
        """The database that takes writes, past the pooler."""
        password = urlsplit(self.postgres.tcp_url()).password or ""
        return with_password(f"postgresql://gateway@127.0.0.1:{self._primary_port}/gateway", password)

    def environment(self, name: str) -> dict[str, str]:
        return super().environment(name) | {
            "GATEWAY_DATABASE_URL": self.pooler.url,
            "GATEWAY_DATABASE_DIRECT_URL": self.database_url,
            "GATEWAY_REDIS_URL": self.servers.valkey.tcp_url(),
            "GATEWAY_TRUSTED_PROXIES": "198.18.0.0/15",
            "GATEWAY_METRICS__HOST": "0.0.0.0",
        }

    def fail_over(self) -> None:
        """Kill the primary, let the standby take writes, and lead everybody there."""
        self.cluster.kill_primary()
        self.edge.tell("set server primary/one state maint")
        self.edge.tell("shutdown sessions server primary/one")
        self.cluster.promote()
        self.edge.tell("set server primary/two state ready")

    def cut_off(self, number: int) -> None:
        """Cut a host off."""
        self._cut_at[number], self._away_until[number] = time.monotonic(), math.inf
        self.hosts[number].cut_off()

    def connect(self, number: int) -> None:
        """Connect it again. TCP, which waits twice as long each time, may find that out as late again as it was cut."""
        self.hosts[number].connect()
        now = time.monotonic()
        self._away_until[number] = now + (now - self._cut_at[number])

    def is_reached(self, number: int) -> bool:
        return time.monotonic() >= self._away_until.get(number % HOSTS, 0.0) and runs(self.pooler.pid)

    def processes_on(self, number: int) -> list[int]:
        """The gateway's processes on a host."""
        serve, worker = self._serves[number].pid, self.workers[number].pid
        children = Path(f"/proc/{serve}/task/{serve}/children").read_text().split()
        return [serve, *map(int, children), worker]

    def start_sync(self, number: int) -> subprocess.Popen[bytes]:
        """Begin a sync on a host; ``close`` ends it where it has not ended by then."""
        process = self._gateway(f"worker-{number}", "sync")
        self._others.append(process)
        return process

    async def faults_of_hosts(self, api_key: str, slowness: float) -> list[str]:
        """Whether syncs ran once, limits are shared and every host has the same catalogue soon after a change."""
        found = await self._overlapping_syncs()
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
            found += await self._limits_not_shared(http, slowness)
            found += await self._catalogues_apart(http, api_key, slowness)
        return found

    # -- start

    def _start_servers(self) -> None:
        self.cluster = self._stack.enter_context(Cluster(self.folder / "database", synchronous=True))
        self.servers = self._stack.enter_context(embedded.start(self.folder / "state", postgres=False))
        self.urls = self._start_sandboxes()
        self.hosts = self._stack.enter_context(hosts(HOSTS))
        (self.folder / "pooler").mkdir()
        self.pooler = PgBouncer(self.folder / "pooler", self.database_url)
        self.pooler.tcp_port = free_port()
        ports = {self.pooler.tcp_port, self.servers.valkey.tcp_port, *(urlsplit(u).port for u in self.urls.values())}
        self.edge = self._started_haproxy("edge", self._edge(sorted(ports)))
        for host in self.hosts:
            lines = [_passing(port, "127.0.0.1", host.ours) for port in sorted({*ports, self._primary_port})]
            self._started_haproxy(host.name, "\n".join(lines), host.inside)
        self.pooler.start()
        self._stack.callback(self.pooler.stop)

    def _started_haproxy(self, name: str, config: str, where: tuple[str, ...] = ()) -> HAProxy:
        control = self.cluster.primary.sockets / f"{name}.sock"
        made = HAProxy(self.folder / f"haproxy-{name}", control, config, where)
        made.start()
        self._stack.callback(made.stop)
        return made

    def _edge(self, ports: list[int]) -> str:
        """What stands between the hosts and all servers here."""
        one, two = self.cluster.primary.tcp_port, self.cluster.standby.tcp_port
        doors = "".join(f"    bind {address}:{self._primary_port}\n" for address in ("127.0.0.1", *self._addresses))
        lines = [
            f"listen primary\n{doors}    server one 127.0.0.1:{one}\n    server two 127.0.0.1:{two} disabled",
            *(_passing(port, address, "127.0.0.1") for port in ports for address in self._addresses),
        ]
        serves = []
        for number, (port, figures) in enumerate(zip(self.ports, self.metrics_ports, strict=True)):
            there = self.hosts[number % HOSTS].theirs
            lines += [_passing(port, "127.0.0.1", there), _passing(figures, "127.0.0.1", there)]
            serves.append(f"    server serve-{number} {there}:{port}")
        lines += [
            f"listen storefronts\n    bind 127.0.0.1:{self._front}\n    mode http",
            "    option forwardfor\n    option httpchk GET /readyz",
            "    option redispatch\n    retries 2\n    retry-on conn-failure\n    timeout server 45s",
            "    default-server check inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions",
            *serves,
        ]
        return "\n".join(lines)

    @property
    def _addresses(self) -> list[str]:
        return [host.ours for host in self.hosts]

    def _where(self, name: str) -> tuple[str, ...]:
        kind, _, number = name.partition("-")
        return self.hosts[int(number) % HOSTS].inside if kind in {"serve", "worker"} else ()

    # -- what all have in common

    async def _overlapping_syncs(self) -> list[str]:
        connection = await asyncpg.connect(self.database_url)
        try:
            rows = await connection.fetch(_OVERLAPPING_SYNCS)
            count = await connection.fetchval("SELECT count(*) FROM sync_runs")
        finally:
            await connection.close()
        none = [] if count > 1 else ["no sync ran in the storm"]
        return none + [f"syncs {row['one']} and {row['other']} ran at the same time" for row in rows]

    async def _limits_not_shared(self, http: aiohttp.ClientSession, slowness: float) -> list[str]:
        """A key that has spent its limit at one host is refused by the other, which it never asked."""
        pool = await open_pool(self.database_url, name="chaos", max_size=1)
        made = await create_key(pool, storefront="shop", mode="test", scopes=["storefront"], per_minute=_PER_MINUTE)
        await pool.close()
        headers = {"Authorization": f"Bearer {made.key}"}
        first, second = (f"{url}/v1/countries" for url in self.serve_urls)
        for _ in range(3 * _PER_MINUTE):
            if await _status(http, first, headers) == 429:
                break
        else:
            return ["a key's limit does not hold at one host"]
        end = time.monotonic() + _SHARED_WITHIN_SECONDS * slowness
        while time.monotonic() < end:
            if await _status(http, second, headers) == 429:
                return []
            await asyncio.sleep(1)
        return ["a key that has spent its limit at one host is served by the other"]

    async def _catalogues_apart(self, http: aiohttp.ClientSession, api_key: str, slowness: float) -> list[str]:
        headers = {"Authorization": f"Bearer {api_key}"}
        before = {await self._version(http, url, headers) for url in self.serve_urls}
        body = {"name": "After the storm", "percent": "17"}
        async with http.post(f"{self.serve_urls[0]}/v1/ops/pricing-rules", json=body, headers=headers) as answer:
            if not answer.ok:
                return [f"no pricing rule could be made: {await answer.text()}"]
        changed_at, end = time.monotonic(), time.monotonic() + 30 * slowness
        while time.monotonic() < end:
            now = [await self._version(http, url, headers) for url in self.serve_urls]
            if len({*now}) == 1 and not before & {*now}:
                took = time.monotonic() - changed_at
                late = f"all hosts had a changed catalogue after {took:.1f} s only"
                return [late] if took > CONVERGE_SECONDS * slowness else []
            await asyncio.sleep(_LOOK_SECONDS)
        return [f"the hosts' catalogues stay apart: {before} became {now}"]

    async def _version(self, http: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> str:
        async with http.get(f"{url}/v1/plans?limit=1", headers=headers) as answer:
            return answer.headers.get("ETag", f"{answer.status}")


def _passing(port: int, at: str, to: str) -> str:
    name = f"{at}-{port}".replace(".", "-")
    return f"listen {name}\n    bind {at}:{port}\n    server there {to}:{port}"


async def _status(http: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> int:
    async with http.get(url, headers=headers) as answer:
        await answer.read()
        return answer.status


@dataclass
class HostTrouble(Trouble):
    """What goes wrong with hosts, cables, the pooler and the primary."""

    machine: HostedMachine

    async def cut_off(self, number: int, seconds: float) -> None:
        self.done["hosts cut off"] += 1
        self.machine.cut_off(number)
        try:
            await asyncio.sleep(seconds * self.slowness)
        finally:
            self.machine.connect(number)

    async def freeze_host(self, number: int, seconds: float) -> None:
        self.done["hosts frozen"] += 1
        pids = self.machine.processes_on(number)
        for pid in pids:
            self.machine.send(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds * self.slowness)
        finally:
            for pid in pids:
                self.machine.send(pid, signal.SIGCONT)

    async def freeze_pooler(self, seconds: float) -> None:
        self.done["poolers frozen"] += 1
        await self._freeze(self.machine.pooler.pid, seconds)

    async def kill_pooler(self) -> None:
        self.done["poolers killed"] += 1
        self.machine.send(self.machine.pooler.pid, signal.SIGKILL)
        self.machine.pooler.stop()  # waits for its end
        self.machine.pooler.start()  # in this thread, as PostgreSQL

    async def fail_over(self) -> None:
        self.done["failovers"] += 1
        self.machine.fail_over()

    async def sync_everywhere(self) -> None:
        """A sync on each host at the same moment."""
        self.done["syncs"] += HOSTS
        running = [self.machine.start_sync(number) for number in range(HOSTS)]
        for process in running:
            await asyncio.to_thread(process.wait)


def machine_for(folder: Path, plan: Plan) -> Machine:
    """The machine of a plan."""
    return HostedMachine(folder, plan) if plan.hosts else Machine(folder, plan)


def trouble_for(machine: Machine, slowness: float) -> Trouble:
    """What can go wrong with a machine."""
    return HostTrouble(machine, slowness) if isinstance(machine, HostedMachine) else Trouble(machine, slowness)
