"""Text in CSV files never becomes a formula."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gateway.cli.sheets import print_csv
from gateway.console import filters
from gateway.kit.sheet import Sheet
from gateway.kit.spreadsheet import text_cell

GAPS = ("", " ", "   ", "\u00a0", "\u3000", "\ufeff", "\u200b", " \t", "\r", "\n ", "\t")
SIGNS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize("sign", SIGNS)
def test_what_a_spreadsheet_would_compute_is_marked_as_text(gap, sign, capsys):
    text = f"{gap}{sign}cmd|' /C calc'!A0"
    assert text_cell(text) == "'" + text
    assert filters.plain(text).startswith("'")
    print_csv(Sheet(["name", "cost"], [[text, Decimal("-5.50")]]))
    ((_, _), (name, cost)) = csv.reader(io.StringIO(capsys.readouterr().out, newline=""))
    assert (name[:1], cost) == ("'", "-5.50")


@pytest.mark.parametrize("text", ["Japan 1 GB", "5G + calls", "", " ", "a=b", "'quoted", "日本 1 GB"])
def test_other_text_stays_as_it_is(text):
    assert text_cell(text) == text


@pytest.mark.parametrize("text", ["\tJapan", "\rJapan"])
def test_a_cell_that_begins_with_a_tab_or_a_return_is_marked(text):
    assert text_cell(text) == "'" + text


def test_numbers_and_times_stay_what_they_are():
    assert filters.plain(Decimal("-1.5")) == Decimal("-1.5")
    assert filters.plain(datetime(2026, 11, 20, 10, tzinfo=UTC)) == "2026-11-20T10:00:00Z"
