"""Pages of lists: which page is asked for, what its cursor says, and where the next one begins.

Every list is read in its own order. A cursor holds the values of that order of the last row that was shown, as text:
what stands before it was shown, whether or not that row still exists. Every text of hex digits is a cursor, so a
made-up one is only another place to begin; one whose values cannot be read stands behind the whole list.

A list that can be sorted declares by which columns (``SortOrders``). A cursor of another order than the list's own
begins with that order, so that it says nothing of any other one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

import msgspec

from schemas.api import Price
from schemas.money import Money
from schemas.page import Page

T = TypeVar("T")
CURSOR_FORM = r"^([0-9a-f]{2}){1,300}\Z"
_SEPARATOR = "\x1f"
_BIGINT_DIGITS = 18
_DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")
# What stands before and behind all values of a kind. No text stands behind all others: None says that there is none.
_FIRST: dict[type, Any] = {str: "", int: 0, datetime: datetime(1, 1, 1, tzinfo=UTC)}
_LAST: dict[type, Any] = {str: None, int: 2**63 - 1, datetime: datetime.max.replace(tzinfo=UTC)}


class Sort(msgspec.Struct, frozen=True):
    """By which of its columns a list is sorted, and which way."""

    column: str
    descending: bool


class PageRequest(msgspec.Struct, frozen=True):
    """Which page of a list: at most ``limit`` rows, those behind ``cursor``; None is the first page.

    ``sort`` is one that the list's ``SortOrders`` found; None is the list's own order.
    """

    limit: int
    cursor: str | None = None
    sort: Sort | None = None

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


class SortKey(NamedTuple):
    """One value of an order: its expression in SQL, its kind, and which way the order goes by it.

    ``name`` is the column that a row has it in; where it is empty, the last word of the expression.
    """

    expression: str
    kind: type  # str, int, datetime, date or Decimal
    descending: bool = False
    name: str = ""

    @property
    def column(self) -> str:
        """Under which name a row has the value."""
        return self.name or self.expression.rpartition(".")[2]


class Keyset(NamedTuple):
    """A page of a sorted list in SQL: what holds for its rows, how they are ordered, and the key of its cursor."""

    condition: str
    order: str
    key: Callable[[Any], tuple[Any, ...]]


class SortOrders:
    """The columns by which a list can be sorted, each with an order of its rows; the first one is the list's own.

    A list that grows needs an index for each order, which serves both directions. The last value of an order is
    unique, and none is null. Where many rows have the same first value, all values go the same way: only then can
    PostgreSQL begin in the midst of those rows.
    """

    def __init__(self, **orders: tuple[SortKey, ...]) -> None:
        self._orders = orders
        column, keys = next(iter(orders.items()))
        self.own = Sort(column, keys[0].descending)

    @property
    def columns(self) -> frozenset[str]:
        """The columns by which the list can be sorted."""
        return frozenset(self._orders)

    def is_descending(self, column: str) -> bool:
        """Whether the order of a column is declared as a descending one."""
        return self._orders[column][0].descending

    def find(self, column: str, direction: str = "") -> Sort | None:
        """The order asked for; None is the list's own, also for a column by which it cannot be sorted.

        ``direction`` is asc or desc; anything else is the way in which the column is declared.
        """
        if column not in self._orders:
            return None
        descending = {"asc": False, "desc": True}.get(direction, self.is_descending(column))
        sort = Sort(column, descending)
        return None if sort == self.own else sort

    def position(self, page_request: PageRequest) -> tuple[Any, ...] | None:
        """The values behind which the page begins: none on the first page, None behind the whole list."""
        if page_request.cursor is None:
            return ()
        mark, keys = self._mark(page_request.sort), self._keys(page_request.sort)
        texts = read_cursor(page_request.cursor)
        if (*texts[: len(mark)],) != mark:
            return None
        try:
            return tuple(_value(key.kind, text) for key, text in zip(keys, texts[len(mark) :], strict=True))
        except (ValueError, OverflowError):
            return None

    def keyset(self, page_request: PageRequest, arguments: list[Any]) -> Keyset:
        """The page in SQL. The values of its condition are added to ``arguments``, from $1 on."""
        keys, position = self._keys(page_request.sort), self.position(page_request)
        condition = "false" if position is None else "true"
        if position:
            arguments += position
            first = len(arguments) - len(position) + 1
            condition = _beyond(keys, [f"${first + at}" for at in range(len(position))])
        order = ", ".join(f"{key.expression} {'DESC' if key.descending else 'ASC'}" for key in keys)
        return Keyset(condition, order, self.key(page_request))

    def key(self, page_request: PageRequest) -> Callable[[Any], tuple[Any, ...]]:
        """The key of the list's rows for ``PageRequest.page``."""
        mark, keys = self._mark(page_request.sort), self._keys(page_request.sort)
        return lambda row: (*mark, *(row[key.column] for key in keys))

    def _keys(self, sort: Sort | None) -> tuple[SortKey, ...]:
        sort = sort or self.own
        keys = self._orders[sort.column]
        if keys[0].descending == sort.descending:
            return keys
        return tuple(key._replace(descending=not key.descending) for key in keys)

    def _mark(self, sort: Sort | None) -> tuple[str, ...]:
        """How a cursor of that order begins."""
        return () if sort is None else (f"{sort.column} {'desc' if sort.descending else 'asc'}",)


def _beyond(keys: Sequence[SortKey], values: Sequence[str]) -> str:
    """What holds for the rows behind the position that the values are."""
    beyond = "<" if keys[0].descending else ">"
    if len({key.descending for key in keys}) == 1:
        return f"({', '.join(key.expression for key in keys)}) {beyond} ({', '.join(values)})"
    first, value = keys[0].expression, values[0]
    rest = _beyond(keys[1:], values[1:])
    # Said twice, so that an index begins at the position.
    return f"{first} {beyond}= {value} AND ({first} {beyond} {value} OR {rest})"


def columns(*names: str) -> Callable[[Any], tuple[Any, ...]]:
    """A key of rows of the database for ``PageRequest.page``: these columns."""
    return lambda row: tuple(row[name] for name in names)


def write_cursor(*values: str | int | date | Decimal) -> str:
    """The cursor that says "behind these values"."""
    return _SEPARATOR.join(map(_text, values)).encode().hex()


def _text(value: str | int | date | Decimal) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, date) else str(value)


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
    if kind is Decimal and not _DECIMAL.fullmatch(text):
        raise ValueError(text)
    if kind is date:
        return date.fromisoformat(text)
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
