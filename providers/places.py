"""Names of countries and regions, in many spellings, to ISO 3166-1 alpha-2 codes.

Places are known by rule and by table, never by likeness: a name that neither CLDR's names nor
``config/places.toml`` holds is ``unknown``, and a city, island or state without a code of its own is
``no_country``, never the country it belongs to. XK (Kosovo) is a country here; HK, MO, TW, PR, GP, RE
and the like stand for themselves.
"""

from __future__ import annotations

import functools
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from enum import IntEnum, StrEnum
from importlib import resources
from typing import Any

import msgspec
from babel import Locale

from schemas.errors import ConfigurationError
from schemas.plan import GLOBAL_FROM

MAX_TEXT = 5000  # a list of every country fits
REGION_SHARE = 80  # per cent of a plan's countries that a region must hold
GLOBAL = "global"

_REMEMBERED = 8192
_REMEMBERED_TEXT = 100
_MAX_WORDS = 12  # of one name
_LANGUAGES = ("en", "ru", "de", "es", "fr")  # the first to name a place decides
# CLDR's codes beside ISO's: parts of countries, groups of them, and its own tests.
_CLDR_PARTS = frozenset(["AC", "CP", "CQ", "DG", "EA", "IC", "TA"])
_CLDR_GROUPS = frozenset(["EU", "EZ", "QO", "UN"])
_CLDR_OTHER = frozenset(["XA", "XB", "ZZ"])

_JOINED = re.compile(r"[.'’‘`´ʼ]")
_LIST_MARK = re.compile(r"[,;/|+&\n]")
_NOT_A_WORD = re.compile(r"[^\w]+|_")
_CODES = re.compile(r"[A-Z]{2}(?:[\s,;/|+&]+[A-Z]{2})*")
_BRACKETED = re.compile(r"([^()]+)\(([^()]+)\)")
_SAME_WORD = {"st": "saint", "ste": "saint", "islands": "island", "isl": "island", "n": "and"}
_MARK, _AND, _THE = ",", "and", "the"


class PlaceKind(StrEnum):
    """What a text names."""

    COUNTRY = "country"
    COUNTRIES = "countries"
    REGION = "region"
    NO_COUNTRY = "no_country"
    UNKNOWN = "unknown"


class Place(msgspec.Struct, frozen=True):
    """What a text was understood as.

    ``codes`` are sorted ISO 3166-1 alpha-2 codes: one for a country, several for countries, none for
    every other kind (a region's countries differ per supplier, so its name alone gives none).
    """

    kind: PlaceKind
    codes: tuple[str, ...] = ()


class Region(msgspec.Struct, frozen=True):
    """A named region of ``config/regions.toml``: its code ("europe"), English name and sorted countries."""

    code: str
    name: str
    countries: tuple[str, ...]


_REGION = Place(PlaceKind.REGION)
_NO_COUNTRY = Place(PlaceKind.NO_COUNTRY)
_UNKNOWN = Place(PlaceKind.UNKNOWN)


def place(text: str) -> Place:
    """What ``text`` names. Never raises; a text that is too long or not understood is ``unknown``.

    Codes are understood in capitals, alone or listed ("JP", "JP,KR").
    """
    if len(text) > MAX_TEXT:
        return _UNKNOWN
    return _remembered(text) if len(text) <= _REMEMBERED_TEXT else _understood(text)


def country(text: str) -> str | None:
    """The code of the one country that ``text`` names or is ("Türkiye", "TR"); None for anything else."""
    found = place(text)
    return found.codes[0] if found.kind is PlaceKind.COUNTRY else None


def countries(text: str) -> tuple[str, ...] | None:
    """The sorted codes of the countries that ``text`` lists ("Japan South Korea", "A, B & C").

    One country gives one code. None when any part of the text is something other than a country.
    """
    return place(text).codes or None


def supplier_region(provider: str, name: str) -> tuple[str, ...] | None:
    """The countries that ``name`` means at this provider; None unless regions.toml lists them for it."""
    if len(name) > MAX_TEXT:
        return None
    return _regions()[1].get(provider, {}).get(_key(name))


def regions() -> tuple[Region, ...]:
    """The named regions, smallest first, then by code."""
    return _regions()[0]


def region(code: str) -> Region | None:
    """The region of that code; None when there is none."""
    return next((found for found in regions() if found.code == code), None)


@functools.lru_cache(maxsize=_REMEMBERED)
def region_of(coverage: tuple[str, ...]) -> str | None:
    """The code of the smallest region that holds at least 80 % of these countries.

    Ties go by code. None for fewer than two countries and when no region holds enough of them;
    ``global`` counts from 100 countries on.
    """
    codes = frozenset(coverage)
    if len(codes) < 2:  # noqa: PLR2004 - one country is no region
        return None
    for candidate in regions():
        if candidate.code == GLOBAL and len(codes) < GLOBAL_FROM:
            continue
        if len(codes.intersection(candidate.countries)) * 100 >= REGION_SHARE * len(codes):
            return candidate.code
    return None


