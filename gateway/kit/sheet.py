"""Tables: columns declared once, for CSV (a ``Sheet`` of plain values) and for a terminal (text)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple

Cell = str | int | Decimal | None


class Sheet(NamedTuple):
    """Columns, and rows as long as they are many, to be read once."""

    columns: list[str]
    rows: Iterable[list[Cell]]


class Column(NamedTuple):
    """A column: ``get`` is what it shows of a row, a path of attributes ("plan.name") or a function.

    ``marks``: "csv" or "terminal" for a column that only one of them has. "money" and "amount" for prices: a terminal
    shows "5.00 USD", CSV has the amount and, of money, the currency in a column of its own. "number" for text that is
    a number in CSV.
    """

    title: str
    get: str | Callable[[Any], Any]
    marks: Sequence[str] = ()

    def of(self, row: Any) -> Any:
        """What stands in this column of a row; None for nothing, also where a step of the path leads to nothing."""
        if callable(self.get):
            return self.get(row)
        for name in self.get.split("."):
            row = getattr(row, name, None)
        return row


Columns = tuple[Column, ...]


def columns(*declared: str | Column) -> Columns:
    """Columns as they are written: "at, plan=plan.name, price:money", each a title, where it is found, its marks."""
    found: list[Column] = []
    for declaration in declared:
        if isinstance(declaration, Column):
            found.append(declaration)
            continue
        for spelled in declaration.split(", "):
            name, *marks = spelled.split(":")
            title, _, path = name.partition("=")
            found.append(Column(title, path or title, marks))
    return tuple(found)


def sheet_of(table: Columns, rows: Iterable[Any]) -> Sheet:
    """Rows as plain values: times as ISO 8601 in UTC, amounts as decimals, truths as yes and no.

    They are worked out while they are read: most pages that offer a file are only looked at.
    """
    visible = [column for column in table if "terminal" not in column.marks]
    titles = [
        title for each in visible for title in (each.title, f"{each.title} currency")[: 1 + ("money" in each.marks)]
    ]
    return Sheet(titles, ([cell for column in visible for cell in _cells(column, row)] for row in rows))


def text_rows(table: Columns, rows: Iterable[Any]) -> list[dict[str, str | None]]:
    """Rows as texts for a terminal, which can obey none of them, by the titles of their columns."""
    visible = [column for column in table if "csv" not in column.marks]
    return [{column.title: _text(column.of(row)) for column in visible} for row in rows]


def price_text(price: Any) -> str:
    """A price for people: "5.00 USD", "-" for none."""
    return "-" if price is None else f"{price.amount} {price.currency}"


def printable(text: str) -> str:
    """Text without what a terminal would obey."""
    return "".join(letter for letter in text if letter.isprintable())


def _cells(column: Column, row: Any) -> list[Cell]:
    value = column.of(row)
    if "money" in column.marks:
        return [None, None] if value is None else [Decimal(value.amount), value.currency]
    if value is not None and "amount" in column.marks:
        return [Decimal(value.amount)]
    return [Decimal(value) if value is not None and "number" in column.marks else _plain(value)]


def _plain(value: Any) -> Cell:
    match value:
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.isoformat(timespec="seconds").replace("+00:00", "Z")
        case float():
            return Decimal(str(value))
        case Enum():
            return str(value.value)
        case str() | int() | Decimal():
            return value
    return None  # None, and what was not sent


def _text(value: Any) -> str | None:
    if hasattr(value, "currency"):
        return price_text(value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    plain = _plain(value)
    return None if plain is None else printable(str(plain))
