"""HAProxy with a configuration of the test's own, and its command socket."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

from gateway.kit.processes import bound
from gateway.runtime.embedded_servers import Server
from tests.kit.programs import program

_GLOBAL = """
global
    stats socket {socket} level admin
    maxconn 4000
defaults
    mode tcp
    timeout connect 2s
    timeout client 1h
    timeout server 1h
"""


class HAProxy(Server):
    """Passes connections on as ``config`` says; ``where`` is a command that runs it elsewhere (``nsenter``)."""

    title = "HAProxy"
    stop_signals = (signal.SIGTERM,)

    def __init__(self, folder: Path, control: Path, config: str, where: tuple[str, ...] = ()) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder / "haproxy.log")
        self._program = program("haproxy")
        self._file = folder / "haproxy.cfg"
        self._control = control
        self._text = f"{_GLOBAL.format(socket=control)}{config}\n"
        self._where = where

    def prepare(self) -> None:
        self._control.unlink(missing_ok=True)
        self._file.write_text(self._text, "utf-8")

    def command(self) -> list[str]:
        return [*self._where, *bound(signal.SIGTERM), self._program, "-db", "-f", str(self._file)]

    def ready(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self._control)) == 0

    def tell(self, command: str) -> str:
        """Send a command to its socket; what it says to that."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._control))
            connection.sendall(f"{command}\n".encode())
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode().strip()