def country_name(code: str) -> str:
    """The English name of a country ("Japan"); the code itself when it is not one."""
    return _atlas().names.get(code, code)


def country_codes() -> tuple[str, ...]:
    """Every country code, sorted: ISO 3166-1 alpha-2 and XK."""
    return tuple(sorted(_atlas().names))


def is_country(code: str) -> bool:
    """Whether this is a country code here: ISO 3166-1 alpha-2 in capitals, or XK."""
    return code in _atlas().names


class _Atlas(msgspec.Struct, frozen=True):
    """Every known name by its key, and what the words around names mean."""

    names: Mapping[str, str]
    known: Mapping[str, Place]
    alone: frozenset[str]
    ambiguous: frozenset[str]
    qualifiers: frozenset[str]
    sovereign: Mapping[str, str]  # territory -> the state that it belongs to


class _Part(msgspec.Struct, frozen=True):
    """A piece of a text that was understood; ``loose`` when only space parts it from a country before it."""

    place: Place
    loose: bool
    qualifier: bool = False


class _Tie(IntEnum):
    """What stands right before a word: a separator or nothing, a country, or one that stands only alone."""

    NONE = 0
    COUNTRY = 1
    ALONE = 2


@functools.lru_cache(maxsize=_REMEMBERED)
def _remembered(text: str) -> Place:
    return _understood(text)


def _understood(text: str) -> Place:
    atlas = _atlas()
    words = _words(text)
    found = _as_codes(text, atlas) or _as_owned(text, atlas) or _as_name(_without_marks(words), atlas)
    if found is not None:
        return found
    if (parts := _parts(words, atlas)) is not None:
        return _together(parts, atlas)
    if len(words) > 1 and words[-1] == "city":  # "Mexico City": a city, whatever its country
        return _NO_COUNTRY
    return _REGION if _names_region(words, atlas) else _UNKNOWN


def _as_codes(text: str, atlas: _Atlas) -> Place | None:
    if not _CODES.fullmatch(text.strip()):
        return None
    codes = re.findall(r"[A-Z]{2}", text)
    return _listed(codes) if all(code in atlas.names for code in codes) else None


def _as_owned(text: str, atlas: _Atlas) -> Place | None:
    """What "Hong Kong (China)" is: brackets list nothing, they say whose the place is; None for other brackets."""
    bracketed = _BRACKETED.fullmatch(text.strip())
    if bracketed is None:
        return None
    name, state = (atlas.known.get(_key(part), _UNKNOWN) for part in bracketed.groups())
    if not name.codes or not state.codes or name == state:
        return None
    return name if atlas.sovereign.get(name.codes[0]) == state.codes[0] else _UNKNOWN


def _as_name(key: str, atlas: _Atlas) -> Place | None:
    return _UNKNOWN if key in atlas.ambiguous else atlas.known.get(key)


def _together(parts: list[_Part], atlas: _Atlas) -> Place:
    """What the parts of a text are as a whole, each of them being known."""
    kinds = {part.place.kind for part in parts}
    if PlaceKind.NO_COUNTRY in kinds:
        return _NO_COUNTRY
    if PlaceKind.REGION in kinds:
        return _REGION
    if not parts or any(part.qualifier for part in parts):
        return _UNKNOWN
    codes = [part.place.codes[0] for part in parts]
    if len(codes) == 2 and parts[1].loose and atlas.sovereign.get(codes[0]) == codes[1]:  # noqa: PLR2004 - a pair
        return _listed(codes[:1])
    return _listed(codes)


def _parts(words: list[str], atlas: _Atlas) -> list[_Part] | None:
    """The text cut into known names without a rest, the longest first; None when that cannot be.

    Worked from the end: ``ends[start, tie]`` is where the first name from ``start`` on ends if all the
    rest can be cut too.
    """
    ends: dict[tuple[int, _Tie], int] = {(len(words), tie): len(words) for tie in _Tie}
    for start in reversed(range(len(words))):
        for tie in _Tie:
            if words[start] in (_MARK, _AND):
                if (start + 1, _Tie.NONE) in ends:
                    ends[start, tie] = start + 1
                continue
            for end in range(min(len(words), start + _MAX_WORDS), start, -1):
                found = _part(words[start:end], tie, atlas)
                if found is not None and (end, found[1]) in ends:
                    ends[start, tie] = end
                    break
    parts: list[_Part] = []
    start, tie = 0, _Tie.NONE
    while start < len(words):
        if (start, tie) not in ends:
            return None
        end = ends[start, tie]
        found = _part(words[start:end], tie, atlas)
        if found is not None:
            parts.append(found[0])
        start, tie = end, _Tie.NONE if found is None else found[1]
    return parts


