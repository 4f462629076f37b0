"""Prices of a snapshot's costs under one rule set in one currency, worked out once and then looked up."""

from __future__ import annotations

from collections import OrderedDict
from decimal import ROUND_FLOOR, Decimal
from functools import cached_property
from typing import NamedTuple, cast

import numpy as np

from gateway.catalog.index.layout import Array
from gateway.catalog.index.rule_prices import RulePrices
from gateway.pricing.price_rules import minor_per_day, minor_per_gb
from schemas.money import Money, currency_digits

MAX_VIEWS = 8  # how many currencies of one rule set are remembered
FRAGMENTS = 50_000
READY_BYTES = 4 * 1024 * 1024
MAX_DAYS = 4
NO_PRICE = b'"price":null,"price_per_gb":null,"price_per_day":null,'


class Within(NamedTuple):
    """Rows up to a price, ``minor``: those with a slot below ``end``, or those that ``mask`` allows (-1: its last)."""

    minor: int
    slots: Array
    end: int | None
    mask: Array | None

    def holds(self, rows: Array) -> Array:
        """For each of the rows whether it is one."""
        slots = self.slots.take(rows)
        if self.mask is not None:
            return self.mask.take(slots)
        return np.asarray((slots >= 0) & (slots < self.end))


class Ready:
    """Plans put together under one price view, and how many bytes they hold."""

    def __init__(self) -> None:
        self.rows: dict[int, tuple[bytes, bytes]] = {}
        self.size = 0

    def put(self, row: int, start: bytes, end: bytes) -> None:
        self.rows[row] = start, end
        self.size += len(start) + len(end)


