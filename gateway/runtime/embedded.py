"""Real servers for one machine: PostgreSQL and Valkey from their packages' binaries.

``start(state_dir)`` gives both, with PostgreSQL's data under the state folder; ``running(state_dir)``
finds those that another process started there. They end with the process that started them, even
when it is killed. One process owns them at a time, by a lock that the kernel drops with it.

PostgreSQL keeps what it was told: fsync and synchronous_commit stay on. Valkey is a cache and keeps
nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.runtime.embedded_servers import DATABASE, Postgres, Server, Valkey
from schemas.errors import ConfigurationError

RUNNING_FILE = "servers.json"
_LONGEST_SOCKET_PATH = 100  # the kernel allows 107
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Running:
    """Where the servers of a state folder are, and who owns them. None for one that was not wanted.

    The ``…_url`` are Unix sockets, the ``…_tcp_url`` the same servers on loopback for other tools.
    """

    owner: int
    database_url: str | None = None
    database_tcp_url: str | None = None
    redis_url: str | None = None
    redis_tcp_url: str | None = None
    postgres_pid: int | None = None
    valkey_pid: int | None = None


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


def start(state_dir: Path, *, postgres: bool = True, valkey: bool = True) -> Servers:
    """Start the servers for this state folder, or find those that already run for it.

    Ready when it returns. Call it from the main thread: the servers end with the thread that
    started them. Raises ``ConfigurationError`` when the machine cannot run them, saying what to do.
    """
    state_dir = state_dir.absolute()
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"cannot make the state folder {state_dir}: {error.strerror}") from None
    deadline = time.monotonic() + _PATIENCE
    while True:
        if (lock := _locked(state_dir, fcntl.LOCK_EX)) is not None:
            return _started(state_dir, lock, postgres=postgres, valkey=valkey)
        if (found := running(state_dir)) is not None:
            return Servers(found, owned=None)
        if time.monotonic() > deadline:
            raise ConfigurationError(
                f"another process holds {state_dir / 'lock'} but shows no servers in {_PATIENCE:.0f} s; "
                "end it, or choose another --state-dir"
            )
        time.sleep(0.05)


@dataclass(frozen=True, slots=True)
class _Owned:
    postgres: Postgres | None
    valkey: Valkey | None
    lock: int
    running_file: Path

    def servers(self) -> list[Server]:
        return [server for server in (self.valkey, self.postgres) if server is not None]


class Servers:
    """The servers of a state folder. ``close`` stops them if this process started them."""

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
        if self._owned is None or self._owned.postgres is None:
            raise RuntimeError("this process runs no PostgreSQL")
        return self._owned.postgres

    @property
    def valkey(self) -> Valkey:
        """The Valkey of this process's own, to be stopped and started alone."""
        if self._owned is None or self._owned.valkey is None:
            raise RuntimeError("this process runs no Valkey")
        return self._owned.valkey

    def fallen(self) -> str | None:
        """Which server of our own has ended by itself, and where its log is; None while all live."""
        for server in self._owned.servers() if self._owned else ():
            if not server.alive():
                return f"{server.title} ended by itself; its log: {server.log}"
        return None

    def revive(self) -> None:
        """Start again which of our own have ended by themselves, where they were before."""
        owned = self._owned
        if owned is None:
            return
        for server in owned.servers():
            if not server.alive():
                server.start()
        self.where = _show(owned.running_file, owned.postgres, owned.valkey)

    def close(self) -> None:
        """Stop our own, wait for their end and free the state folder."""
        owned, self._owned = self._owned, None
        if owned is None:
            return
        owned.running_file.unlink(missing_ok=True)
        for server in owned.servers():
            server.stop()
        os.close(owned.lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _started(state_dir: Path, lock: int, *, postgres: bool, valkey: bool) -> Servers:
    running_file = state_dir / RUNNING_FILE
    running_file.unlink(missing_ok=True)
    begun: list[Server] = []
    try:
        sockets = _socket_folder(state_dir)
        database = Postgres(state_dir, sockets) if postgres else None
        cache = Valkey(state_dir, sockets) if valkey else None
        if database is not None:
            begun.append(database)
            database.start()
            database.create_database(DATABASE)
        if cache is not None:
            begun.append(cache)
            cache.start()
    except BaseException:
        for server in begun:
            server.stop()
        os.close(lock)
        raise
    where = _show(running_file, database, cache)
    return Servers(where, _Owned(database, cache, lock, running_file))


def _show(running_file: Path, database: Postgres | None, cache: Valkey | None) -> Running:
    """Write down where the servers are, for those who look for them."""
    where = Running(
        owner=os.getpid(),
        database_url=database.url() if database else None,
        database_tcp_url=database.tcp_url() if database else None,
        redis_url=cache.url() if cache else None,
        redis_tcp_url=cache.tcp_url() if cache else None,
        postgres_pid=database.pid if database else None,
        valkey_pid=cache.pid if cache else None,
    )
    half = running_file.with_suffix(".new")
    half.unlink(missing_ok=True)
    half.touch(mode=0o600)
    half.write_text(json.dumps(asdict(where), indent=2) + "\n", "utf-8")
    half.rename(running_file)
    return where


def _locked(state_dir: Path, how: int) -> int | None:
    """The lock of a state folder as an open file, None while another process holds it."""
    try:
        lock = os.open(state_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError:
        raise ConfigurationError(f"the state folder {state_dir} belongs to another user") from None
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
