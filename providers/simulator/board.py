"""What is told to go wrong, each with its count: it spares some calls, strikes some, and is lifted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar


class Counted(Protocol):
    """It spares the first ``after`` calls, then strikes ``calls`` of them; None is until it is cleared."""

    @property
    def calls(self) -> int | None: ...

    @property
    def after(self) -> int: ...


T = TypeVar("T", bound=Counted)


@dataclass(slots=True)
class _InForce(Generic[T]):
    what: T
    seen: int = 0


@dataclass(slots=True)
class Board(Generic[T]):
    """What is, or will be, in force."""

    _entries: list[_InForce[T]] = field(default_factory=list)

    def add(self, what: T) -> None:
        self._entries.append(_InForce(what))

    def clear(self) -> None:
        self._entries.clear()

    def listed(self) -> list[T]:
        """All that is there, in the order in which it was added."""
        return [entry.what for entry in self._entries]

    def count(self, meant: Callable[[T], bool]) -> list[T]:
        """Count one call for all that are ``meant``, and say which strike. Used-up ones are lifted."""
        struck = []
        for entry in list(self._entries):
            what = entry.what
            if not meant(what):
                continue
            entry.seen += 1
            if entry.seen <= what.after:
                continue
            if what.calls is not None and entry.seen >= what.after + what.calls:
                self._entries.remove(entry)
            struck.append(what)
        return struck
