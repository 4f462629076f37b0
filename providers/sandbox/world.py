"""What all suppliers sell: generated from a seed, or dealt out from a market price list."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from providers.sandbox.faults import Fault
from providers.sandbox.item import Item

DEFAULT_SEED = 7


class SandboxWorld:
    """The items of every supplier, and what was changed about them since.

    Nothing changes by itself: two looks without a control call between them see the same. The same
    suppliers, seed and market file give the same items in every process. ``market`` is a CSV with the
    columns date, competitor, country, data, days, price_usd, source_url; its brands, sorted, are dealt
    round-robin to the suppliers, sorted.

    ``enforce_rate_limits`` False keeps the sandboxes' rate-limit headers but never refuses.
    """

    def __init__(
        self,
        suppliers: Iterable[str],
        seed: int = DEFAULT_SEED,
        market: Path | None = None,
        *,
        enforce_rate_limits: bool = True,
    ) -> None:
        self.suppliers = tuple(sorted(suppliers))
        self.seed = seed
        self.market = market
        self.enforce_rate_limits = enforce_rate_limits
        self._faults: dict[str, list[Fault]] = {name: [] for name in self.suppliers}

    def items(self, supplier: str) -> list[Item]:
        """What the supplier has now, in a stable order: after drift, new prices, stock and removals."""
        raise NotImplementedError

    def item(self, supplier: str, key: str) -> Item | None:
        """One item as it is now; None when there is none of that key or it was removed."""
        raise NotImplementedError

    def set_price(self, supplier: str, key: str, price: Decimal) -> None:
        """Give one item another price (USD). Raises ``KeyError`` for an unknown key."""
        raise NotImplementedError

    def set_stock(self, supplier: str, key: str, stock: int | None) -> None:
        """Give one item another stock; None is plenty. Raises ``KeyError`` for an unknown key."""
        raise NotImplementedError

    def remove(self, supplier: str, keys: Iterable[str]) -> None:
        """Take items out of the catalogue. Raises ``KeyError`` for an unknown key."""
        raise NotImplementedError

    def drift(self, supplier: str, *, share: float = 0.05, by: float = 0.10) -> list[str]:
        """Move the prices of a ``share`` of the items by up to ``by`` either way; the keys that moved.

        Each call moves others, the same ones in the same order for the same seed.
        """
        raise NotImplementedError

    def sell(self, supplier: str, key: str) -> bool:
        """Take one of an item's stock; False when it is gone or sold out."""
        raise NotImplementedError

    def reset(self, supplier: str) -> None:
        """Undo every change and fault."""
        raise NotImplementedError

    def add_fault(self, supplier: str, fault: Fault) -> None:
        """Put a fault in force, besides those that are."""
        raise NotImplementedError

    def clear_faults(self, supplier: str) -> None:
        """Lift every fault of the supplier."""
        raise NotImplementedError
