"""What can be made to go wrong at a sandbox, when it is told to."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

import msgspec


class FaultKind(StrEnum):
    """The first group spoils the answer, the second what the answer says."""

    DOWN = "down"  # the connection is closed without an answer
    SLOW = "slow"  # the answer comes after `seconds`
    SERVER_ERROR = "500"  # the answer is a 500 in the supplier's error form
    TRUNCATED = "truncated"  # the answer ends in the middle of its body
    HTML = "html"  # a 200 with a web page instead of JSON
    GZIP_BOMB = "gzip_bomb"  # a small compressed body that expands to 256 MB
    RATE_LIMITED = "rate_limited"  # 429 with Retry-After: `seconds`
    UNAUTHORISED = "unauthorised"  # 401, as if the key had been revoked
    MOVED = "moved"  # 404, as if the path were another one now
    WRONG_TOTAL = "wrong_total"  # the total says 137 more than there is
    VANISH_HALF = "vanish_half"  # every second item is gone
    VANISH_MIDWAY = "vanish_midway"  # answers that reach beyond the middle of the catalogue are cut off
    EMPTY_PAGES = "empty_pages"  # pages beyond the middle are empty, the total says otherwise
    PRICE_OFF_BY_TEN = "price_off_by_ten"  # all prices are a tenth


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fault in force: on paths that begin with ``path`` (below the supplier's base URL).

    It spares the first ``after`` calls, then lasts for ``calls`` of them; None is until it is cleared.
    ``seconds`` is the delay of ``slow`` and the Retry-After of ``rate_limited``.
    """

    kind: FaultKind
    path: str = "/"
    calls: Annotated[int, msgspec.Meta(ge=1)] | None = None
    after: Annotated[int, msgspec.Meta(ge=0)] = 0
    seconds: Annotated[float, msgspec.Meta(ge=0, le=600)] = 30.0


@dataclass(slots=True)
class _InForce:
    fault: Fault
    seen: int = 0


@dataclass(slots=True)
class FaultBoard:
    """The faults of one supplier, each with its count of calls."""

    _faults: list[_InForce] = field(default_factory=list)

    def add(self, fault: Fault) -> None:
        self._faults.append(_InForce(fault))

    def clear(self) -> None:
        self._faults.clear()

    def listed(self) -> list[Fault]:
        """The faults that are, or will be, in force."""
        return [entry.fault for entry in self._faults]

    def strike(self, path: str) -> dict[FaultKind, Fault]:
        """Count one call of ``path`` and say which faults hit it. Those that are used up are lifted."""
        hit: dict[FaultKind, Fault] = {}
        for entry in list(self._faults):
            fault = entry.fault
            if not path.startswith(fault.path):
                continue
            entry.seen += 1
            if entry.seen <= fault.after:
                continue
            hit[fault.kind] = fault
            if fault.calls is not None and entry.seen >= fault.after + fault.calls:
                self._faults.remove(entry)
        return hit
