"""Pages of lists: some rows, and the position after them.

Every list is read in its own order from a position on. A position is a tuple of texts, and any tuple is one: what
stands before it was shown, whether or not that row still exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, TypeVar

from schemas.api import Price
from schemas.money import Money

T = TypeVar("T")
Position = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rows(Generic[T]):
    """Some rows of a list, and the position after them when there are more."""

    rows: list[T]
    after: Position | None


def price_of(money: Money | None) -> Price | None:
    """Money as the API writes it."""
    return None if money is None else Price(f"{money.padded().amount:f}", money.currency)


def money_of(amount: Decimal | None, currency: str | None) -> Money | None:
    """Two columns of a row as money."""
    return None if amount is None or currency is None else Money(amount, currency)


def part(after: Position | None, place: int) -> str:
    """A part of a position, empty where there is none."""
    return after[place] if after is not None and place < len(after) else ""


def page_of(found: list[T], limit: int, position: Any) -> Rows[T]:
    """One page of ``found``, of which one row more than ``limit`` was asked for."""
    shown = found[:limit]
    return Rows(shown, position(shown[-1]) if len(found) > limit else None)
