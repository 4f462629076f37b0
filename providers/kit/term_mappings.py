"""Mappings of single terms that no table knows: a place's spelling, a unit of time, an attribute's code.

A provider's mapping gets them as a value, ``MappingOverrides``, for one walk; nothing is remembered between walks.
``config/mappings.toml`` ships some, the gateway's database has those of operators.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable
from fractions import Fraction
from importlib import resources
from typing import Any

import msgspec

from providers.kit import durations, places
from providers.kit.mapping_overrides import MappingOverrides
from providers.kit.spelling import key_of
from providers.kit.text import NAME_LENGTH, clean_text
from schemas.errors import ConfigurationError
from schemas.plan import About

EVERY_PROVIDER = ""
EVERY_ACCOUNT = ""
TELLABLE = (About.PLACE, About.UNIT, About.ATTRIBUTE)
ATTRIBUTES = ("country", "data", "days")
_OWN_UNITS = frozenset({"DAY", "MONTH"})
_MOST_DAYS = 366


class TermMapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one word means. ``provider`` empty is every provider's word, ``supplier`` empty every account's at it.

    ``means`` are ISO codes between spaces for a place (one: a country; several: a region of that provider), days as
    a number or a fraction for a unit, and country, data or days for an attribute's code.
    """

    about: About
    word: str
    means: str
    provider: str = EVERY_PROVIDER
    supplier: str = EVERY_ACCOUNT

    @property
    def key(self) -> str:
        """What the word is looked up by; two meanings with one key are about one word."""
        if self.about is About.PLACE:
            return key_of(self.word)
        return durations.unit_key(self.word) if self.about is About.UNIT else self.word


class TermMappingError(ValueError):
    """A mapping is invalid; ``field`` is the field of ``TermMapping`` that is wrong."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field


def overrides_of(
    meanings: Iterable[TermMapping], provider: str, supplier: str = EVERY_ACCOUNT
) -> MappingOverrides | None:
    """What of these counts for the items of an account at a provider; None when nothing does.

    The account's own word goes before its provider's, and that before every provider's; of two meanings of one word
    the later one counts.
    """
    known: dict[tuple[str, str], TermMapping] = {}
    for scope in ((EVERY_PROVIDER, EVERY_ACCOUNT), (provider, EVERY_ACCOUNT), (provider, supplier)):
        known |= {(each.about, each.key): each for each in meanings if (each.provider, each.supplier) == scope}
    if not known:
        return None
    countries: dict[str, str] = {}
    regions: dict[str, tuple[str, ...]] = {}
    units: dict[str, Fraction] = {}
    attributes: dict[str, list[str]] = {}
    for (about, key), meaning in sorted(known.items()):
        if about == About.PLACE:
            codes = codes_of(meaning.means)
            if len(codes) == 1:
                countries[key] = codes[0]
            else:
                regions[key] = codes
        elif about == About.UNIT:
            units[key] = Fraction(meaning.means)
        else:
            attributes.setdefault(meaning.means, []).append(key)
    terms = [(about, key, meaning.means) for (about, key), meaning in sorted(known.items())]
    return MappingOverrides(
        countries,
        regions,
        units,
        {name: tuple(codes) for name, codes in attributes.items()},
        hashlib.blake2b(msgspec.json.encode(terms), digest_size=16).digest(),
    )


def checked(meaning: TermMapping) -> TermMapping:
    """The meaning in its one way of writing. Raises ``TermMappingError``."""
    word, means = clean_text(meaning.word), clean_text(meaning.means, 2000)
    if not word or word != " ".join(meaning.word.split()):
        raise TermMappingError("word", f"the word must have 1 to {NAME_LENGTH} visible characters")
    made = msgspec.structs.replace(meaning, word=word)
    if meaning.about not in TELLABLE:
        raise TermMappingError("about", f"a meaning is about {', '.join(TELLABLE)}")
    if not made.key:
        raise TermMappingError("word", "the word has no letters or digits")
    if meaning.supplier and not meaning.provider:
        raise TermMappingError("provider", "an account's own word needs the name of its provider, too")
    check = {About.PLACE: _place, About.UNIT: _unit, About.ATTRIBUTE: _attribute}[meaning.about]
    return msgspec.structs.replace(made, means=check(made, means))


def _place(meaning: TermMapping, means: str) -> str:
    codes = codes_of(means)
    if not codes:
        raise TermMappingError("means", "a place means one or more ISO codes of countries")
    if wrong := [code for code in codes if not places.is_country(code)]:
        raise TermMappingError("means", f"no such country: {' '.join(wrong)}")
    already = places.place(meaning.word).codes
    if already:
        raise TermMappingError("word", f"{meaning.word} is understood already, as {' '.join(already)}")
    if len(codes) > 1 and not meaning.provider:
        raise TermMappingError("provider", "a region's countries differ from provider to provider: name the provider")
    return " ".join(codes)


def _unit(meaning: TermMapping, means: str) -> str:
    if meaning.key in _OWN_UNITS or not meaning.key.isalpha():
        raise TermMappingError("word", f"{meaning.word} is no unit that needs a meaning")
    try:
        days = Fraction(means)
    except (ValueError, ZeroDivisionError):
        days = Fraction(0)
    if not 0 < days <= _MOST_DAYS or days.denominator > durations.MAX_PARTS:
        raise TermMappingError("means", 'a unit means a number of days: "14" for a fortnight, "1/1440" for a minute')
    return str(days)


def _attribute(meaning: TermMapping, means: str) -> str:
    if means not in ATTRIBUTES:
        raise TermMappingError("means", f"an attribute means {', '.join(ATTRIBUTES)}")
    if not meaning.provider:
        raise TermMappingError("provider", "an attribute's code is one provider's own: name the provider")
    return means


def codes_of(means: str) -> tuple[str, ...]:
    """The sorted codes of a place's meaning, in capitals."""
    return tuple(sorted(set(means.upper().replace(",", " ").split())))


