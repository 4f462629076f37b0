"""A supplier's items as one answer may show them, with the faults of that request applied."""

from __future__ import annotations

from dataclasses import dataclass

from providers.simulator.items import Item


@dataclass(slots=True)
class Listing:
    """The items that one request may show, in a stable order.

    ``total`` is what to state as their number, ``len(items)`` but for a fault. ``reached`` is the end
    of the furthest page that was taken.
    """

    items: list[Item]
    total: int
    empty_from: int | None = None
    reached: int = 0

    def page(self, offset: int, limit: int) -> list[Item]:
        """``limit`` items from ``offset`` on; fewer at the end."""
        self.reached = max(self.reached, min(offset + limit, len(self.items)))
        if self.empty_from is not None and offset >= self.empty_from:
            return []
        return self.items[offset : offset + limit]

    def all(self) -> list[Item]:
        """Every item, for a supplier whose page has no paging."""
        return self.page(0, len(self.items))
