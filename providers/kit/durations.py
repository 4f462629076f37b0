"""Durations as suppliers state them, in days: a unit beside a number, a field's text, a part of a name. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction

from providers.kit import vocabulary
from schemas.plan import SetAsideReason

MAX_TEXT = 200
MAX_DAYS = 36_500
MAX_PARTS = 24 * 60  # a unit may be as short as a minute
_HOUR, _DAY, _WEEK, _MONTH, _YEAR = "HOUR", "DAY", "WEEK", "MONTH", "YEAR"

_WORDS: Mapping[str, str] = {unit.upper(): spelled for unit, spelled in vocabulary.TABLE["durations"].items()}
_UNIT_OF = {word.casefold(): unit for unit, spelled in _WORDS.items() for word in spelled.split()}
WORDS_FOR_DAY, WORDS_FOR_MONTH = _WORDS[_DAY].split(), _WORDS[_MONTH].split()
_DAYS_PER = {_DAY: 1, _WEEK: 7, _YEAR: 365}
_HOURS_PER_DAY, _DAYS_PER_MONTH, _MONTHS_PER_YEAR = 24, 30, 12
_STRANGE = frozenset({"MINUTE", "MIN"})  # no unit of a plan's validity; an operator may say otherwise
_TO = r"(?:-|–|—|~|〜|～|/|to|or|bis|oder|à|a|до|至)"
# Vowel signs of Devanagari and Thai: parts of words, though no letters.
_SIGNS = "[\u0900-\u0903\u093a-\u094d\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]"
_COUNTED = re.compile(
    rf"(?<![0-9A-Za-z.,])(?P<range>(?:[0-9]{{1,5}}\s?{_TO}\s?){{0,3}})(?P<number>[0-9]{{1,5}})\s?-?\s?(?:de\s)?"
    rf"(?P<word>(?:[^\W\d_]{_SIGNS}*){{1,30}})",
    re.IGNORECASE,
)
_LONGEST_JOINED = max(len(word) for word in _UNIT_OF if vocabulary.is_joined(word))
_BARE_NUMBER = re.compile(r"[0-9]{1,6}")


def days(
    number: int | str | Decimal | None, unit: str = _DAY, extra_units: Mapping[str, Fraction] | None = None
) -> int | SetAsideReason:
    """A validity in days: a week is 7, a month 30, a year and each 12 months 365; hours round down to days.

    ``extra_units`` says what other units count in days, by ``unit_key``, and goes before the tables. Anything else is
    ``UNKNOWN_UNIT``; a number that is missing, not positive, not whole, under a day or beyond a century is
    ``NO_VALIDITY``.
    """
    known, extra = _UNIT_OF.get(unit.strip().casefold(), ""), (extra_units or {}).get(unit_key(unit))
    if not known and extra is None:
        return SetAsideReason.UNKNOWN_UNIT
    if number is None or (isinstance(number, str) and len(number) > MAX_TEXT):
        return SetAsideReason.NO_VALIDITY
    try:
        value = Decimal(number)
    except ArithmeticError:
        return SetAsideReason.NO_VALIDITY
    if not value.is_finite() or not 0 < value <= MAX_DAYS * MAX_PARTS or value != value.to_integral_value():
        return SetAsideReason.NO_VALIDITY
    whole = _days_of(int(value), known) if extra is None else int(int(value) * extra)
    return whole if 0 < whole <= MAX_DAYS else SetAsideReason.NO_VALIDITY


def stated(text: str, extra_units: Mapping[str, Fraction] | None = None) -> tuple[int | SetAsideReason, str]:
    """The days that a field's text states ("30", "30 Days", "up to 2 weeks"), or why it states none.

    With ``UNKNOWN_UNIT`` also the ``unit_key`` of the unit that no table knows, else an empty text.
    """
    text = text.strip()
    if _BARE_NUMBER.fullmatch(text):
        return days(text), ""
    found, strange = in_text(text, extra_units)
    if found is not None:
        return found, ""
    if not strange and (counted := _COUNTED.fullmatch(text)) and counted["word"].casefold() not in _UNIT_OF:
        strange = unit_key(counted["word"])
    return (SetAsideReason.UNKNOWN_UNIT, strange) if strange else (SetAsideReason.NO_VALIDITY, "")


def in_text(text: str, extra_units: Mapping[str, Fraction] | None = None) -> tuple[int | None, str]:
    """The one duration in a text, in days, else None and the ``unit_key`` of a unit that no table knows.

    None for several that differ and for a range ("7-15 days"), whose unit is known.
    """
    if len(text) > MAX_TEXT:
        return None, ""
    found: set[int | None] = set()
    strange = ""
    for match, unit in _durations(plain_digits(unicodedata.normalize("NFKC", text)), extra_units):
        value = None if match["range"] else days(match["number"], unit, extra_units)
        if value is SetAsideReason.UNKNOWN_UNIT:
            strange = strange or unit_key(unit)
        else:
            found.add(value if isinstance(value, int) else None)
    only = found.pop() if len(found) == 1 else None
    return only, "" if only is not None else strange


def unit_key(word: str) -> str:
    """What a unit of time is looked up by: case and a plural's "s" make no difference."""
    word = word.strip().upper()
    return word[:-1] if len(word) > len("hr") and word.endswith("S") else word


def without_durations(text: str, extra_units: Mapping[str, Fraction] | None = None) -> str:
    """The text with a space for each duration."""
    parts, at = [], 0
    for match, unit in _durations(text, extra_units):
        parts.append(text[at : match.start()])
        at = match.start("word") + len(unit)
    return " ".join((*parts, text[at:]))


def plain_digits(text: str) -> str:
    """The text with every script's digits as ASCII ones."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)


def _durations(text: str, extra_units: Mapping[str, Fraction] | None) -> Iterator[tuple[re.Match[str], str]]:
    """Each duration with its unit's word, those too whose unit is known to be none of a plan."""
    for match in _COUNTED.finditer(text):
        word = match["word"]
        key = unit_key(word)
        if word.casefold() in _UNIT_OF or key in _STRANGE or (extra_units is not None and key in extra_units):
            yield match, word
        elif vocabulary.is_joined(word):
            starts = (word[:length] for length in range(_LONGEST_JOINED, 0, -1))
            if unit := next((start for start in starts if start in _UNIT_OF), ""):
                yield match, unit


def _days_of(count: int, unit: str) -> int:
    if unit == _HOUR:
        return count // _HOURS_PER_DAY
    if unit == _MONTH:
        years, months = divmod(count, _MONTHS_PER_YEAR)
        return years * _DAYS_PER[_YEAR] + months * _DAYS_PER_MONTH
    return count * _DAYS_PER[unit]
