"""What fast admission chooses from, in memory: offers, rules, rates and funds, each with the version it was read at.

Admission's statement compares the version, so nothing that was remembered too long is ever sold; it costs a second
try then. NOTIFY lets go of it before that.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from gateway.orders.admission_rows import Version

if TYPE_CHECKING:
    from gateway.access.key_rows import Mode
    from gateway.pricing.pricing import Prices
    from gateway.selling.candidate_rows import Stored
    from gateway.suppliers.spendable_rules import Funds

T = TypeVar("T")

MOST_PLANS = 5000
MOST_STOREFRONTS = 500
OFFERS_SECONDS = 300.0
PRICES_SECONDS = 60.0
FUNDS_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class RememberedOffers:
    """The offers of a plan as they stand at a version of the catalogue, until a mark of one ends by the clock."""

    version: Version
    until: float
    stored: tuple[Stored, ...]


@dataclass(frozen=True, slots=True)
class RememberedPrices:
    """What makes a storefront's prices at a version of the catalogue, until a rule begins or ends by the clock."""

    version: Version
    until: float
    prices: Prices


@dataclass(slots=True)
class OfferMemory:
    """One process's memory. Times are those of the event loop's clock.

    ``reserved`` is what this process has begun to spend at each supplier since ``funds`` were read, in base currency.
    """

    offers: OrderedDict[tuple[Mode, str], RememberedOffers] = field(default_factory=OrderedDict)
    prices: OrderedDict[str, RememberedPrices] = field(default_factory=OrderedDict)
    funds: dict[str, Funds] = field(default_factory=dict)
    funds_read_at: float = float("-inf")
    reserved: dict[str, Decimal] = field(default_factory=dict)
    _loading: dict[Hashable, asyncio.Task[Any]] = field(default_factory=dict)

    async def once(self, what: Hashable, load: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What ``load`` gives; whoever needs the same while it runs waits for it and loads nothing."""
        task = self._loading.get(what)
        if task is None:
            task = self._loading[what] = asyncio.create_task(load(), name=f"load {what}")
            task.add_done_callback(lambda _: self._loading.pop(what))
        found: T = await asyncio.shield(task)
        return found

    def forget(self) -> None:
        """Let go of what a change of the catalogue made old. Funds have a time of their own."""
        self.offers.clear()
        self.prices.clear()

    def offers_of(self, mode: Mode, plan_id: str, now: float) -> RememberedOffers | None:
        """The plan's offers, while they stand."""
        found = self.offers.get((mode, plan_id))
        return found if found is not None and now < found.until else None

    def prices_of(self, storefront_id: str, now: float) -> RememberedPrices | None:
        """What makes the storefront's prices, while it stands."""
        found = self.prices.get(storefront_id)
        return found if found is not None and now < found.until else None

    def keep_offers(self, mode: Mode, plan_id: str, found: RememberedOffers) -> None:
        """Remember a plan's offers; the oldest make room."""
        self.offers[mode, plan_id] = found
        self.offers.move_to_end((mode, plan_id))
        if len(self.offers) > MOST_PLANS:
            self.offers.popitem(last=False)

    def forget_offers(self, mode: Mode, plan_id: str) -> None:
        """Let go of a plan's offers: when a supplier was last read is no part of the version."""
        self.offers.pop((mode, plan_id), None)

    def keep_prices(self, storefront_id: str, found: RememberedPrices) -> None:
        """Remember what makes a storefront's prices; the oldest make room."""
        self.prices[storefront_id] = found
        self.prices.move_to_end(storefront_id)
        if len(self.prices) > MOST_STOREFRONTS:
            self.prices.popitem(last=False)

    def keep_funds(self, found: dict[str, Funds], now: float) -> None:
        """Remember the funds of every supplier; what was reserved before stands in them."""
        self.funds, self.funds_read_at = found, now
        self.reserved.clear()

    def funds_fresh(self, now: float) -> bool:
        """Whether the funds need not be read again."""
        return now - self.funds_read_at < FUNDS_SECONDS

    def reserve(self, supplier: str, amount: Decimal) -> None:
        """Count what is about to be spent."""
        self.reserved[supplier] = self.reserved.get(supplier, Decimal(0)) + amount