class PriceView:
    """``minor`` is the price of each slot in minor units, ``slots`` the slot of each row (-1 without a cost).

    With ``even`` a slot is a distinct cost, and prices ascend as costs do. Otherwise they ascend within each rule.
    """

    def __init__(self, rule_prices: RulePrices, currency: str) -> None:
        self.rule_prices = rule_prices
        self.currency = currency
        self.digits = currency_digits(currency)
        self.minor: Array = rule_prices.minor(currency)
        self.slots = rule_prices.slots
        self.even = rule_prices.even
        self._pieces: dict[tuple[int, int, int], bytes] = {}
        self._ready: dict[int | None, Ready] = {}

    def ready(self, days: int | None) -> dict[int, tuple[bytes, bytes]]:
        """Plans that were put together before: by row, what stands before and after stock and staleness."""
        memory = self._ready.get(days)
        return memory.rows if memory is not None else {}

    def room_for(self, days: int | None, keep: list[int]) -> Ready:
        """Where more of them may be put; the oldest are let go when there are too many, but for those to keep."""
        memory = self._ready.get(days)
        if memory is None:
            if len(self._ready) >= MAX_DAYS:
                self._ready.clear()
            memory = self._ready[days] = Ready()
        if memory.size > READY_BYTES:
            kept = {row: memory.rows[row] for row in keep}
            memory = self._ready[days] = Ready()
            for row, parts in kept.items():
                memory.put(row, *parts)
        return memory

    def whole(self, price: Decimal) -> int:
        """An amount in minor units, what is over let fall."""
        return min(int(price.scaleb(self.digits).to_integral_value(ROUND_FLOOR)), 2**62)

    def costs_within(self, minor: int) -> int:
        """Among so many of the distinct costs, from the lowest on, are all that have a price of at most this."""
        return int(self.minor.searchsorted(minor, "right") if self.even else self.ends(minor))

    def ends(self, minor: Array | int) -> Array:
        """``costs_within`` of each of these prices."""
        if self.even:
            return np.asarray(self.minor.searchsorted(minor, "right"))
        prices, most, _ = self._by_price
        return most.take(prices.searchsorted(minor, "right"))

    def begins(self, minor: Array | int) -> Array:
        """The lowest of the distinct costs that has a price of at least this, for each; their number when none has."""
        if self.even:
            return np.asarray(self.minor.searchsorted(minor, "left"))
        prices, _, least = self._by_price
        return least.take(prices.searchsorted(minor, "left"))

    def highest_within(self, costs: int) -> int | None:
        """The highest price all of whose slots up to it are among the first so many costs; None when none is."""
        prices, most, _ = self._by_price
        place = int(most.searchsorted(costs, "right")) - 2
        return int(prices[place]) if place >= 0 else None

    def lowest_from(self, cost: int) -> int | None:
        """The lowest price all of whose slots from it on have at least this cost; None when none is."""
        prices, _, least = self._by_price
        place = int(least.searchsorted(cost, "left"))
        return int(prices[place]) if place < len(prices) else None

    @cached_property
    def _by_price(self) -> tuple[Array, Array, Array]:
        """(prices of slots ascending, costs among which all up to each lie, the lowest cost from each on).

        The second has one entry more, before the first price; the third one more, behind the last.
        """
        costs = self.rule_prices.slot_cost
        order = np.argsort(self.minor, kind="stable")
        by_price = costs.take(order)
        most = np.zeros(len(order) + 1, dtype=np.int64)
        np.maximum.accumulate(by_price + 1, out=most[1:])
        least = np.full(len(order) + 1, len(self.rule_prices.snapshot.columns["cost_low"]), dtype=np.int64)
        least[:-1] = np.minimum.accumulate(by_price[::-1])[::-1]
        return self.minor.take(order), most, least

    def within(self, minor: int) -> Within:
        """Which rows have a price of at most this."""
        if self.even:
            return Within(minor, self.slots, self.costs_within(minor), None)
        return Within(minor, self.slots, None, np.append(self.minor <= minor, False))

    def prices(self, rows: Array) -> Array:
        """The prices of these rows in minor units; all of them must have one."""
        found: Array = self.minor.take(self.slots.take(rows))
        return found

    def money(self, row: int) -> Money:
        """The price of a row."""
        return Money.from_minor(int(self.minor[self.slots[row]]), self.currency)

    def explanation(self, slot: int) -> str | None:
        """How the price of a slot comes about, for operators; None for a cost that is not known."""
        return None if slot < 0 else self.rule_prices.explanation(slot)

    def amount(self, minor: int) -> str:
        """Minor units as text: "5.50"."""
        if not self.digits:
            return str(minor)
        text = str(minor).rjust(self.digits + 1, "0")
        return f"{text[: -self.digits]}.{text[-self.digits :]}"

    def priced(self, slot: int) -> bytes:
        """The price of a slot as JSON; null for a cost that is not known."""
        return b"null" if slot < 0 else self.price_json(int(self.minor[slot]))

    def piece(self, slot: int, full_mb: int, days: int) -> bytes:
        """The members price, price_per_gb and price_per_day; no price per GB without data at full speed."""
        if slot < 0:
            return NO_PRICE
        key = (slot, full_mb, days)
        found = self._pieces.get(key)
        if found is None:
            if len(self._pieces) >= FRAGMENTS:
                self._pieces.clear()
            found = self._pieces[key] = self._piece(int(self.minor[slot]), full_mb, days)
        return found

    def _piece(self, minor: int, full_mb: int, days: int) -> bytes:
        per_gb = b"null" if full_mb <= 0 else self.price_json(minor_per_gb(minor, full_mb))
        return b'"price":%b,"price_per_gb":%b,"price_per_day":%b,' % (
            self.price_json(minor),
            per_gb,
            self.price_json(minor_per_day(minor, days)),
        )

    def price_json(self, minor: int) -> bytes:
        """Minor units as JSON."""
        return f'{{"amount":"{self.amount(minor)}","currency":"{self.currency}"}}'.encode()


def view_of(rule_prices: RulePrices, currency: str) -> PriceView:
    """Prices in a currency, worked out when first asked for. Raises ``NoRate``.

    The least used of too many is let go.
    """
    views = cast("OrderedDict[str, PriceView]", rule_prices.views)
    view = views.get(currency)
    if view is None:
        view = views[currency] = PriceView(rule_prices, currency)
        if len(views) > MAX_VIEWS:
            views.popitem(last=False)
    else:
        views.move_to_end(currency)
    return view
