"""Names of countries and regions, in many spellings, to ISO 3166-1 alpha-2 codes.

Places are known by rule and by table, never by likeness: a name that neither CLDR's names in all of its languages nor
``config/places.toml`` holds is ``unknown``, and a city, island or state without a code of its own is
``no_country``, never the country it belongs to. XK (Kosovo) is a country here; HK, MO, TW, PR, GP, RE
and the like stand for themselves.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from providers.kit import atlas, place_reading
from providers.kit.atlas import REGION, UNKNOWN, Atlas, Place, PlaceKind, Region
from providers.kit.spelling import key_of
from schemas.plan import GLOBAL_FROM

if TYPE_CHECKING:
    from providers.kit.mapping_overrides import MappingOverrides

__all__ = [
    "Place",
    "PlaceKind",
    "Region",
    "code_of",
    "codes_in",
    "countries",
    "country",
    "country_codes",
    "country_name",
    "is_country",
    "is_shared",
    "place",
    "reconciled",
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

_CODES = re.compile(r"[A-Z]{2,3}(?:[\s,;/|+&]+[A-Z]{2,3})*")


def place(text: str, overrides: MappingOverrides | None = None, operators: frozenset[str] = frozenset()) -> Place:
    """What ``text`` names. Never raises; a text that is too long or not understood is ``unknown``.

    Alpha-2 codes are understood in capitals, alone or listed ("JP", "JP,KR"). ``overrides`` lie over what the tables
    know; a region that it lists is a region here too. ``operators`` are those of the offer's networks, whose names are
    left out behind a country as those of ``config/operators.toml`` are.
    """
    if len(text) > MAX_TEXT:
        return UNKNOWN
    read = _remembered if len(text) <= _REMEMBERED_TEXT else _understood
    return read(text, overrides, operators)


def country(text: str, overrides: MappingOverrides | None = None) -> str | None:
    """The code of the one country that ``text`` names or is ("Türkiye", "TR"); None for anything else."""
    found = place(text, overrides)
    return found.codes[0] if found.kind is PlaceKind.COUNTRY else None


def countries(text: str) -> tuple[str, ...] | None:
    """The sorted codes of the countries that ``text`` lists ("Japan South Korea", "A, B & C").

    One country gives one code. None when any part of the text is something other than a country.
    """
    return place(text).codes or None


def is_shared(text: str) -> bool:
    """Whether the text is a spelling of two places, of which nobody knows which is meant ("Virgin Islands")."""
    return len(text) <= MAX_TEXT and key_of(text) in atlas.atlas().shared


def code_of(word: str) -> str | None:
    """The country of a code where codes stand: alpha-2, alpha-3 or a habit such as UK, in any case; else None."""
    code = word.strip().upper()
    return code if is_country(code) else atlas.atlas().codes.get(code)


def codes_in(text: str) -> tuple[str, ...] | None:
    """The sorted countries of a text that is nothing but codes in capitals ("JPN", "JP,KR"); None for others."""
    if not _CODES.fullmatch(text.strip()):
        return None
    found = [code_of(word) for word in re.findall(r"[A-Z]+", text)]
    return None if None in found else tuple(sorted(set(filter(None, found))))


def reconciled(codes: Iterable[str], named: Iterable[str]) -> frozenset[str] | None:
    """The countries of an offer that has codes beside names; None where the two contradict each other.

    Where no country can be read the codes decide. The state of a coded territory that is not coded itself is
    dropped ("Gibraltar, United Kingdom" with GI is GI). Then, if all codes are among the names, all names are meant.
    """
    coded, read = frozenset(codes), frozenset(named)
    if not coded or not read:
        return coded or read
    state_of = atlas.atlas().state_of
    read -= {state_of.get(code, "") for code in coded} - coded
    return read if coded <= read else None


def supplier_region(provider: str, name: str, overrides: MappingOverrides | None = None) -> tuple[str, ...] | None:
    """The countries that ``name`` means at this provider; None unless it was told or regions.toml lists them for it."""
    if len(name) > MAX_TEXT:
        return None
    key = key_of(name)
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
    return atlas.atlas().names.get(code, code)


def country_codes() -> tuple[str, ...]:
    """Every country code, sorted: ISO 3166-1 alpha-2 and XK."""
    return tuple(sorted(atlas.atlas().names))


def is_country(code: str) -> bool:
    """Whether this is a country code here: ISO 3166-1 alpha-2 in capitals, or XK."""
    return code in atlas.atlas().names


def unknown_country(code: str) -> str:
    """The error for a code that is none."""
    return f'unknown country code "{code}": use ISO 3166-1 alpha-2, such as "JP"'


@functools.lru_cache(maxsize=_REMEMBERED)
def _remembered(text: str, overrides: MappingOverrides | None, operators: frozenset[str]) -> Place:
    return _understood(text, overrides, operators)


def _understood(text: str, overrides: MappingOverrides | None, operators: frozenset[str]) -> Place:
    known = atlas.atlas() if overrides is None else _with(overrides)
    return place_reading.read(unicodedata.normalize("NFKC", text), known, frozenset(map(key_of, operators)))


@functools.lru_cache(maxsize=_ATLASES)
def _with(overrides: MappingOverrides) -> Atlas:
    """The atlas with the term mappings laid over it."""
    known = atlas.atlas()
    over = {key: Place(PlaceKind.COUNTRY, (code,)) for key, code in overrides.countries.items()}
    over |= dict.fromkeys(overrides.regions, REGION)
    return msgspec.structs.replace(known, meanings={**known.meanings, **over}, shared=known.shared - over.keys())
