"""Requests and answers, told to whoever listens in this task. Nobody does, but where an attempt is made or looked up.

Telling costs a few attribute writes: the bodies are handed on as they are, and scrubbed later by the one who keeps
them. Nothing in here can make a call fail.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from yarl import URL

from providers.kit.redaction import Redactor
from providers.kit.scrub import MOST_BYTES


@dataclass(slots=True)
class Exchange:
    """One request and what came back, as it went over the wire: to be scrubbed before it is kept or shown.

    ``status`` None: no answer. ``error`` is the code of what broke.
    """

    method: str
    url: URL
    request: bytes | None
    redact: Redactor
    base_path: str = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    ms: int = 0
    status: int | None = None
    answer: bytes | None = None
    error: str | None = None


Listener = Callable[[Exchange], None]
_listener: ContextVar[Listener | None] = ContextVar("exchanges", default=None)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Have every exchange of this task told to ``listener`` when it has ended."""
    before = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(before)


class CallRecorder:
    """One exchange while it is under way; told at its end, if anybody listens."""

    __slots__ = ("_began", "_exchange", "_listener")

    def __init__(self, method: str, url: URL, body: bytes | None, redact: Redactor, base_path: str) -> None:
        self._listener = _listener.get()
        self._exchange = None if self._listener is None else Exchange(method, url, body, redact, base_path)
        self._began = time.perf_counter()

    def answered(self, status: int, answer: bytes) -> None:
        """Note what came back."""
        if self._exchange is not None:
            # Whole price lists are read on the way; nobody keeps them in memory for this.
            kept = answer if len(answer) <= MOST_BYTES else f"[{len(answer)} bytes]".encode()
            self._exchange.status, self._exchange.answer = status, kept

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        exchange, listener = self._exchange, self._listener
        if exchange is None or listener is None:
            return
        exchange.ms = round((time.perf_counter() - self._began) * 1000)
        if error is not None:
            exchange.error = str(getattr(error, "code", type(error).__name__))
            exchange.status = exchange.status or getattr(error, "status", None)
        try:
            listener(exchange)
        except Exception:  # noqa: BLE001 - what is only noted must not lose what was bought
            return
