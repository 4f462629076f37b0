"""Which files of the tree run for one thing that is done, in the order in which they are first entered.

Counted is what the block calls, what the API does for requests that come meanwhile, and the tasks that either begins;
what the process does beside it (alerts, heartbeats, refreshing the catalogue) is not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any
from unittest.mock import patch

from gateway.api.connections import Connection
from gateway.api.gate import Gate

ROOT = Path(__file__).parents[2]
_COUNTED = ContextVar("counted", default=False)


@dataclass
class CallTrace:
    """``files`` as paths from the tree's root, each once; ``domains`` as they were entered, one after the other."""

    files: list[str] = field(default_factory=list)
    domains: list[str] = field(default_factory=list)
    _known: dict[str, str | None] = field(default_factory=dict)

    def entered(self, frame: FrameType, event: str, _: Any) -> None:
        """What ``sys.setprofile`` calls."""
        if event != "call" or frame.f_code.co_name == "<module>" or not _COUNTED.get():
            return
        name = frame.f_code.co_filename
        if name not in self._known:
            self._known[name] = path_of(name)
            if (path := self._known[name]) is not None:
                self.files.append(path)
        path = self._known[name]
        if path is None or not path.startswith("gateway/") or path.startswith("gateway/kit/"):
            return
        domain = path.split("/")[1]
        if not self.domains or self.domains[-1] != domain:
            self.domains.append(domain)

    @property
    def gateway_files(self) -> list[str]:
        """Files of ``gateway`` outside ``kit``."""
        return [path for path in self.files if path.startswith("gateway/") and not path.startswith("gateway/kit/")]


def path_of(filename: str) -> str | None:
    """A file's path in the tree; None for one that is no part of gateway, providers or schemas."""
    path = Path(filename)
    if not path.is_relative_to(ROOT):
        return None
    inside = path.relative_to(ROOT).as_posix()
    return inside if inside.startswith(("gateway/", "providers/", "schemas/")) else None


@contextmanager
def traced_calls() -> Iterator[CallTrace]:
    """Trace the calls of this thread that are made for what the block does."""
    trace, before, receive, handle = CallTrace(), sys.getprofile(), Connection.data_received, Gate.__call__

    def received(*args: Any) -> None:
        _COUNTED.set(True)  # what is answered at once, where it arrives
        receive(*args)

    async def counted(*args: Any, **named: Any) -> Any:
        _COUNTED.set(True)  # aiohttp gives a request no context of its own, and the next one is counted as well
        return await handle(*args, **named)

    token = _COUNTED.set(True)
    sys.setprofile(trace.entered)
    try:
        with patch.object(Connection, "data_received", received), patch.object(Gate, "__call__", counted):
            yield trace
    finally:
        sys.setprofile(before)
        _COUNTED.reset(token)
