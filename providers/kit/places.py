"""Names of countries and regions, in many spellings, to ISO 3166-1 alpha-2 codes.

Places are known by rule and by table, never by likeness: a name that neither CLDR's names nor
``config/places.toml`` holds is ``unknown``, and a city, island or state without a code of its own is
``no_country``, never the country it belongs to. XK (Kosovo) is a country here; HK, MO, TW, PR, GP, RE
and the like stand for themselves.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from enum import IntEnum
from typing import TYPE_CHECKING

import msgspec

from providers.kit import atlas
from providers.kit.atlas import AND, LIST_MARK, NO_COUNTRY, REGION, UNKNOWN, Atlas, Place, PlaceKind, Region
from schemas.plan import GLOBAL_FROM

if TYPE_CHECKING:
    from providers.kit.mapping_overrides import MappingOverrides

__all__ = [
    "Place",
    "PlaceKind",
    "Region",
    "countries",
    "country",
    "country_codes",
    "country_name",
    "is_country",
    "place",
    "region",
    "region_of",
    "regions",
    "supplier_region",
    "unknown_country",
]

MAX_TEXT = 5000  # a list of every country fits
REGION_SHARE = 80  # per cent of a plan's countries that a region must hold
GLOBAL = "global"

_REMEMBERED = 8192
_REMEMBERED_TEXT = 100
_ATLASES = 8
_MAX_WORDS = 12  # of one name

_CODES = re.compile(r"[A-Z]{2}(?:[\s,;/|+&]+[A-Z]{2})*")
_BRACKETED = re.compile(r"([^()]+)\(([^()]+)\)")


def place(text: str, overrides: MappingOverrides | None = None) -> Place:
    """What ``text`` names. Never raises; a text that is too long or not understood is ``unknown``.

    Codes are understood in capitals, alone or listed ("JP", "JP,KR"). ``overrides`` lie over what the tables know; a
    region that it lists is a region here too.
    """
    if len(text) > MAX_TEXT:
        return UNKNOWN
    return _remembered(text, overrides) if len(text) <= _REMEMBERED_TEXT else _understood(text, overrides)


def country(text: str, overrides: MappingOverrides | None = None) -> str | None:
    """The code of the one country that ``text`` names or is ("Türkiye", "TR"); None for anything else."""
    found = place(text, overrides)
    return found.codes[0] if found.kind is PlaceKind.COUNTRY else None


def countries(text: str) -> tuple[str, ...] | None:
    """The sorted codes of the countries that ``text`` lists ("Japan South Korea", "A, B & C").

    One country gives one code. None when any part of the text is something other than a country.
    """
    return place(text).codes or None


def supplier_region(provider: str, name: str, overrides: MappingOverrides | None = None) -> tuple[str, ...] | None:
    """The countries that ``name`` means at this provider; None unless it was told or regions.toml lists them for it."""
    if len(name) > MAX_TEXT:
        return None
    key = atlas.key_of(name)
    listed = overrides.regions.get(key) if overrides is not None else None
    return listed or atlas.regions()[1].get(provider, {}).get(key)


def regions() -> tuple[Region, ...]:
    """The named regions, smallest first, then by code."""
    return atlas.regions()[0]


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
    return _names().get(code, code)


def country_codes() -> tuple[str, ...]:
    """Every country code, sorted: ISO 3166-1 alpha-2 and XK."""
    return tuple(sorted(_names()))


def is_country(code: str) -> bool:
    """Whether this is a country code here: ISO 3166-1 alpha-2 in capitals, or XK."""
    return code in _names()


def unknown_country(code: str) -> str:
    """The error for a code that is none."""
    return f'unknown country code "{code}": use ISO 3166-1 alpha-2, such as "JP"'


def _names() -> Mapping[str, str]:
    return atlas.atlas().names


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
def _remembered(text: str, overrides: MappingOverrides | None) -> Place:
    return _understood(text, overrides)


@functools.lru_cache(maxsize=_ATLASES)
def _with(overrides: MappingOverrides) -> Atlas:
    """The atlas with the term mappings laid over it."""
    known = atlas.atlas()
    over = {key: Place(PlaceKind.COUNTRY, (code,)) for key, code in overrides.countries.items()}
    over |= dict.fromkeys(overrides.regions, REGION)
    return msgspec.structs.replace(known, meanings={**known.meanings, **over}, ambiguous=known.ambiguous - over.keys())


def _understood(text: str, overrides: MappingOverrides | None) -> Place:
    known = atlas.atlas() if overrides is None else _with(overrides)
    tokens = atlas.tokens_of(text)
    found = _as_codes(text, known) or _as_owned(text, known) or _as_name(atlas.without_marks(tokens), known)
    if found is not None:
        return found
    if (parts := _parts(tokens, known)) is not None:
        return _together(parts, known)
    if len(tokens) > 1 and tokens[-1] == "city":  # "Mexico City": a city, whatever its country
        return NO_COUNTRY
    return REGION if _names_region(tokens, known) else UNKNOWN


def _as_codes(text: str, known: Atlas) -> Place | None:
    if not _CODES.fullmatch(text.strip()):
        return None
    codes = re.findall(r"[A-Z]{2}", text)
    return _listed(codes) if all(code in known.names for code in codes) else None


def _as_owned(text: str, known: Atlas) -> Place | None:
    """What "Hong Kong (China)" is: brackets list nothing, they say whose the place is; None for other brackets."""
    bracketed = _BRACKETED.fullmatch(text.strip())
    if bracketed is None:
        return None
    name, state = (known.meanings.get(atlas.key_of(part), UNKNOWN) for part in bracketed.groups())
    if not name.codes or not state.codes or name == state:
        return None
    return name if known.sovereign.get(name.codes[0]) == state.codes[0] else UNKNOWN


def _as_name(key: str, known: Atlas) -> Place | None:
    return UNKNOWN if key in known.ambiguous else known.meanings.get(key)


def _together(parts: list[_Part], known: Atlas) -> Place:
    """What the parts of a text are as a whole, each of them being known."""
    kinds = {part.place.kind for part in parts}
    if PlaceKind.NO_COUNTRY in kinds:
        return NO_COUNTRY
    if PlaceKind.REGION in kinds:
        return REGION
    if not parts or any(part.qualifier for part in parts):
        return UNKNOWN
    codes = [part.place.codes[0] for part in parts]
    if len(codes) == 2 and parts[1].loose and known.sovereign.get(codes[0]) == codes[1]:  # noqa: PLR2004 - a pair
        return _listed(codes[:1])
    return _listed(codes)


def _parts(tokens: list[str], known: Atlas) -> list[_Part] | None:
    """The text cut into known names without a rest, the longest first; None when that cannot be.

    Worked from the end: ``ends[start, tie]`` is where the first name from ``start`` on ends if all the
    rest can be cut too.
    """
    ends: dict[tuple[int, _Tie], int] = {(len(tokens), tie): len(tokens) for tie in _Tie}
    for start in reversed(range(len(tokens))):
        for tie in _Tie:
            if tokens[start] in (LIST_MARK, AND):
                if (start + 1, _Tie.NONE) in ends:
                    ends[start, tie] = start + 1
                continue
            for end in range(min(len(tokens), start + _MAX_WORDS), start, -1):
                found = _part(tokens[start:end], tie, known)
                if found is not None and (end, found[1]) in ends:
                    ends[start, tie] = end
                    break
    parts: list[_Part] = []
    start, tie = 0, _Tie.NONE
    while start < len(tokens):
        if (start, tie) not in ends:
            return None
        end = ends[start, tie]
        found = _part(tokens[start:end], tie, known)
        if found is not None:
            parts.append(found[0])
        start, tie = end, _Tie.NONE if found is None else found[1]
    return parts


def _part(tokens: list[str], tie: _Tie, known: Atlas) -> tuple[_Part, _Tie] | None:
    """These words as one name behind ``tie``, and the tie for what follows; None when they are none."""
    if tokens[0] in (LIST_MARK, AND) or tokens[-1] in (LIST_MARK, AND):
        return None
    key = atlas.without_marks(tokens)
    if key in known.qualifiers:
        return _Part(UNKNOWN, loose=False, qualifier=True), _Tie.NONE
    found = known.meanings.get(key)
    if found is None or found.kind is not PlaceKind.COUNTRY:
        return None if found is None else (_Part(found, loose=False), _Tie.NONE)
    alone = key in known.alone
    if tie is _Tie.ALONE or (tie is _Tie.COUNTRY and alone):
        return None
    return _Part(found, loose=tie is not _Tie.NONE), _Tie.ALONE if alone else _Tie.COUNTRY


def _names_region(tokens: list[str], known: Atlas) -> bool:
    """Whether a region's name stands anywhere: other words make it a product of that region at most."""
    for start in range(len(tokens)):
        for end in range(start + 1, min(len(tokens), start + _MAX_WORDS) + 1):
            found = known.meanings.get(atlas.without_marks(tokens[start:end]))
            if found is not None and found.kind is PlaceKind.REGION:
                return True
    return False


def _listed(codes: list[str]) -> Place:
    unique = tuple(sorted(set(codes)))
    return Place(PlaceKind.COUNTRY if len(unique) == 1 else PlaceKind.COUNTRIES, unique)
