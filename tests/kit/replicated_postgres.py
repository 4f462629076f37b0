"""A PostgreSQL with a standby that streams from it, and the failover from one to the other."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

from gateway.kit.processes import footing, working_in
from gateway.runtime.embedded import _socket_folder
from gateway.runtime.embedded_servers import _SOCKET_PORT, _USER, DATABASE, Postgres

_PATIENCE = 60.0
_PASSWORD_FILE = "postgres.password"


class ReplicatedPostgres(Postgres):
    """One of the two."""

    settings: Mapping[str, str] = {
        **Postgres.settings,
        "wal_level": "replica",
        "max_wal_senders": "4",
        "wal_keep_size": "512MB",
    }


class Cluster:
    """``primary`` takes writes until ``fail_over``.

    ``synchronous`` commits wait until the standby has them on its disk; the others may be lost with the primary.
    """

    def __init__(self, folder: Path, *, synchronous: bool) -> None:
        self.primary, self.standby = (_server(folder / name) for name in ("one", "two"))
        self._synchronous = synchronous

    def __enter__(self) -> Self:
        try:
            self.primary.start()
            self.primary.create_database(DATABASE)
            self._copy()
            self.standby.start()
            self.wait_until_streaming()
            if self._synchronous:
                _ask(self.primary, "ALTER SYSTEM SET synchronous_standby_names = '*'")
                _ask(self.primary, "SELECT pg_reload_conf()")
                _wait(lambda: _ask(self.primary, "SELECT sync_state FROM pg_stat_replication") == "sync")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for server in (self.standby, self.primary):
            server.stop()

    def wait_until_streaming(self) -> None:
        """Wait until the standby has everything that the primary has committed."""
        behind = "SELECT replay_lsn = pg_current_wal_lsn() FROM pg_stat_replication WHERE state = 'streaming'"
        _wait(lambda: _ask(self.primary, behind) == "t")

    def kill_primary(self) -> None:
        """End every process of the primary with -9: none of them may commit once the standby takes writes."""
        while self.primary.alive() or working_in(self.primary.folder):
            for pid in working_in(self.primary.folder):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)

    def fail_over(self) -> None:
        """Kill the primary and let the standby take writes. It has no standby of its own then."""
        self.kill_primary()
        self.promote()

    def promote(self) -> None:
        """Let the standby take writes in place of the primary, which is dead."""
        assert _ask(self.standby, f"SELECT pg_promote(true, {_PATIENCE:.0f})") == "t"
        self.primary, self.standby = self.standby, self.primary

    def _copy(self) -> None:
        where = ("-h", str(self.primary.sockets), "-p", str(_SOCKET_PORT), "-U", _USER)
        options = ("-D", str(self.standby.folder), "-X", "stream", "-R", "-c", "fast")
        program = str(self.primary.bin / "pg_basebackup")
        # With the same password, as every copy of a database has it.
        shutil.copy(self.primary.folder.parent / _PASSWORD_FILE, self.standby.folder.parent / _PASSWORD_FILE)
        _run([*footing(signal.SIGINT).prefix, program, *where, *options])


def _server(folder: Path) -> ReplicatedPostgres:
    folder.mkdir(mode=0o700, parents=True)
    return ReplicatedPostgres(folder, _socket_folder(folder))


def _ask(server: Postgres, statement: str) -> str:
    """What one statement answers, as text."""
    where = ("-h", str(server.sockets), "-p", str(_SOCKET_PORT), "-U", _USER, "-d", DATABASE)
    return _run([str(server.bin / "psql"), *where, "-X", "-A", "-t", "-c", statement]).strip()


def _run(command: list[str]) -> str:
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def _wait(is_there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not is_there():
        assert time.monotonic() < deadline, "the standby does not follow"
        time.sleep(0.05)
