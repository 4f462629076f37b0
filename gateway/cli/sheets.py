"""Tables for other programs, on standard output."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.flows.price_tables import Sheet


def print_csv(sheet: Sheet) -> None:
    """A sheet as CSV."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(sheet.columns)
    writer.writerows(sheet.rows)
