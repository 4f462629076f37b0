"""Lists of exchange rates as others write them: the European Central Bank's XML, JSON of a service, files. Pure.

XML is read by expat with the first document type declaration refused: without one there are no entities to expand.
"""

from __future__ import annotations

import csv
import io
import json
import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from importlib import resources
from typing import Any
from xml.parsers import expat

import msgspec

from gateway.pricing.rate_rules import Rate, RateKind, convert
from schemas.errors import ConfigurationError

MOST_RATES = 1000
_CURRENCY = re.compile(r"[A-Z]{3,4}\Z")
_LEAST, _MOST = Decimal("1e-12"), Decimal("1e12")
_COLUMNS = ("date", "base", "currency", "rate")


class RateList(msgspec.Struct, frozen=True):
    """What one unit of ``base`` buys of each currency on a day. ``source`` is what the list says of itself."""

    base: str
    as_of: date
    figures: dict[str, Fraction]
    source: str = ""


class RateListError(ValueError):
    """A list that cannot be used; the text says what is wrong with it."""


def read_ecb(body: bytes) -> list[RateList]:
    """The days of the European Central Bank's reference rates. Raises ``RateListError``."""
    days: dict[date, dict[str, Fraction]] = {}
    current: list[date] = []

    def refuse(*_: Any) -> None:
        raise RateListError("it has a document type declaration, which the bank's list has not")

    def element(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] != "Cube":
            return
        if "time" in attributes:
            current[:] = [_day(attributes["time"])]
        elif current and "currency" in attributes:
            figures = days.setdefault(current[0], {})
            figures[_currency(attributes["currency"])] = _figure(attributes.get("rate", ""))

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = element
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise RateListError(f"it is not valid XML: {error}") from None
    if not days:
        raise RateListError("it has no day with rates")
    return [RateList("EUR", day, _some(figures)) for day, figures in sorted(days.items())]


def read_json(body: bytes, base: str, rates: str, day: str, today: date) -> RateList:
    """The list of a service that answers in JSON; ``base``, ``rates`` and ``day`` name its fields ("data.rates").

    A day is a date or Unix seconds; without a name for it, ``today``. Raises ``RateListError``.
    """
    try:
        document = json.loads(body, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError, ArithmeticError):
        raise RateListError("it is not valid JSON") from None
    figures = _field(document, rates)
    if not isinstance(figures, dict):
        raise RateListError(f"{rates!r} is no object of rates by currency")
    # Services list metals and invented currencies beside the others.
    known = {name: _figure(figure) for name, figure in figures.items() if _CURRENCY.match(name)}
    return RateList(_currency(_field(document, base)), _day(_field(document, day)) if day else today, _some(known))


def read_file(text: str) -> list[RateList]:
    """The lists of a file: the bank's XML, CSV, or the form of ``config/fx.toml``.

    CSV has the columns date, base, currency, rate: how much one ``base`` buys. In the other form a rate is what one
    unit of the currency is worth in base currency. Raises ``RateListError``.
    """
    beginning = text.lstrip("\ufeff \t\r\n")
    if beginning.startswith("<"):
        return read_ecb(text.encode())
    if beginning.partition("\n")[0].replace(" ", "").strip() == ",".join(_COLUMNS):
        return _read_csv(beginning)
    return _read_toml(text)


def rates_of(found: RateList, base: str, worth: Mapping[str, Decimal], source: str, kind: RateKind) -> list[Rate]:
    """The rates of a list in ``base``, with the help of what is known (``worth``). Raises ``RateListError``."""
    try:
        converted = convert(found.base, found.figures, base, worth)
    except ValueError as error:
        raise RateListError(str(error)) from None
    return [Rate(currency, rate, found.as_of, source, kind) for currency, rate in sorted(converted.items())]


@lru_cache(maxsize=4)
def shipped(base: str) -> tuple[Rate, ...]:
    """The rates of ``config/fx.toml``, in ``base``; none where that does not have the base currency."""
    text = resources.files("config").joinpath("fx.toml").read_text("utf-8")
    try:
        found = _read_toml(text)
    except RateListError as error:
        raise ConfigurationError(f"config/fx.toml: {error}") from None
    rates: list[Rate] = []
    for table in found:
        if base == table.base or base in table.figures:
            rates += rates_of(table, base, {}, table.source, "shipped")
    return tuple(rates)


def _read_toml(text: str) -> list[RateList]:
    try:
        document = tomllib.loads(text)
        return [_table(table, document["base"]) for table in document["rates"]]
    except KeyError as error:
        raise RateListError(f"{error} is missing") from None
    except (tomllib.TOMLDecodeError, TypeError, AttributeError) as error:
        raise RateListError(f"it is not written as config/fx.toml is: {error}") from None


def _table(table: dict[str, Any], base: str) -> RateList:
    worth = {name: _figure(value) for name, value in table.items() if name not in {"date", "source"} and name != base}
    figures = {_currency(name): 1 / figure for name, figure in worth.items()}
    source = "".join(letter for letter in str(table.get("source", "")) if letter.isprintable())
    return RateList(_currency(base), _day(table["date"]), _some(figures), source[:100])


def _read_csv(text: str) -> list[RateList]:
    found: dict[tuple[str, date], dict[str, Fraction]] = {}
    try:
        rows = list(csv.reader(io.StringIO(text)))
    except csv.Error as error:
        raise RateListError(f"it is not valid CSV: {error}") from None
    for number, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(_COLUMNS):
            raise RateListError(f"line {number} has not the columns {', '.join(_COLUMNS)}")
        day, base, currency, rate = (cell.strip() for cell in row)
        found.setdefault((_currency(base), _day(day)), {})[_currency(currency)] = _figure(rate)
    if not found:
        raise RateListError("it has no rates")
    return [RateList(base, day, _some(figures)) for (base, day), figures in found.items()]


def _some(figures: dict[str, Fraction]) -> dict[str, Fraction]:
    if not figures:
        raise RateListError("it has no rates")
    if len(figures) > MOST_RATES:
        raise RateListError(f"it has more than {MOST_RATES} rates")
    return figures


def _field(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    if document is None:
        raise RateListError(f"it has no field {path!r}")
    return document


def _currency(value: Any) -> str:
    if not isinstance(value, str) or not _CURRENCY.match(value):
        raise RateListError(f"{str(value)[:20]!r} is no currency code such as EUR")
    return value


def _figure(value: Any) -> Fraction:
    try:
        figure = Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        raise RateListError(f"{str(value)[:40]!r} is no rate") from None
    if not figure.is_finite() or not _LEAST <= figure <= _MOST:
        raise RateListError(f"{str(value)[:40]!r} is no rate: it must be above 0")
    return Fraction(figure)


def _day(value: Any) -> date:
    try:
        if isinstance(value, Decimal):
            return datetime.fromtimestamp(int(value), UTC).date()
        return date.fromisoformat(str(value)[:10])
    except (ValueError, OverflowError, OSError, ArithmeticError):
        raise RateListError(f"{str(value)[:40]!r} is no date such as 2026-11-20") from None
