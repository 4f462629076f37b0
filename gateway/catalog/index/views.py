"""Prices of a snapshot's costs under one rule set in one currency, worked out once and then looked up."""

from __future__ import annotations

from collections import OrderedDict
from decimal import ROUND_FLOOR, Decimal
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from gateway.catalog.index.layout import Array
from gateway.catalog.index.rule_prices import RulePrices
from gateway.pricing.price_rules import minor_per_day, minor_per_gb
from schemas.money import Money, currency_digits

NULL = (1 << 62) - 1  # in the place of a price where there is none
MAX_VIEWS = 8  # how many currencies of one rule set are remembered
FRAGMENTS = 50_000
READY_BYTES = 4 * 1024 * 1024
MAX_FORMS = 4
NO_PRICE = b'"price":null,"price_per_gb":null,"price_per_day":null,'


Form: TypeAlias = tuple[int | None, bool]  # of a plan's JSON: the days that are asked for, and whether it has networks


class Within(NamedTuple):
    """Rows up to a price, ``minor``: those with a slot that ``allowed`` has (-1, without a price, is its last)."""

    minor: int
    slots: Array
    allowed: Array

    @property
    def all(self) -> bool:
        """Whether no price is above it."""
        return bool(self.allowed[:-1].all())

    def holds(self, rows: Array) -> Array:
        """For each of the rows whether it is one."""
        found: Array = self.allowed.take(self.slots.take(rows))
        return found


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
    ``orders`` are orders of lists by these prices, by name.
    """

    def __init__(self, rule_prices: RulePrices, currency: str) -> None:
        self.rule_prices = rule_prices
        self.currency = currency
        self.digits = currency_digits(currency)
        self.minor: Array = rule_prices.minor(currency)
        self.slots = rule_prices.slots
        self.even = rule_prices.even
        self.minor_or_none = np.append(self.minor, NULL)  # by slot, where -1 is one without a price
        self.orders: dict[tuple[str, int | None], Any] = {}
        self._pieces: dict[tuple[int, int, int], bytes] = {}
        self._ready: dict[Form, Ready] = {}

    def ready(self, form: Form) -> dict[int, tuple[bytes, bytes]]:
        """Plans that were put together before: by row, what stands before and after stock and staleness."""
        memory = self._ready.get(form)
        return memory.rows if memory is not None else {}

    def room_for(self, form: Form, keep: list[int]) -> Ready:
        """Where more of them may be put; the oldest are let go when there are too many, but for those to keep."""
        memory = self._ready.get(form)
        if memory is None:
            if len(self._ready) >= MAX_FORMS:
                self._ready.clear()
            memory = self._ready[form] = Ready()
        if memory.size > READY_BYTES:
            kept = {row: memory.rows[row] for row in keep}
            memory = self._ready[form] = Ready()
            for row, parts in kept.items():
                memory.put(row, *parts)
        return memory

    def whole(self, price: Decimal) -> int:
        """An amount in minor units, what is over let fall."""
        return min(int(price.scaleb(self.digits).to_integral_value(ROUND_FLOOR)), 2**62)

    def within(self, minor: int) -> Within:
        """Which rows have a price of at most this."""
        return Within(minor, self.slots, np.append(self.minor <= minor, False))

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
    views: OrderedDict[str, PriceView] = rule_prices.views
    view = views.get(currency)
    if view is None:
        view = views[currency] = PriceView(rule_prices, currency)
        if len(views) > MAX_VIEWS:
            views.popitem(last=False)
    else:
        views.move_to_end(currency)
    return view
