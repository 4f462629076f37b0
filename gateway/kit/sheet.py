"""A table of plain values, which becomes CSV or a table in a terminal."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple


class Sheet(NamedTuple):
    """Columns, and rows as long as they are many."""

    columns: list[str]
    rows: list[list[str | int | Decimal | None]]
