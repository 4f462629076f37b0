"""Tables on standard output, for other programs and for people."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gateway.kit.spreadsheet import text_cell

if TYPE_CHECKING:
    from decimal import Decimal

    from gateway.kit.sheet import Sheet


def print_csv(sheet: Sheet) -> None:
    """A sheet as CSV that a spreadsheet can open: no text of a supplier becomes a formula."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(sheet.columns)
    writer.writerows([_cell(value) for value in row] for row in sheet.rows)


def print_table(rows: Sequence[Mapping[str, Any]], nothing: str) -> None:
    """Rows of equal columns, for people; a column in which nothing stands is left out. ``nothing``: said of no rows."""
    if not rows:
        print(nothing)
        return
    known = dict.fromkeys(key for row in rows for key in row)
    columns = [key for key in known if any(_there(row, key) for row in rows)]
    table = [columns, *([str(row[key]) if _there(row, key) else "-" for key in columns] for row in rows)]
    widths = [max(len(line[at]) for line in table) for at in range(len(columns))]
    for line in table:
        print("  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: str | int | Decimal | None) -> str | int | Decimal | None:
    return text_cell(" ".join(value.splitlines())) if isinstance(value, str) else value


def _there(row: Mapping[str, Any], key: str) -> bool:
    return row.get(key) is not None
