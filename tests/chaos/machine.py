"""All that takes part in a storm, each a process of its own: servers, sandboxes, ``serve`` and workers.

Everything is on loopback and ends with the process that started it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self
from urllib.request import Request, urlopen

import asyncpg

from benchmarks.processes import free_port
from gateway.kit.processes import die_with_parent
from gateway.runtime import embedded
from gateway.runtime.embedded_servers import Postgres
from providers.loader import load_manifests
from tests.layout import ROOT

SUPPLIERS = ("beppay", "pikasim", "s2s")
PAYMENTS = "bepaid"
EMAIL_DOMAIN = "attempts.example.com"
TAKEN_OUT = Path(__file__).parent / "taken_out"
OUT_OF_STOCK_SECONDS, NO_BALANCE_SECONDS = 3, 2
_START_SECONDS = 180.0  # a busy machine imports slowly
# What the database itself holds: one order for a checkout, one payment that pays for it.
_ONCE = "ALTER TABLE orders DROP CONSTRAINT orders_checkout_id_key; DROP INDEX payments_one_accepted"


@dataclass(frozen=True)
class Plan:
    """How a machine is set up. Amounts of time are seconds.

    ``without`` names what is taken out on purpose: "fence", "redaction", "once". ``heartbeat`` is after how long a
    silent worker's job is another's, ``send`` how long an attempt may take to go out, ``hold`` how long a checkout's
    price is held. Polls come at ``poll_ages`` after the send and then with ``poll_every`` between. ``overdue`` is how
    long an order is late, or no worker is seen, before that is reported; 60 is the product's own. ``hosts`` spreads it
    over two hosts (``hosts.py``).
    """

    workers: int = 2
    serving: int = 2
    timeout: float = 1.5
    send: float = 15.0
    heartbeat: float = 30.0
    quiescence: int = 18
    provisioning: int = 22
    hold: float = 14.0
    poll_ages: tuple[float, ...] = (1.0, 2.5, 5.0, 10.0, 20.0)
    poll_every: float = 15.0
    overdue: float = 60.0
    without: tuple[str, ...] = ()
    careless: bool = True
    hosts: bool = False
    log_level: str = "debug"
    more: dict[str, str] = field(default_factory=dict)

    def slowed(self, slowness: float) -> Plan:
        """With clocks that run so many times slower; suppliers are polled as often as ever."""
        return replace(
            self,
            timeout=self.timeout * slowness,
            send=self.send * slowness,
            heartbeat=self.heartbeat * slowness,
            quiescence=round(self.quiescence * slowness),
            provisioning=round(self.provisioning * slowness),
            hold=self.hold * slowness,
            overdue=self.overdue * slowness,
        )


class Machine:
    """The running whole. Use it as a context manager, in the main thread."""

    listen_host = "127.0.0.1"

    def __init__(self, folder: Path, plan: Plan | None = None) -> None:
        self.folder = folder
        self.plan = plan or Plan()
        self.secret_key = secrets.token_hex(24)
        self.workers: list[subprocess.Popen[bytes]] = []
        self.urls: dict[str, str] = {}
        self.ports = [free_port() for _ in range(self.plan.serving)]
        self.metrics_ports = [free_port() for _ in range(self.plan.serving)]
        self._serves: list[subprocess.Popen[bytes]] = []
        self._turns = itertools.count()
        self._others: list[subprocess.Popen[Any]] = []
        self._stack = contextlib.ExitStack()

    @property
    def serve_urls(self) -> list[str]:
        """Where the API is: of each ``serve``."""
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    @property
    def url(self) -> str:
        """Where the API is: of one ``serve`` after the other, as behind a balancer."""
        return self.serve_urls[next(self._turns) % len(self.ports)]

    @property
    def postgres(self) -> Postgres:
        """The database that takes writes."""
        return self.servers.postgres

    @property
    def database_url(self) -> str:
        """The database, over its Unix socket."""
        return self.postgres.url()

    @property
    def logs(self) -> Path:
        """The folder of the gateway's own log files."""
        return self.folder / "logs"

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True)
        try:
            self._begin()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill every process, stop the servers."""
        for process in [*self.workers, *self._serves, *self._others]:
            if process.poll() is None:
                process.kill()
            process.wait(20)
            if process.stdout is not None:
                process.stdout.close()
        self._stack.close()

    # -- trouble ---------------------------------------------------------------------------------------------------

    def kill_worker(self, number: int) -> None:
        """Kill a worker with -9 and start another in its place."""
        self.workers[number].kill()
        self.workers[number].wait(20)
        self.workers[number] = self._gateway(f"worker-{number}", "worker")

    def stop_workers(self) -> None:
        """Kill all workers with -9; ``start_workers`` starts as many again."""
        for process in self.workers:
            process.kill()
            process.wait(20)

    def start_workers(self) -> None:
        """Start the workers."""
        self.workers = [self._gateway(f"worker-{number}", "worker") for number in range(self.plan.workers)]

    def doctor(self) -> Any:
        """What ``esim-gateway doctor`` says, as its list of checks."""
        command = [sys.executable, "-m", "gateway", "doctor", "--json", "--port", str(free_port())]
        done = subprocess.run(command, check=False, env=self.environment("doctor"), capture_output=True, timeout=30)
        return json.loads(done.stdout)

    def serving(self) -> list[int]:
        """The processes that serve, below their parents."""
        return [
            int(child)
            for serve in self._serves
            for child in Path(f"/proc/{serve.pid}/task/{serve.pid}/children").read_text().split()
        ]

    def kill_serving(self) -> None:
        """Kill one serving process; its parent replaces it."""
        if children := self.serving():
            self.send(children[0], signal.SIGKILL)

    def kill_postgres(self) -> None:
        """Kill the database's first process with -9; ``start_postgres`` brings back what it had committed."""
        os.kill(self.postgres.pid, signal.SIGKILL)
        while self.postgres.alive():
            time.sleep(0.01)

    def stop_postgres(self) -> None:
        """Stop the database in good order."""
        self.postgres.stop()

    def start_postgres(self) -> None:
        """Start the database again."""
        self.postgres.start()

    def send(self, pid: int, signum: signal.Signals) -> None:
        """A signal to a process of ours that may have ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signum)

    # -- sandboxes -------------------------------------------------------------------------------------------------

    def tell(self, supplier: str, route: str, body: Any) -> Any:
        """Tell a sandbox what to do."""
        return self._control(supplier, route, json.dumps(body).encode(), "POST")

    def ask(self, supplier: str, route: str) -> Any:
        """What a sandbox says of itself; the truth is under ``truth``."""
        return self._control(supplier, route, None, "GET")

    def lift(self, supplier: str) -> None:
        """End all triggers."""
        self._control(supplier, "triggers", None, "DELETE")

    def _control(self, supplier: str, route: str, body: bytes | None, method: str) -> Any:
        headers = {"Content-Type": "application/json"}
        asked = Request(f"{self.urls[supplier]}/_sandbox/{route}", body, headers, method=method)
        with urlopen(asked, timeout=20) as answer:
            return json.load(answer)

    # -- start -----------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._start_servers()
        for command in (("db", "upgrade"), ("sync",)):
            process = self._gateway("-".join(command), *command)
            assert process.wait(_START_SECONDS * 2) == 0, f"{command} failed, see {self.logs}"
        if "once" in self.plan.without:
            self._drop(_ONCE)
        for number, port in enumerate(self.ports):
            command = ("serve", "--workers", "1", "--host", self.listen_host, "--port", str(port))
            metrics = {"GATEWAY_METRICS__PORT": str(self.metrics_ports[number])}
            self._serves.append(self._gateway(f"serve-{number}", *command, **metrics))
        self.start_workers()
        self._until_ready()
        url = f"{self.url}/webhooks/{PAYMENTS}"
        self.tell(PAYMENTS, "webhook", {"url": url, "copies": 2, "retry_scale": 0.1})
        for name in SUPPLIERS[1:]:
            url = f"{self.url}/webhooks/{name}"
            self.tell(name, "webhook", {
                "url": url, "copies": 2, "lost": 0.3, "reorder": True, "forged": True, "altered": True,
            })  # fmt: skip

    def _start_servers(self) -> None:
        """What the gateway needs: PostgreSQL, Valkey, suppliers."""
        self.servers = self._stack.enter_context(embedded.start(self.folder / "state"))
        self.urls = self._start_sandboxes()

    def _where(self, name: str) -> tuple[str, ...]:
        """The command that runs another on the host of a process with this name."""
        return ()

    def is_reached(self, number: int) -> bool:
        """Whether the database can be reached from a worker's host."""
        return True

    async def faults_of_hosts(self, api_key: str, slowness: float) -> list[str]:
        """What several hosts do not have in common although they must."""
        return []

    def _drop(self, statements: str) -> None:
        async def drop() -> None:
            connection = await asyncpg.connect(self.database_url)
            try:
                await connection.execute(statements)
            finally:
                await connection.close()

        with ThreadPoolExecutor(1) as thread:  # a loop runs in this one
            thread.submit(asyncio.run, drop()).result()

    def environment(self, name: str) -> dict[str, str]:
        """What a process of the gateway is started with. As on machines of their own, no two share a folder."""
        plan = self.plan
        others = ("GATEWAY_", "CHAOS_", "COV_CORE")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
        return kept | {
            "GATEWAY_STATE_DIR": str(self.folder / f"state-{name}"),
            "GATEWAY_DATABASE_URL": self.database_url,
            "GATEWAY_REDIS_URL": self.servers.valkey.url(),
            "GATEWAY_SECRET_KEY": self.secret_key,
            "GATEWAY_LOG_LEVEL": plan.log_level,
            "GATEWAY_METRICS__PORT": "0",
            "GATEWAY_METRICS__WORKER_PORT": "0",
            "GATEWAY_ORDERS__OUT_OF_STOCK_SECONDS": str(OUT_OF_STOCK_SECONDS),
            "GATEWAY_ORDERS__NO_BALANCE_SECONDS": str(NO_BALANCE_SECONDS),
            "GATEWAY_SYNC__INTERVAL_SECONDS": "36000",
            "GATEWAY_SUPPLIERS": json.dumps(self.accounts()),
            # What is taken out is imported before the folder in which a process starts is looked at.
            "PYTHONPATH": os.pathsep.join(map(str, (TAKEN_OUT, ROOT))),
            "PYTHONUNBUFFERED": "1",
            "CHAOS_HURRY": str(plan.send),
            "CHAOS_HOLD": str(plan.hold),
            "CHAOS_POLLS": " ".join(map(str, (*plan.poll_ages, plan.poll_every))),
            "CHAOS_OVERDUE": "" if plan.overdue == 60 else str(plan.overdue),
            "CHAOS_HEARTBEAT": str(plan.heartbeat),
            "CHAOS_CARELESS": "1" if plan.careless else "",
            "CHAOS_WITHOUT": " ".join(plan.without),
            **plan.more,
        }

    def accounts(self) -> dict[str, dict[str, Any]]:
        """One account at each supplier, and one at which checkouts are paid."""
        manifests = load_manifests()
        plan = self.plan
        return {
            name: {
                **manifests[name].sandbox_settings,
                **({"email_domain": EMAIL_DOMAIN} if name == "beppay" else {}),
                "provider": name,
                "mode": "test",
                "base_url": self.urls[name],
                "requests_per_minute": 10**6,
                "timeout_seconds": plan.timeout,
                "quiescence_seconds": plan.quiescence,
                "provisioning_seconds": plan.provisioning,
            }
            for name in (*SUPPLIERS, PAYMENTS)
        }

    def _start_sandboxes(self) -> dict[str, str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.sandboxes", str(self.folder / "books")],
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - no thread is started before
        )
        self._others.append(process)
        assert process.stdout is not None
        urls: dict[str, str] = json.loads(process.stdout.readline())
        return urls

    def _gateway(self, name: str, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
        with (self.logs / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [*self._where(name), sys.executable, "-m", "gateway", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment(name) | more,
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - as above
            )

    def _until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        for url, serve in zip(self.serve_urls, self._serves, strict=True):
            while not _is_ready(url):
                assert serve.poll() is None, f"serve ended with {serve.returncode}, see {self.logs}"
                assert time.monotonic() < deadline, f"the API does not come up, see {self.logs}"
                time.sleep(0.1)


def runs(pid: int) -> bool:
    """Whether a process is there and neither stopped nor dead."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"T", "t", "Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return False


def _is_ready(url: str) -> bool:
    try:
        with urlopen(f"{url}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
