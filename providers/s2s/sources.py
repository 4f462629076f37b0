"""What each source says of a SKU: its attributes, its name, its product's name. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from providers import names, places, units
from providers.places import Place, PlaceKind
from providers.s2s import wire
from providers.text import clean_text
from schemas.plan import DataAllowance, SetAsideReason

SKU_NAME = "the SKU's name"
PRODUCT_NAME = "the product's name"
_BETWEEN = re.compile(r"[,;|]")
_BARE_NUMBER = re.compile(r"[0-9]{1,6}")
_LONGEST_LIST = 4000
# What SKUs are called under locale=ru, for the name parser, which reads English. The first that fits counts.
_RUSSIAN = tuple(
    (re.compile(pattern, re.IGNORECASE), english)
    for pattern, english in (
        (r"(?:/\s?|\bв )день\b|\bежедневно\b", "/day"),
        (r"(?<=[\d\s])ГБ\b", "GB"),
        (r"(?<=[\d\s])МБ\b", "MB"),
        (r"(?<=[\d\s])(?:день|дня|дней)\b", "days"),
        (r"(?<=[\d\s])месяц(?:а|ев)?\b", "months"),
        (r"\bбезлимит(?:ный|ные)?\b", "Unlimited"),
        (r"\b(?:интернет|трафик|данные)\b", "data"),
    )
)


class AttributeCodes(msgspec.Struct, frozen=True):
    """Which attribute code means what; None where the supplier has no such attribute."""

    country: str | None = None
    data: str | None = None
    days: str | None = None


class Said(msgspec.Struct, frozen=True):
    """What one source says of a SKU; None where it does not speak of a field.

    ``place_words`` are what ``place`` was read from. ``unclear_data`` and ``unclear_days`` are words about
    a field that no rule understands, with the reason that they are if no other source speaks of it.
    """

    source: str
    place: Place | None = None
    place_words: str = ""
    data: DataAllowance | None = None
    days: int | None = None
    unclear_data: tuple[SetAsideReason, str] | None = None
    unclear_days: tuple[SetAsideReason, str] | None = None


def said_by_attributes(product: wire.Attributes, sku: wire.Attributes, codes: AttributeCodes) -> Said:
    """What the attributes say; a SKU's own value stands before its product's."""
    place_words = _attribute(product, sku, codes.country)
    data, unclear_data = _data_in(_attribute(product, sku, codes.data))
    days, unclear_days = _days_in(_attribute(product, sku, codes.days))
    place = _place_in(place_words) if place_words else None
    return Said("its attributes", place, place_words, data, days, unclear_data, unclear_days)


@lru_cache(maxsize=16384)
def said_by_name(source: str, name: str) -> Said:
    """What a name says. Words that are no known place say nothing about the place."""
    parsed = names.parse(_english(name))
    place: Place | None = places.place(parsed.place)
    if place is not None and place.kind is PlaceKind.UNKNOWN:
        place = None
    other = (SetAsideReason.UNKNOWN_UNIT, parsed.other_unit) if parsed.other_unit else None
    return Said(source, place, parsed.place, parsed.data, parsed.days, unclear_days=other)


def _attribute(product: wire.Attributes, sku: wire.Attributes, code: str | None) -> str:
    """The words of an attribute; empty where there is none. Lists are written with commas."""
    if code is None:
        return ""
    for attributes in (sku, product):
        value = attributes.get(code) if isinstance(attributes, dict) else None
        if value is not None and (words := _words(value if isinstance(value, str) else _text(value))):
            return words
    return ""


def _text(value: object) -> str:
    """A number or a list as its words; empty for whatever else JSON may hold."""
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


@lru_cache(maxsize=8192)
def _words(text: str) -> str:
    return clean_text(text, _LONGEST_LIST)


@lru_cache(maxsize=4096)
def _place_in(words: str) -> Place:
    """What an attribute's words name. It is meant as the coverage, so words not understood are no country."""
    whole = places.place(words)
    if whole.kind is not PlaceKind.UNKNOWN:
        return whole
    found = [places.country(part) for part in _BETWEEN.split(words) if part.strip()]
    codes = tuple(sorted({code for code in found if code is not None}))
    if not codes or None in found:
        return Place(PlaceKind.NO_COUNTRY)
    return Place(PlaceKind.COUNTRY if len(codes) == 1 else PlaceKind.COUNTRIES, codes)


@lru_cache(maxsize=4096)
def _data_in(words: str) -> tuple[DataAllowance | None, tuple[SetAsideReason, str] | None]:
    if not words:
        return None, None
    data = units.declared_from_text(_english(words))
    if data is not None:
        return data, None
    # "10" alone states no unit, "Flex" states no amount.
    counted = any(character.isdigit() for character in words)
    return None, (SetAsideReason.UNKNOWN_UNIT if counted else SetAsideReason.UNKNOWN_DATA_TYPE, words)


@lru_cache(maxsize=4096)
def _days_in(words: str) -> tuple[int | None, tuple[SetAsideReason, str] | None]:
    if not words:
        return None, None
    if _BARE_NUMBER.fullmatch(words):
        counted = units.days(words)
        return (counted, None) if isinstance(counted, int) else (None, (counted, words))
    parsed = names.parse(_english(words))
    if parsed.days is not None:
        return parsed.days, None
    return None, (SetAsideReason.UNKNOWN_UNIT if parsed.other_unit else SetAsideReason.NO_VALIDITY, words)


def _english(words: str) -> str:
    if not words.isascii():
        for pattern, english in _RUSSIAN:
            words = pattern.sub(english, words)
    return words
