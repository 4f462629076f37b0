"""What each source says of a SKU: its attributes, its name, its product's name. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from providers.kit import durations, places, plan_facts, plan_names, units
from providers.kit.mapping_overrides import MappingOverrides
from providers.kit.places import Place, PlaceKind
from providers.kit.text import clean_text
from providers.s2s import attribute_facts, wire
from schemas.plan import About, DataAllowance, Features, SetAsideReason

SKU_NAME = "the SKU's name"
PRODUCT_NAME = "the product's name"
_BETWEEN = re.compile(r"[,;|]")
_LONGEST_LIST = 4000
_FACTS = (
    *("hotspot", "voice_minutes", "sms_count", "phone_number", "kyc_required", "install_within_days"),
    *("exit_country", "networks"),
)


class AttributeCodes(msgspec.Struct, frozen=True):
    """Which attribute code means what; None where the supplier has no such attribute."""

    country: str | None = None
    data: str | None = None
    days: str | None = None
    hotspot: str | None = None
    voice_minutes: str | None = None
    sms_count: str | None = None
    phone_number: str | None = None
    kyc_required: str | None = None
    install_within_days: str | None = None
    exit_country: str | None = None
    networks: str | None = None


class Unclear(NamedTuple):
    """Words about a field that no rule understands, and the reason that they are if no other source speaks of it."""

    reason: SetAsideReason
    text: str
    about: About
    strange: tuple[str, ...] = ()


class SourceTerms(msgspec.Struct, frozen=True):
    """What one source says of a SKU; None where it does not speak of a field.

    ``place_words`` are what ``place`` was read from; ``coded`` when they are codes and no names. ``networks`` is the
    attribute's value as it came.
    """

    source: str
    place: Place | None = None
    place_words: str = ""
    coded: bool = False
    data: DataAllowance | None = None
    days: int | None = None
    unclear_data: Unclear | None = None
    unclear_days: Unclear | None = None
    features: Features = plan_facts.NOTHING
    networks: Any = None


def terms_of_attributes(
    product: wire.Attributes, sku: wire.Attributes, codes: AttributeCodes, overrides: MappingOverrides | None = None
) -> SourceTerms:
    """What the attributes say; a SKU's own value stands before its product's.

    Codes that were told count beside those that the account is configured with, and after them.
    """
    also: Mapping[str, tuple[str, ...]] = overrides.attributes if overrides is not None else {}
    place_words = _attribute(product, sku, codes.country, also.get("country", ()))
    data, unclear_data = _data_in(_attribute(product, sku, codes.data, also.get("data", ())))
    days, unclear_days = _days_in(_attribute(product, sku, codes.days, also.get("days", ())), overrides)
    place = _place_in(place_words, overrides) if place_words else None
    coded = places.codes_in(place_words) is not None
    values = {name: _value(product, sku, getattr(codes, name)) for name in _FACTS}
    features = attribute_facts.features(values)
    unclear = (unclear_data, unclear_days)
    return SourceTerms("its attributes", place, place_words, coded, data, days, *unclear, features, values["networks"])


def strange_codes(
    product: wire.Attributes, sku: wire.Attributes, codes: AttributeCodes, overrides: MappingOverrides | None
) -> tuple[str, ...]:
    """The codes of attributes that have a value, and of which nobody said what they mean; sorted."""
    known = set(msgspec.structs.astuple(codes))
    if overrides is not None:
        known.update(*overrides.attributes.values())
    found = {
        code
        for attributes in (sku, product)
        if isinstance(attributes, dict)
        for code, value in attributes.items()
        if code not in known and value is not None and _text_of(value if isinstance(value, str) else _text(value))
    }
    return tuple(sorted(found))


@lru_cache(maxsize=16384)
def terms_of_name(source: str, name: str, overrides: MappingOverrides | None = None) -> SourceTerms:
    """What a name says. Words that are no known place say nothing about the place."""
    parsed = plan_names.parse(name, overrides)
    place: Place | None = places.place(parsed.place, overrides)
    if place is not None and place.kind is PlaceKind.UNKNOWN:
        place = None
    unclear = _unknown_unit(name, parsed.unknown_unit) if parsed.unknown_unit else None
    facts = plan_facts.facts_of(name)
    return SourceTerms(
        source, place, parsed.place, data=parsed.data, days=parsed.days, unclear_days=unclear, features=facts
    )


def _attribute(product: wire.Attributes, sku: wire.Attributes, code: str | None, also: tuple[str, ...] = ()) -> str:
    """The words of the first of these attributes that has any; empty where none has. Lists are written with commas."""
    for name in (code, *also):
        for attributes in (sku, product):
            value = attributes.get(name) if isinstance(attributes, dict) and name is not None else None
            if value is not None and (text := _text_of(value if isinstance(value, str) else _text(value))):
                return text
    return ""


def _value(product: wire.Attributes, sku: wire.Attributes, code: str | None) -> Any:
    """The value of an attribute, a SKU's own before its product's; None where neither has one."""
    found = (attributes.get(code) for attributes in (sku, product) if isinstance(attributes, dict) and code is not None)
    return next((value for value in found if value is not None), None)


def _text(value: object) -> str:
    """A number or a list as its words; empty for whatever else JSON may hold."""
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


@lru_cache(maxsize=8192)
def _text_of(text: str) -> str:
    return clean_text(text, _LONGEST_LIST)


@lru_cache(maxsize=4096)
def _place_in(text: str, overrides: MappingOverrides | None = None) -> Place:
    """What an attribute's words name. It is meant as the coverage, so words not understood are no country."""
    if (codes := places.codes_in(text)) is None:
        whole = places.place(text, overrides)
        if whole.kind is not PlaceKind.UNKNOWN:
            return whole
        found = [places.country(part, overrides) for part in _BETWEEN.split(text) if part.strip()]
        codes = tuple(sorted({code for code in found if code is not None}))
        if not codes or None in found or places.is_shared(text):
            return Place(PlaceKind.NO_COUNTRY)
    return Place(PlaceKind.COUNTRY if len(codes) == 1 else PlaceKind.COUNTRIES, codes)


@lru_cache(maxsize=4096)
def _data_in(text: str) -> tuple[DataAllowance | None, Unclear | None]:
    if not text:
        return None, None
    data = units.declared_from_text(text)
    if data is not None:
        return data, None
    # "10" alone states no unit, "Flex" states no amount.
    if any(character.isdigit() for character in text):
        return None, Unclear(SetAsideReason.UNKNOWN_UNIT, text, About.DATA, (text,))
    return None, Unclear(SetAsideReason.UNKNOWN_DATA_TYPE, text, About.DATA_TYPE, (text,))


@lru_cache(maxsize=4096)
def _days_in(text: str, overrides: MappingOverrides | None = None) -> tuple[int | None, Unclear | None]:
    if not text:
        return None, None
    found, unit = durations.stated(text, overrides.units if overrides is not None else None)
    if not isinstance(found, SetAsideReason):
        return found, None
    return None, _unknown_unit(text, unit) if unit else Unclear(found, text, About.DAYS)


def _unknown_unit(text: str, unit: str) -> Unclear:
    return Unclear(SetAsideReason.UNKNOWN_UNIT, text, About.UNIT, (unit,))
