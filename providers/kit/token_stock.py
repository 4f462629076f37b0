"""Leased tokens in the memory of a process: for which priority they were leased, and until when they may be used."""

from __future__ import annotations

import math
from dataclasses import dataclass

from providers.kit.supplier_rate import Priority

# A lease is at most so many times as large as the one before, so that a first call takes one token and not 32.
_GROWTH = 4


@dataclass(slots=True)
class _Lot:
    """Tokens of one lease. They serve calls at least as urgent as ``priority``, whose reserved share they respect."""

    priority: Priority
    count: int
    expiry: float


@dataclass(slots=True)
class _Demand:
    """The latest lease of a priority, and how much of it was used."""

    leased_at: float
    granted: int
    used: int = 0


class TokenStock:
    """Tokens that were leased and not used yet. Times are seconds of the owner's clock."""

    def __init__(self) -> None:
        self._lots: list[_Lot] = []
        self._demand: dict[Priority, _Demand] = {}

    def add(self, priority: Priority, count: int, leased_at: float, expiry: float) -> None:
        """Put a lease into the stock."""
        self._lots.append(_Lot(priority, count, expiry))
        self._demand[priority] = _Demand(leased_at, count)

    def put_back(self, priority: Priority, expiry: float) -> None:
        """Put back one token that was taken and not used."""
        self._lots.append(_Lot(priority, 1, expiry))

    def take(self, priority: Priority, now: float) -> float | None:
        """Take the token that expires first of those that this priority may use; its expiry, None without one."""
        self._drop_expired(now)
        usable = [lot for lot in self._lots if lot.priority >= priority]
        if not usable:
            return None
        lot = min(usable, key=lambda lot: lot.expiry)
        lot.count -= 1
        if lot.count == 0:
            self._lots.remove(lot)
        if (demand := self._demand.get(lot.priority)) is not None:
            demand.used += 1
        return lot.expiry

    def has(self, priority: Priority, now: float) -> bool:
        """Whether ``take`` would find a token."""
        return any(lot.priority >= priority and lot.expiry > now for lot in self._lots)

    def clear(self) -> None:
        """Throw all tokens away."""
        self._lots.clear()

    def expected_demand(self, priority: Priority, now: float) -> int:
        """How many tokens the next second will need, judged by the latest lease; at least 1.

        What is leased and not used is lost to all processes, so a lease follows the rate at which tokens are used.
        """
        demand = self._demand.get(priority)
        if demand is None:
            return 1
        elapsed = max(now - demand.leased_at, 1e-3)
        return max(1, min(_GROWTH * demand.granted, math.ceil(demand.used / elapsed)))

    def _drop_expired(self, now: float) -> None:
        if any(lot.expiry <= now for lot in self._lots):
            self._lots = [lot for lot in self._lots if lot.expiry > now]