def _part(words: list[str], tie: _Tie, atlas: _Atlas) -> tuple[_Part, _Tie] | None:
    """These words as one name behind ``tie``, and the tie for what follows; None when they are none."""
    if words[0] in (_MARK, _AND) or words[-1] in (_MARK, _AND):
        return None
    key = _without_marks(words)
    if key in atlas.qualifiers:
        return _Part(_UNKNOWN, loose=False, qualifier=True), _Tie.NONE
    found = atlas.known.get(key)
    if found is None or found.kind is not PlaceKind.COUNTRY:
        return None if found is None else (_Part(found, loose=False), _Tie.NONE)
    alone = key in atlas.alone
    if tie is _Tie.ALONE or (tie is _Tie.COUNTRY and alone):
        return None
    return _Part(found, loose=tie is not _Tie.NONE), _Tie.ALONE if alone else _Tie.COUNTRY


def _names_region(words: list[str], atlas: _Atlas) -> bool:
    """Whether a region's name stands anywhere: other words make it a product of that region at most."""
    for start in range(len(words)):
        for end in range(start + 1, min(len(words), start + _MAX_WORDS) + 1):
            found = atlas.known.get(_without_marks(words[start:end]))
            if found is not None and found.kind is PlaceKind.REGION:
                return True
    return False


def _listed(codes: list[str]) -> Place:
    unique = tuple(sorted(set(codes)))
    return Place(PlaceKind.COUNTRY if len(unique) == 1 else PlaceKind.COUNTRIES, unique)


def _words(text: str) -> list[str]:
    """The text's words without case, accents and small differences; a comma stands for every list mark."""
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()
    plain = _JOINED.sub("", plain).replace("&", " and ")
    words: list[str] = []
    for number, piece in enumerate(_LIST_MARK.split(plain)):
        if number:
            words.append(_MARK)
        found = (_SAME_WORD.get(word, word) for word in _NOT_A_WORD.split(piece))
        words.extend(word for word in found if word and word != _THE)
    return words


def _without_marks(words: list[str]) -> str:
    return " ".join(word for word in words if word != _MARK)


def _key(name: str) -> str:
    return _without_marks(_words(name))


@functools.cache
def _atlas() -> _Atlas:
    table = _table("places.toml")
    known: dict[str, Place] = {}
    for name, meaning in (*_tabled_names(table), *_cldr_names()):
        key = _key(name)
        for form in (key, key.replace(f" {_AND} ", " ")):
            known.setdefault(form, meaning)
    english = Locale(_LANGUAGES[0]).territories
    display = {code: name for code, name in english.items() if (_cldr_meaning(code) or _UNKNOWN).codes}
    parsing = table["parsing"]
    return _Atlas(
        names=display | table["names"],
        known=known,
        alone=frozenset(map(_key, parsing["alone"])),
        ambiguous=frozenset(map(_key, parsing["ambiguous"])),
        qualifiers=frozenset(map(_key, parsing["qualifiers"])),
        sovereign={code: state for state, codes in table["territories"].items() for code in codes},
    )


def _tabled_names(table: Mapping[str, Any]) -> Iterator[tuple[str, Place]]:
    for code, spellings in table["spellings"].items():
        for name in spellings:
            yield name, Place(PlaceKind.COUNTRY, (code,))
    for name in table["regions"]["names"]:
        yield name, _REGION
    for group in table["no_country"].values():
        for name in group:
            yield name, _NO_COUNTRY


def _cldr_names() -> Iterator[tuple[str, Place]]:
    """CLDR's names in each language, those of countries before those of their groups."""
    for language in _LANGUAGES:
        for code, name in sorted(Locale(language).territories.items(), key=lambda entry: len(entry[0])):
            meaning = _cldr_meaning(code)
            if meaning is not None:
                yield name, meaning


def _cldr_meaning(code: str) -> Place | None:
    """What CLDR's code stands for here: numbers are groups, and some letters are no country of ISO's."""
    if code in _CLDR_OTHER:
        return None
    if code in _CLDR_GROUPS or len(code) != 2:  # noqa: PLR2004 - alpha-2
        return _REGION
    return _NO_COUNTRY if code in _CLDR_PARTS else Place(PlaceKind.COUNTRY, (code,))


@functools.cache
def _regions() -> tuple[tuple[Region, ...], Mapping[str, Mapping[str, tuple[str, ...]]]]:
    """The public regions, and what each provider means by its own."""
    table = _table("regions.toml")
    suppliers = table.pop("suppliers", {})
    found = []
    for code, entry in table.items():
        codes = country_codes() if entry["countries"] == "*" else _checked(entry["countries"], code)
        found.append(Region(code=code, name=entry["name"], countries=codes))
    found.sort(key=lambda each: (len(each.countries), each.code))
    own = {
        provider: {_key(name): _checked(codes, f"suppliers.{provider}.{name}") for name, codes in lists.items()}
        for provider, lists in suppliers.items()
    }
    return tuple(found), own


def _checked(text: str, where: str) -> tuple[str, ...]:
    codes = tuple(sorted(set(text.split())))
    if wrong := [code for code in codes if not is_country(code)]:
        raise ConfigurationError(f"config/regions.toml: {where}: no such country: {' '.join(wrong)}")
    return codes


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files("config").joinpath(name).read_text("utf-8"))
