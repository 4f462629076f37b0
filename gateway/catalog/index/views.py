"""Prices of a snapshot's costs under one rule set in one currency, worked out once and then looked up."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from decimal import ROUND_FLOOR, Decimal
from typing import Any, TypeAlias, cast

import numpy as np

from gateway.catalog.index.layout import Array
from gateway.catalog.index.rule_prices import RulePrices
from gateway.pricing.price_rules import minor_per_day, minor_per_gb
from schemas.money import Money, currency_digits

NULL = (1 << 62) - 1  # in the place of a price where there is none
MAX_VIEWS = 8  # how many currencies of one rule set are remembered
READY_BYTES = 8 * 1024 * 1024
NO_PRICE = b'"price":null,"price_per_gb":null,"price_per_day":null,'


# What a plan's JSON follows from under one price view: its row, how many of its offers can be sold, whether that row is
# stale, how much data its price per GB is of, and whether networks are shown.
PlanState: TypeAlias = tuple[int, int, bool, int, bool]


class PriceView:
    """``minor`` is the price of each slot in minor units, ``slots`` the slot of each row (-1 without a cost).

    With ``even`` a slot is a distinct cost, and prices ascend as costs do. Otherwise they ascend within each rule.
    ``orders`` are orders of lists by these prices, by name, ``highest`` is the highest price.
    """

    def __init__(self, rule_prices: RulePrices, currency: str) -> None:
        self.rule_prices = rule_prices
        self.currency = currency
        self.digits = currency_digits(currency)
        self.minor: Array = rule_prices.minor(currency)
        self.highest = int(self.minor.max(initial=-1))
        self.slots = rule_prices.slots
        self.even = rule_prices.even
        self.minor_or_none = np.append(self.minor, NULL)  # by slot, where -1 is one without a price
        self.orders: dict[tuple[str, int | None], Any] = {}
        self._ready: dict[PlanState, bytes] = {}
        self._ready_bytes = 0

    def ready(self, plans: list[PlanState], render: Callable[[list[PlanState]], Iterable[bytes]]) -> list[bytes]:
        """The JSON of these plans, rendered now where it was not before."""
        pieces = [*map(self._ready.get, plans)]
        if None in pieces:
            lacking = [plan for plan, piece in zip(plans, pieces, strict=True) if piece is None]
            made = dict(zip(lacking, render(lacking), strict=True))
            pieces = [piece or made[plan] for plan, piece in zip(plans, pieces, strict=True)]
            if self._ready_bytes > READY_BYTES:
                self._ready.clear()
                self._ready_bytes = 0
            self._ready |= made
            self._ready_bytes += sum(map(len, made.values()))
        return cast("list[bytes]", pieces)

    def whole(self, price: Decimal) -> int:
        """An amount in minor units, what is over let fall."""
        return min(int(price.scaleb(self.digits).to_integral_value(ROUND_FLOOR)), NULL - 1)

    def affordable(self, rows: Array, most: int) -> Array:
        """For each of the rows whether it has a price of at most this."""
        return np.asarray(self.minor_or_none.take(self.slots.take(rows)) <= most)

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
        minor = int(self.minor[slot])
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
