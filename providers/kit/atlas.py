"""What is known of places: names from CLDR and ``config/places.toml``, regions from ``config/regions.toml``.

Everything is looked up by a normalised key (``providers.kit.spelling``); ``providers.kit.places`` reads texts with it.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from importlib import resources
from typing import Any

import msgspec

from providers.kit.spelling import AND, key_of
from schemas.errors import ConfigurationError

# Names of other languages so short stand only alone: "Tai" is Thailand in Estonian, "Sec" Czechia in Vietnamese.
_SHORT = 4


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


REGION = Place(PlaceKind.REGION)
NO_COUNTRY = Place(PlaceKind.NO_COUNTRY)
UNKNOWN = Place(PlaceKind.UNKNOWN)


class Atlas(msgspec.Struct, frozen=True):
    """Every known name, and what the words around names mean. All but codes are keys (see ``spelling.key_of``)."""

    names: Mapping[str, str]  # code -> English name to show
    codes: Mapping[str, str]  # other codes of countries, alpha-3 above all -> alpha-2
    meanings: Mapping[str, Place]
    alone: frozenset[str]  # names that mean too many things to stand beside another without a separator
    shared: frozenset[str]  # spellings of two places
    qualifiers: frozenset[str]
    parts: frozenset[str]  # words that say in a bracket that not the whole country is meant
    state_of: Mapping[str, str]  # territory -> the state that it belongs to
    operators: Mapping[str, frozenset[str]]  # an operator's name -> its countries


class _Cldr(msgspec.Struct):
    """What ``config/territory_names.txt`` holds."""

    names: dict[str, str]
    codes: dict[str, str]
    meanings: dict[str, Place]
    alone: set[str]  # keys too short to be distinguished from other words
    shared: set[str]


@functools.cache
def atlas() -> Atlas:
    """All that is known of places, read once."""
    table, cldr = _table("places.toml"), _cldr()
    meanings = cldr.meanings
    own = {form: meaning for name, meaning in _tabled_names(table) for form in _forms(name)}
    meanings |= own
    parsing = table["parsing"]
    return Atlas(
        names=cldr.names | table["names"],
        codes=cldr.codes | table["codes"],
        meanings=meanings,
        alone=frozenset((cldr.alone - own.keys()).union(map(key_of, parsing["alone"]))),
        shared=frozenset((cldr.shared - meanings.keys()).union(map(key_of, parsing["ambiguous"]))),
        qualifiers=frozenset(map(key_of, parsing["qualifiers"])),
        parts=frozenset(map(key_of, parsing["parts"])),
        state_of={code: state for state, codes in table["state_of"].items() for code in codes.split()},
        operators=_operators(),
    )


def _forms(name: str) -> tuple[str, ...]:
    key = key_of(name)
    return key, key.replace(f" {AND} ", " ")


def _tabled_names(table: Mapping[str, Any]) -> Iterator[tuple[str, Place]]:
    for code, spellings in table["spellings"].items():
        for name in spellings:
            yield name, Place(PlaceKind.COUNTRY, (code,))
    for name in table["regions"]["names"]:
        yield name, REGION
    for group in table["no_country"].values():
        for name in group:
            yield name, NO_COUNTRY


def _cldr() -> _Cldr:
    """CLDR's names in all of its languages, of which the first that feeds are written in decide."""
    found = _Cldr({}, {}, {}, set(), set())
    for line in resources.files("config").joinpath("territory_names.txt").read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        meaning, *columns = line.split("\t")
        if meaning == "shared":
            found.shared.add(columns[0])
            continue
        code, name, usual, rare = columns
        place = {"region": REGION, "no country": NO_COUNTRY}.get(meaning) or Place(PlaceKind.COUNTRY, (meaning,))
        if place.codes:
            found.names[meaning] = name
            found.codes[code] = meaning
        found.meanings |= dict.fromkeys(filter(None, f"{usual}|{rare}".split("|")), place)
        found.alone.update(key for key in rare.split("|") if len(key) <= _SHORT and key.isascii())
    return found


def _operators() -> Mapping[str, frozenset[str]]:
    countries: dict[str, set[str]] = {}
    for code, names in _table("operators.toml").items():
        for name in names:
            countries.setdefault(key_of(name), set()).add(code)
    return {key: frozenset(codes) for key, codes in countries.items()}


@functools.cache
def name_words() -> Mapping[str, Place]:
    """Every word of a place's name, with the place where it is one place's alone, and ``UNKNOWN`` where it is not."""
    found: dict[str, Place] = {}
    for key, place in atlas().meanings.items():
        for word in key.split():
            if found.setdefault(word, place) != place:
                found[word] = UNKNOWN
    return found


@functools.cache
def regions() -> tuple[tuple[Region, ...], Mapping[str, Mapping[str, tuple[str, ...]]]]:
    """The public regions, smallest first and then by code, and what each provider means by its own.

    Raises ``ConfigurationError`` naming an unknown country code.
    """
    table = _table("regions.toml")
    suppliers = table.pop("suppliers", {})
    found = []
    for code, entry in table.items():
        codes = tuple(sorted(atlas().names)) if entry["countries"] == "*" else _checked(entry["countries"], code)
        found.append(Region(code=code, name=entry["name"], countries=codes))
    found.sort(key=lambda each: (len(each.countries), each.code))
    own = {
        provider: {key_of(name): _checked(codes, f"suppliers.{provider}.{name}") for name, codes in lists.items()}
        for provider, lists in suppliers.items()
    }
    return tuple(found), own


def _checked(text: str, where: str) -> tuple[str, ...]:
    codes = tuple(sorted(set(text.split())))
    if wrong := [code for code in codes if code not in atlas().names]:
        raise ConfigurationError(f"config/regions.toml: {where}: no such country: {' '.join(wrong)}")
    return codes


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files("config").joinpath(name).read_text("utf-8"))
