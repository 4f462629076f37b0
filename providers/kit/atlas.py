"""What is known of places: names from CLDR and ``config/places.toml``, regions from ``config/regions.toml``.

Everything is looked up by a normalised key; ``providers.kit.places`` reads texts with it.
"""

from __future__ import annotations

import functools
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from enum import StrEnum
from importlib import resources
from typing import Any

import msgspec
from babel import Locale

from schemas.errors import ConfigurationError

LIST_MARK, AND = ",", "and"

_LANGUAGES = ("en", "ru", "de", "es", "fr")  # the first to name a place decides
# CLDR's codes beside ISO's: parts of countries, groups of them, and its own tests.
_CLDR_PARTS = frozenset(["AC", "CP", "CQ", "DG", "EA", "IC", "TA"])
_CLDR_GROUPS = frozenset(["EU", "EZ", "QO", "UN"])
_CLDR_OTHER = frozenset(["XA", "XB", "ZZ"])

_JOINED = re.compile(r"[.'’‘`´ʼ]")
_LIST_MARKS = re.compile(r"[,;/|+&\n]")
_NOT_A_WORD = re.compile(r"[^\w]+|_")
_SAME_WORD = {"st": "saint", "ste": "saint", "islands": "island", "isl": "island", "n": AND}
_THE = "the"


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
    """Every known name, and what the words around names mean. All but codes are keys (see ``key_of``)."""

    names: Mapping[str, str]  # code -> English name to show
    meanings: Mapping[str, Place]
    alone: frozenset[str]
    ambiguous: frozenset[str]
    qualifiers: frozenset[str]
    sovereign: Mapping[str, str]  # territory -> the state that it belongs to


@functools.cache
def atlas() -> Atlas:
    """All that is known of places, read once."""
    table = _table("places.toml")
    meanings: dict[str, Place] = {}
    for name, meaning in (*_tabled_names(table), *_cldr_names()):
        key = key_of(name)
        for form in (key, key.replace(f" {AND} ", " ")):
            meanings.setdefault(form, meaning)
    english = Locale(_LANGUAGES[0]).territories
    display = {code: name for code, name in english.items() if (_cldr_meaning(code) or UNKNOWN).codes}
    parsing = table["parsing"]
    return Atlas(
        names=display | table["names"],
        meanings=meanings,
        alone=frozenset(map(key_of, parsing["alone"])),
        ambiguous=frozenset(map(key_of, parsing["ambiguous"])),
        qualifiers=frozenset(map(key_of, parsing["qualifiers"])),
        sovereign={code: state for state, codes in table["territories"].items() for code in codes},
    )


def _tabled_names(table: Mapping[str, Any]) -> Iterator[tuple[str, Place]]:
    for code, spellings in table["spellings"].items():
        for name in spellings:
            yield name, Place(PlaceKind.COUNTRY, (code,))
    for name in table["regions"]["names"]:
        yield name, REGION
    for group in table["no_country"].values():
        for name in group:
            yield name, NO_COUNTRY


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
        return REGION
    return NO_COUNTRY if code in _CLDR_PARTS else Place(PlaceKind.COUNTRY, (code,))


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


def tokens_of(text: str) -> list[str]:
    """The text's words without case, accents and small differences; a comma stands for every list mark."""
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()
    plain = _JOINED.sub("", plain).replace("&", " and ")
    tokens: list[str] = []
    for number, piece in enumerate(_LIST_MARKS.split(plain)):
        if number:
            tokens.append(LIST_MARK)
        found = (_SAME_WORD.get(word, word) for word in _NOT_A_WORD.split(piece))
        tokens.extend(word for word in found if word and word != _THE)
    return tokens


def without_marks(tokens: list[str]) -> str:
    """The words as a key."""
    return " ".join(word for word in tokens if word != LIST_MARK)


def key_of(name: str) -> str:
    """What a name is looked up by."""
    return without_marks(tokens_of(name))
