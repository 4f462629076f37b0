"""A quote as it is made for a plan, without a catalogue to find the plan in."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from gateway.catalog import quote
from schemas.features import Wanted
from tests.kit.counter import STOREFRONT, Counter


def held_quote(counter: Counter, plan: str, price: str = "11.00") -> str:
    """A quote's id; it holds the price, in USD, for a quarter of an hour."""
    sealed = quote._Sealed(
        STOREFRONT, "test", plan, price, "USD", price, "USD", Wanted(),
        int(datetime.now(UTC).timestamp()) + 900,
    )  # fmt: skip
    return quote.PREFIX + quote._seal(counter.deps.settings, msgspec.json.encode(sealed))
