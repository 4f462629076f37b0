"""Cells of CSV files that a spreadsheet opens: text that it would take for a formula is marked as text. Pure."""

from __future__ import annotations

import re

# Spreadsheets pass over spaces and invisible letters before a sign, and take full-width signs for the narrow ones.
_GAP = r"[\s\x00-\x20\u00a0\u00ad\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2064\u3000\ufeff]"
_SIGN = "[=+@\\-\uff1d\uff0b\uff20\uff0d\ufe66\ufe62\ufe6b\ufe63\u2212]"
_FORMULA = re.compile(rf"[\t\r\n]|{_GAP}*{_SIGN}")


def text_cell(text: str) -> str:
    """The text, behind an apostrophe when a spreadsheet would take it for a formula ("=1+1", " -2")."""
    return "'" + text if _FORMULA.match(text) else text
