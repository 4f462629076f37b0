"""A supplier's answers as they came over the wire, kept so that they can be read again.

``recording`` collects what the calls of a task were answered; ``playing_back`` gives it to the same calls again, so
that a plugin reads an answer a second time with the very code that read it the first time. Nothing that spends is
sent while playing back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import msgspec

# Headers that a status or a body is read with; the others may name the account.
_HEADERS = ("content-type", "date", "retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


class Answer(msgspec.Struct, frozen=True):
    """One answer: ``headers`` are those that matter (names in lower case), ``body`` is decompressed."""

    method: str
    path: str
    status: int
    headers: dict[str, str]
    body: bytes


class Recorded(msgspec.Struct, frozen=True):
    """All answers of one call of a plugin, in order."""

    answers: tuple[Answer, ...]


@dataclass(slots=True)
class Recording:
    """Answers while they come in."""

    answers: list[Answer] = field(default_factory=list)

    def finished(self) -> Recorded | None:
        """What was recorded; None when nothing was answered."""
        return Recorded(tuple(self.answers)) if self.answers else None


class _Playback:
    def __init__(self, recorded: Recorded) -> None:
        self._left = list(recorded.answers)

    def next(self, method: str, path: str) -> Answer | None:
        """The first answer to such a call that was not given yet."""
        for number, answer in enumerate(self._left):
            if (answer.method, answer.path) == (method, path):
                return self._left.pop(number)
        return None


_recording: ContextVar[Recording | None] = ContextVar("recording", default=None)
_playback: ContextVar[_Playback | None] = ContextVar("playback", default=None)


@contextmanager
def recording() -> Iterator[Recording]:
    """Collect what this task's calls are answered."""
    collected = Recording()
    before = _recording.set(collected)
    try:
        yield collected
    finally:
        _recording.reset(before)


@contextmanager
def playing_back(recorded: Recorded) -> Iterator[None]:
    """Answer this task's calls with what was recorded. Reads that were not recorded go to the supplier."""
    before = _playback.set(_Playback(recorded))
    try:
        yield
    finally:
        _playback.reset(before)


def record(method: str, path: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Keep an answer, where somebody collects."""
    if (collected := _recording.get()) is not None:
        kept = {name.lower(): value for name, value in headers.items() if name.lower() in _HEADERS}
        collected.answers.append(Answer(method, path, status, kept, body))


def is_playing_back() -> bool:
    """Whether this task's calls are answered from a recording."""
    return _playback.get() is not None


def played_back(method: str, path: str) -> Answer | None:
    """The recorded answer to a call; None when none is left, or nothing is played back."""
    playback = _playback.get()
    return None if playback is None else playback.next(method, path)
