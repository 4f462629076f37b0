"""Pages of lists: which page is asked for, what its cursor says, and where the next one begins.

Every list is read in its own order. A cursor holds the values of that order of the last row that was shown, as text:
what stands before it was shown, whether or not that row still exists. Every text of hex digits is a cursor, so a
made-up one is only another place to begin; one whose values cannot be read stands behind the whole list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from schemas.api import Price
from schemas.money import Money
from schemas.page import Page

T = TypeVar("T")
CURSOR_FORM = "^([0-9a-f]{2}){1,300}$"
_SEPARATOR = "\x1f"
_BIGINT_DIGITS = 18
# What stands before and behind all values of a kind. No text stands behind all others: None says that there is none.
_FIRST: dict[type, Any] = {str: "", int: 0, datetime: datetime(1, 1, 1, tzinfo=UTC)}
_LAST: dict[type, Any] = {str: None, int: 2**63 - 1, datetime: datetime.max.replace(tzinfo=UTC)}


class PageRequest(msgspec.Struct, frozen=True):
    """Which page of a list: at most ``limit`` rows, those behind ``cursor``; None is the first page."""

    limit: int
    cursor: str | None = None

    @property
    def fetch(self) -> int:
        """How many rows to fetch: one more than is shown tells whether there is another page."""
        return self.limit + 1

    def after(self, *kinds: type) -> tuple[Any, ...]:
        """The values behind which the page begins, one of each kind (str, int, datetime), of an ascending list."""
        return self._values(kinds, _FIRST, _LAST)

    def before(self, *kinds: type) -> tuple[Any, ...]:
        """The same of a descending list. A text is None on the first page, since no text stands above all others."""
        return self._values(kinds, _LAST, _FIRST)

    def page(self, rows: Sequence[T], key: Callable[[T], tuple[Any, ...]]) -> Page[T]:
        """The page of ``rows``, of which ``fetch`` were asked for; ``key`` gives a row's values in the list's order."""
        if len(rows) <= self.limit:
            return Page.complete(rows)
        visible = rows[: self.limit]
        return Page(list(visible), has_more=True, next_cursor=write_cursor(*key(visible[-1])))

    def _values(self, kinds: tuple[type, ...], start: dict[type, Any], end: dict[type, Any]) -> tuple[Any, ...]:
        if self.cursor is None:
            return tuple(start[kind] for kind in kinds)
        texts = read_cursor(self.cursor)
        try:
            return tuple(_value(kind, text) for kind, text in zip(kinds, texts, strict=True))
        except (ValueError, OverflowError):
            return tuple(end[kind] for kind in kinds)


FIRST_PAGE = PageRequest(50)


def columns(*names: str) -> Callable[[Any], tuple[Any, ...]]:
    """A key of rows of the database for ``PageRequest.page``: these columns."""
    return lambda row: tuple(row[name] for name in names)


def write_cursor(*values: str | int | datetime) -> str:
    """The cursor that says "behind these values"."""
    texts = (value.isoformat() if isinstance(value, datetime) else str(value) for value in values)
    return _SEPARATOR.join(texts).encode().hex()


def read_cursor(cursor: str) -> list[str]:
    """The values in a cursor as text; none for what is no cursor."""
    try:
        text = bytes.fromhex(cursor)
    except ValueError:
        return []
    return text.decode("utf-8", "replace").replace("\0", "").split(_SEPARATOR)


def _value(kind: type, text: str) -> Any:
    if kind is int and not (text.isascii() and text.isdecimal() and len(text) <= _BIGINT_DIGITS):
        raise ValueError(text)
    if kind is datetime:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    return kind(text)


def price_of(money: Money | None) -> Price | None:
    """Money as the API writes it."""
    return None if money is None else Price(f"{money.padded().amount:f}", money.currency)


def money_of(amount: Decimal | None, currency: str | None) -> Money | None:
    """Two columns of a row as money."""
    return None if amount is None or currency is None else Money(amount, currency)
