"""Prices of a snapshot's costs under one rule in one currency, worked out once and then looked up."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

import numpy as np

from gateway.core.catalog.layout import Array
from gateway.core.catalog.snapshot import Snapshot
from gateway.core.pricing import PriceRule, minor_per_day, minor_per_gb, minor_price_column, minor_prices
from schemas.money import Money, currency_digits

FRAGMENTS = 50_000
READY_BYTES = 4 * 1024 * 1024
MAX_DAYS = 4
NO_PRICE = b'"price":null,"price_per_gb":null,"price_per_day":null,'


class Ready:
    """Plans put together under one price view, and how many bytes they hold."""

    def __init__(self) -> None:
        self.rows: dict[int, tuple[bytes, bytes]] = {}
        self.size = 0

    def put(self, row: int, start: bytes, end: bytes) -> None:
        self.rows[row] = start, end
        self.size += len(start) + len(end)


class PriceView:
    """``minor`` is the price of each distinct cost in minor units; it ascends, as costs do."""

    def __init__(self, snapshot: Snapshot, rule: PriceRule, currency: str) -> None:
        self.snapshot = snapshot
        self.currency = currency
        self.digits = currency_digits(currency)
        terms = (snapshot.scale, rule, snapshot.rates, currency)
        if snapshot.columns["cost_high"].any():  # more digits than a machine's number holds
            self.minor: Array = np.array(minor_prices(snapshot.whole_costs, *terms), dtype=np.int64)
        else:
            self.minor = minor_price_column(snapshot.columns["cost_low"], *terms)
        self._pieces: dict[tuple[int, int, int], bytes] = {}
        self._ready: dict[int | None, Ready] = {}

    def ready(self, days: int | None) -> dict[int, tuple[bytes, bytes]]:
        """Plans that were put together before: by row, what stands before and after stock and staleness."""
        held = self._ready.get(days)
        return held.rows if held is not None else {}

    def room_for(self, days: int | None, keep: list[int]) -> Ready:
        """Where more of them may be put; the oldest are let go when there are too many, but for those to keep."""
        held = self._ready.get(days)
        if held is None:
            if len(self._ready) >= MAX_DAYS:
                self._ready.clear()
            held = self._ready[days] = Ready()
        if held.size > READY_BYTES:
            kept = {row: held.rows[row] for row in keep}
            held = self._ready[days] = Ready()
            for row, parts in kept.items():
                held.put(row, *parts)
        return held

    def costs_up_to(self, price: Decimal) -> int:
        """How many of the distinct costs have prices of at most this amount."""
        top = int(price.scaleb(self.digits).to_integral_value(ROUND_FLOOR))
        return self.costs_within(min(top, 2**62))

    def costs_within(self, minor: int) -> int:
        """How many of the distinct costs have prices of at most so many minor units."""
        return int(self.minor.searchsorted(minor, "right"))

    def money(self, cost: int) -> Money:
        """The price of a distinct cost."""
        return Money.from_minor(int(self.minor[cost]), self.currency)

    def amount(self, minor: int) -> str:
        """Minor units as text: "5.50"."""
        if not self.digits:
            return str(minor)
        text = str(minor).rjust(self.digits + 1, "0")
        return f"{text[: -self.digits]}.{text[-self.digits :]}"

    def priced(self, cost: int) -> bytes:
        """A price as JSON; null for a cost that is not known."""
        return b"null" if cost < 0 else self._json(int(self.minor[cost]))

    def piece(self, cost: int, total_mb: int, days: int) -> bytes:
        """The members price, price_per_gb and price_per_day. ``total_mb`` is negative when unlimited."""
        if cost < 0:
            return NO_PRICE
        key = (cost, total_mb, days)
        found = self._pieces.get(key)
        if found is None:
            if len(self._pieces) >= FRAGMENTS:
                self._pieces.clear()
            found = self._pieces[key] = self._piece(int(self.minor[cost]), total_mb, days)
        return found

    def _piece(self, minor: int, total_mb: int, days: int) -> bytes:
        per_gb = b"null" if total_mb <= 0 else self._json(minor_per_gb(minor, total_mb))
        return b'"price":%b,"price_per_gb":%b,"price_per_day":%b,' % (
            self._json(minor),
            per_gb,
            self._json(minor_per_day(minor, days)),
        )

    def _json(self, minor: int) -> bytes:
        return f'{{"amount":"{self.amount(minor)}","currency":"{self.currency}"}}'.encode()
