"""Writes ``config/territory_names.txt``: what countries and regions are called in every language of CLDR.

python -m providers.kit.cldr_names

Reading all of Babel's locales takes seconds, reading this file some milliseconds. Run it again after another version of
Babel was installed, or after a change of ``providers.kit.spelling``; a test says when.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from babel import Locale
from babel.core import get_global
from babel.localedata import locale_identifiers

from providers.kit.spelling import AND, key_of

FILE = Path(__file__).parents[2] / "config" / "territory_names.txt"
REGION, NO_COUNTRY, SHARED = "region", "no country", "shared"
_HEAD = """\
# What countries and regions are called in every language of CLDR, as providers.kit.spelling writes names.
# Written by "python -m providers.kit.cldr_names"; do not edit. Tabs part the columns, "|" parts the names:
# code, alpha-3 code, English name, names in English, Russian, German, Spanish and French, names in other languages.
# "shared": spellings with several meanings. They are not read, but where one of the five languages decides.
"""
_FIRST_LANGUAGES = ("en", "ru", "de", "es", "fr")  # the first to name a place decides
# CLDR's codes beside ISO's: parts of countries, groups of them, and its own tests.
_PARTS = frozenset(["AC", "CP", "CQ", "DG", "EA", "IC", "TA"])
_GROUPS = frozenset(["EU", "EZ", "QO", "UN"])
_OTHER = frozenset(["XA", "XB", "ZZ"])
# Alpha-3 codes that ISO 3166-1 withdrew, which CLDR still knows; XKK is CLDR's own, others write XKX.
_WITHDRAWN = frozenset(["BUR", "DDR", "FXX", "TMP", "XKK", "YMD", "ZAR"])


def text() -> str:
    """The whole file."""
    first, others, shared = _meanings()
    alpha3 = {codes[0]: code for code, codes in _alpha3()} | {"XK": "XKX"}
    english = Locale(_FIRST_LANGUAGES[0]).territories
    rows = []
    for meaning in sorted({*first.values(), *others.values()}):
        columns = (
            meaning,
            alpha3.get(meaning, ""),
            english.get(meaning, ""),
            *("|".join(sorted(key for key, its in names.items() if its == meaning)) for names in (first, others)),
        )
        rows.append("\t".join(columns))
    rows += [f"{SHARED}\t{key}\t{'|'.join(sorted(meanings))}" for key, meanings in sorted(shared.items())]
    return _HEAD + "\n".join(rows) + "\n"


def names(language: str) -> Iterator[tuple[str, str]]:
    """CLDR's names in one language, each with a code, ``region`` or ``no country``; countries before groups."""
    for code, name in sorted(Locale.parse(language).territories.items(), key=lambda entry: (len(entry[0]), entry)):
        if code not in _OTHER and isinstance(name, str):
            yield name, REGION if code in _GROUPS or len(code) != 2 else NO_COUNTRY if code in _PARTS else code  # noqa: PLR2004 - alpha-2


def _meanings() -> tuple[Mapping[str, str], Mapping[str, str], Mapping[str, frozenset[str]]]:
    """Key -> meaning in the first languages, key -> meaning in all others, and keys that have several meanings."""
    first: dict[str, str] = {}
    for language in _FIRST_LANGUAGES:
        for key, meaning in _keys(names(language)):
            first.setdefault(key, meaning)
    found: defaultdict[str, set[str]] = defaultdict(set)
    for language in locale_identifiers():
        for key, meaning in _keys(names(language)):
            found[key].add(meaning)
    others = {key: next(iter(its)) for key, its in found.items() if len(its) == 1 and key not in first}
    return first, others, {key: frozenset(its) for key, its in found.items() if len(its) > 1}


def _keys(named: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for name, meaning in named:
        key = key_of(name)
        yield key, meaning
        if f" {AND} " in key:
            yield key.replace(f" {AND} ", " "), meaning


def _alpha3() -> Iterator[tuple[str, list[str]]]:
    for code, meant in get_global("territory_aliases").items():
        if len(code) == 3 and code.isalpha() and len(meant) == 1 and code not in _WITHDRAWN:  # noqa: PLR2004 - alpha-3
            yield code, meant


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