def shipped() -> tuple[TermMapping, ...]:
    """What ``config/mappings.toml`` holds. Raises ``ConfigurationError`` naming the entry that cannot be."""
    return read_toml(resources.files("config").joinpath("mappings.toml").read_text("utf-8"))


def read_toml(text: str) -> tuple[TermMapping, ...]:
    """The meanings in a file of the form of ``config/mappings.toml``. Raises ``ConfigurationError``.

    Places that the tables of a newer release know as the file has them are left out.
    """
    try:
        table: dict[str, Any] = tomllib.loads(text)
        found = [msgspec.convert(row, TermMapping) for row in table.get("mapping", ())]
        return tuple(checked(mapping) for mapping in found if not _is_in_tables(mapping))
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, ValueError) as error:
        raise ConfigurationError(f"config/mappings.toml: {error}") from None


def _is_in_tables(mapping: TermMapping) -> bool:
    known = places.place(mapping.word).codes if mapping.about is About.PLACE else ()
    return bool(known) and known == codes_of(mapping.means)


def as_toml(meanings: Iterable[TermMapping]) -> str:
    """The meanings as ``config/mappings.toml`` holds them, in a fixed order; empty text for none."""
    lines: list[str] = []
    for each in sorted(meanings, key=lambda meaning: (meaning.provider, meaning.supplier, meaning.about, meaning.key)):
        lines.append("[[mapping]]")
        if each.provider:
            lines.append(f"provider = {_quoted(each.provider)}")
        if each.supplier:
            lines.append(f"supplier = {_quoted(each.supplier)}")
        lines += [f'about = "{each.about}"', f"word = {_quoted(each.word)}", f"means = {_quoted(each.means)}", ""]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are all among TOML's."""
    return msgspec.json.encode(text).decode().replace("\x7f", "\\u007f")
