"""The languages in which travellers are addressed: which one is chosen, and its words, numbers and dates.

The messages are in English in the templates; the catalogues beside this file (``locales/*.po``, gettext) translate
them, and are read when a language is first used. Formats and names of countries are those of CLDR.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources

from babel import Locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.lists import format_list
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit

from providers.kit.places import country_name

SOURCE = "en"
"""The language of the messages themselves."""
# By code, as each is called by those who speak it.
LANGUAGES: Mapping[str, str] = {
    "en": "English",
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
    "it": "Italiano",
    "pl": "Polski",
    "pt": "Português",
    "tr": "Türkçe",
    "ru": "Русский",
    "he": "עברית",
    "ar": "العربية",
    "zh": "简体中文",
    "ja": "日本語",
    "ko": "한국어",
}
_ALSO_CALLED = {"iw": "he"}
_MB_PER_GB = 1024
_NO_LARGER_UNIT = 1e9  # 30 days are not a month here, nor 60 minutes an hour
_LONGEST_HEADER = 1000
_RANGE = re.compile(r"\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9-]{1,40})?\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{1,3})?)\s*)?\Z")


def choose(wanted: str | None, accepted: str = "", default: str = SOURCE) -> str:
    """The language to use: the one asked for, else the best that ``accepted`` (an Accept-Language) has, else another.

    A tag counts by its language alone: "pt-BR" is "pt". Pure.
    """
    for tag in (wanted or "", *_by_preference(accepted), default):
        code = tag.strip().lower().replace("_", "-").partition("-")[0]
        code = _ALSO_CALLED.get(code, code)
        if code in LANGUAGES:
            return code
    return SOURCE


def _by_preference(accepted: str) -> Iterator[str]:
    found = [match for part in accepted[:_LONGEST_HEADER].split(",") if (match := _RANGE.match(part))]
    weighed = [(float(match[2] or 1), match[1]) for match in found]
    return (code for weight, code in sorted(weighed, key=lambda pair: -pair[0]) if weight > 0)


class Texts:
    """What is said in one language. Called with a message it gives its translation, with the values put in."""

    def __init__(self, language: str, catalogue: Mapping[str, str]) -> None:
        self.language = language
        self.catalogue = catalogue
        self._locale = Locale.parse(language)

    def __call__(self, message: str, **values: object) -> str:
        """The message in this language; ``{name}`` in it stands for the value of that name."""
        text = self.catalogue.get(message, message)
        return text.format(**values) if values else text

    @property
    def direction(self) -> str:
        """In which direction it is written: "ltr" or "rtl"."""
        return self._locale.text_direction

    def amount(self, mb: int) -> str:
        """An amount of data; 1 GB is 1024 MB, as in the API."""
        value, unit = (mb / _MB_PER_GB, "gigabyte") if mb >= _MB_PER_GB else (mb, "megabyte")
        return format_unit(value, f"digital-{unit}", "short", format="#,##0.##", locale=self._locale)

    def number(self, value: int) -> str:
        """A number with the language's separators."""
        return format_decimal(value, locale=self._locale)

    def days(self, count: int) -> str:
        """So many days."""
        return format_timedelta(timedelta(days=count), "day", _NO_LARGER_UNIT, locale=self._locale)

    def minutes(self, count: int) -> str:
        """So many minutes."""
        return format_timedelta(timedelta(minutes=count), "minute", _NO_LARGER_UNIT, locale=self._locale)

    def percent(self, value: int) -> str:
        """So many of a hundred."""
        return format_percent(value / 100, locale=self._locale)

    def day(self, moment: date) -> str:
        """A date, in UTC where it has a time."""
        return format_date(moment, "long", locale=self._locale)

    def moment(self, moment: datetime) -> str:
        """A date and a time, in UTC, which it names."""
        return f"{format_datetime(moment.astimezone(UTC), 'medium', locale=self._locale)} UTC"

    def country(self, code: str) -> str:
        """The name of a country; the code itself when it is not one."""
        return str(self._locale.territories.get(code) or country_name(code))

    def countries(self, codes: Collection[str]) -> list[str]:
        """The names of countries, sorted."""
        return sorted(self.country(code) for code in codes)

    def listed(self, names: Collection[str]) -> str:
        """Several names as one text."""
        style = "standard-narrow"  # of CLDR; the types of Babel lack it
        return format_list(list(names), style, locale=self._locale)  # type: ignore[arg-type]


@cache
def texts_in(language: str) -> Texts:
    """The texts of one of ``LANGUAGES``."""
    if language == SOURCE:
        return Texts(language, {})
    with resources.files("gateway.travellers").joinpath(f"locales/{language}.po").open("rb") as file:
        read = read_po(file, locale=language)
    return Texts(language, {str(m.id): str(m.string) for m in read if m.id and m.string and not m.fuzzy})
