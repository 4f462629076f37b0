"""Tables on standard output, for other programs and for people."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gateway.kit.sheet import Cell, Columns, Sheet, printable, sheet_of, text_rows
from gateway.kit.spreadsheet import text_cell


def print_csv(sheet: Sheet) -> None:
    """A sheet as CSV that a spreadsheet can open: no text of a supplier becomes a formula."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(sheet.columns)
    writer.writerows([_cell(value) for value in row] for row in sheet.rows)


def print_rows(columns: Columns, rows: Iterable[Any], nothing: str = "", *, as_csv: bool = False) -> None:
    """Rows by their columns: as CSV, or as a table for people. ``nothing``: said to people of no rows."""
    if as_csv:
        print_csv(sheet_of(columns, rows))
    else:
        print_table(text_rows(columns, rows), nothing)


def print_sheet(sheet: Sheet) -> None:
    """A sheet as a table for people."""
    texts = [[None if cell is None else printable(str(cell)) for cell in row] for row in sheet.rows]
    print_table([dict(zip(sheet.columns, row, strict=True)) for row in texts], "")


def print_table(rows: Sequence[Mapping[str, Any]], nothing: str) -> None:
    """Rows of equal columns, for people; a column in which nothing stands is left out. ``nothing``: said of no rows."""
    if not rows:
        if nothing:
            print(nothing)
        return
    known = dict.fromkeys(key for row in rows for key in row)
    columns = [key for key in known if any(_there(row, key) for row in rows)]
    table = [columns, *([str(row[key]) if _there(row, key) else "-" for key in columns] for row in rows)]
    widths = [max(len(line[at]) for line in table) for at in range(len(columns))]
    for line in table:
        print("  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: Cell) -> Cell:
    return text_cell(" ".join(value.splitlines())) if isinstance(value, str) else value


def _there(row: Mapping[str, Any], key: str) -> bool:
    return row.get(key) is not None
