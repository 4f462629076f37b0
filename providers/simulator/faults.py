"""What can be made to go wrong at a sandbox, when it is told to."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from providers.simulator.board import Board


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


class FaultBoard(Board[Fault]):
    """The faults of one supplier, each with its count of calls."""

    def strike(self, path: str) -> dict[FaultKind, Fault]:
        """Count one call of ``path`` and say which faults hit it. Those that are used up are lifted."""
        return {fault.kind: fault for fault in self.count(lambda fault: path.startswith(fault.path))}
