"""A market price list, dealt out to the suppliers as it is, dirt and all."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

from providers import units
from providers.simulator.items import Item
from schemas.errors import ConfigurationError

COLUMNS = ("date", "competitor", "country", "data", "days", "price_usd", "source_url")
_NOT_A_WORD = re.compile(r"[^a-z0-9.]+")


def deal(path: Path, suppliers: Sequence[str]) -> dict[str, list[Item]]:
    """Each supplier's items: the list's brands, sorted, go round-robin to ``suppliers`` as they stand.

    Every row is one item. Raises ``ConfigurationError`` when the file cannot be read as such a list.
    """
    items = list(_items(path))
    brands = sorted({item.brand for item in items})
    owner = {brand: suppliers[n % len(suppliers)] for n, brand in enumerate(brands)} if suppliers else {}
    dealt: dict[str, list[Item]] = {name: [] for name in suppliers}
    for item in items:
        if item.brand in owner:
            dealt[owner[item.brand]].append(item)
    return dealt


def _items(path: Path) -> Iterator[Item]:
    """The rows as items. A key is made of the row's words, and numbered where rows share them."""
    seen: Counter[str] = Counter()
    for row in _rows(path):
        words = (row["competitor"], row["country"], row["data"], f"{row['days']}d" if row["days"] else "")
        base = "-".join(_NOT_A_WORD.sub("-", word.lower()).strip("-") for word in words if word)
        seen[base] += 1
        data = units.declared_from_text(row["data"])
        days = units.days(row["days"])
        yield Item(
            key=f"{base}-{seen[base]}",
            place=row["country"],
            countries=(),
            data_text=row["data"],
            price=_price(row["price_usd"]),
            mb=None if data is None else data.mb,
            unlimited=data is not None and data.unlimited,
            days=days if type(days) is int else None,
            brand=row["competitor"],
            source_url=row["source_url"],
        )


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise ConfigurationError(f"{path}: no column {', '.join(missing)}")
            yield from reader
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: {error}") from None


def _price(text: str) -> Decimal | None:
    try:
        price = Decimal(text)
    except InvalidOperation:
        return None
    return price if price.is_finite() else None
