"""pgbouncer in front of a test's PostgreSQL, with the settings of ``deploy/pgbouncer``."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from gateway.kit.processes import footing
from gateway.runtime.embedded_servers import Server
from tests.kit.programs import program
from tests.layout import ROOT

SAMPLE = ROOT / "deploy" / "pgbouncer" / "pgbouncer.ini"


class PgBouncer(Server):
    """Shares a few sessions of the database at ``database_url``."""

    title = "pgbouncer"
    stop_signals = (signal.SIGTERM,)

    def __init__(self, folder: Path, database_url: str, *, sessions: int = 40, limited: bool = True) -> None:
        super().__init__(folder / "pgbouncer.log")
        self.program = program("pgbouncer")
        self.ini = folder / "pgbouncer.ini"
        parts = urlsplit(database_url)
        self._where = {"host": parts.hostname or "", "port": str(parts.port), "password": parts.password or ""}
        self._where |= {name: values[0] for name, values in parse_qs(parts.query).items()}  # those of a Unix socket
        self._where |= {"user": parts.username or "", "dbname": parts.path.strip("/")}
        self._sessions = sessions
        self._limited = limited
        self._footing = footing(signal.SIGTERM)

    @property
    def url(self) -> str:
        """Where the gateway finds it."""
        return f"postgresql://{self._where['user']}@127.0.0.1:{self.tcp_port}/gateway"

    def prepare(self) -> None:
        text = SAMPLE.read_text("utf-8")
        where = " ".join(f"{name}={value}" for name, value in self._where.items() if value)
        text = re.sub(r"(?m)^gateway = host=\S+ port=\d+ dbname=\S+", f"gateway = {where}", text)
        if not self._limited:
            text = re.sub(r" connect_query='[^']*'", "", text)
        changes = {
            "listen_port": str(self.tcp_port),
            "auth_type": "any",
            "auth_file": "",
            "default_pool_size": str(self._sessions),
            "reserve_pool_size": "0",
        }
        for name, value in changes.items():
            text, count = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value}" if value else "", text)
            assert count == 1, name
        self.ini.write_text(text + "unix_socket_dir =\n", "utf-8")

    def command(self) -> list[str]:
        return [*self._footing.prefix, self.program, str(self.ini)]

    def ready(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.tcp_port)) == 0


@contextmanager
def pgbouncer(folder: Path, database_url: str, *, sessions: int = 40, limited: bool = True) -> Iterator[PgBouncer]:
    """A pooler until the end of the block. Without ``limited`` its sessions have no limits of time."""
    folder.mkdir(exist_ok=True)
    bouncer = PgBouncer(folder, database_url, sessions=sessions, limited=limited)
    bouncer.start()
    try:
        yield bouncer
    finally:
        bouncer.stop()
