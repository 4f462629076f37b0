"""Names of countries and regions, in many spellings, to ISO 3166-1 alpha-2 codes.

Places are known by rule and by table, never by likeness: a name that neither CLDR's country names nor
``config/places.toml`` holds is ``unknown``, and a city, island or state without a code of its own is
``no_country``, never the country it belongs to. XK (Kosovo) is a country here; HK, MO, TW, PR, GP, RE
and the like stand for themselves.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


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


def place(text: str) -> Place:
    """What ``text`` names. Never raises; a text that is too long or not understood is ``unknown``."""
    raise NotImplementedError


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
    raise NotImplementedError


def regions() -> tuple[Region, ...]:
    """The named regions, smallest first, then by code."""
    raise NotImplementedError


def region_of(coverage: tuple[str, ...]) -> str | None:
    """The code of the smallest region that holds at least 80 % of these countries.

    Ties go by code. None for fewer than two countries and when no region holds enough of them.
    """
    raise NotImplementedError


def country_name(code: str) -> str:
    """The English name of a country ("Japan"); the code itself when it is not one."""
    raise NotImplementedError


def is_country(code: str) -> bool:
    """Whether this is a country code here: ISO 3166-1 alpha-2 in capitals, or XK."""
    raise NotImplementedError
