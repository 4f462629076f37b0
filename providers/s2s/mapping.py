"""S2S's SKUs in the gateway's words, and its refusals. Pure.

What a SKU is gets read field by field from its attributes, then its own name, then its product's name.
Sources that contradict each other set it aside; nothing is guessed between them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

import msgspec
from msgspec import Raw

from providers import names, places, units
from providers.places import Place, PlaceKind
from providers.s2s import wire
from providers.text import DESCRIPTION_LENGTH, clean_text
from providers.unmapped import Unmapped, cost_of
from schemas.errors import (
    DuplicateReference,
    InsufficientBalance,
    InvalidRequest,
    NotAuthorised,
    NotFound,
    OutOfStock,
    Refused,
    SupplierError,
)
from schemas.money import Money
from schemas.plan import DataAllowance, Offer, SetAside, SetAsideReason, Validity

CUSTOM = "custom"
MAX_STOCK = 2**31 - 1
MAX_COST = Decimal(10**9)  # of any currency, and some count in hundred thousands
PROVIDER = "s2s"
SKU_NAME = "the SKU's name"
PRODUCT_NAME = "the product's name"
_BETWEEN = re.compile(r"[,;|]")
_BARE_NUMBER = re.compile(r"[0-9]{1,6}")
_CURRENCY = re.compile(r"[A-Z]{3,5}")
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


def offer_or_reason(
    product: wire.Product, sku: wire.Sku, price: wire.Price | None, codes: AttributeCodes, raw: Raw
) -> Offer | SetAside:
    """The offer that a SKU is, or why it is none. ``raw`` is the SKU's own JSON.

    Without a row of the price list the cost is None, as it is for a custom denomination.
    """
    product_name, sku_name = clean_text(product.name), clean_text(sku.name)
    name = _name(product_name, sku_name)
    try:
        said = (
            said_by_attributes(product.attributes, sku.attributes, codes),
            said_by_name(SKU_NAME, sku_name),
            said_by_name(PRODUCT_NAME, product_name),
        )
        return Offer(
            supplier_plan_id=clean_text(sku.id),
            name=_stated(name),
            coverage=_coverage(said),
            data=_data(said),
            validity=Validity(_days(said)),
            cost=_cost(price, product.denomination_type),
            stock=_stock(price),
            description=clean_text(product.description, DESCRIPTION_LENGTH),
        )
    except Unmapped as why:
        return why.row(_as_it_came(product, price, raw), clean_text(sku.id), name)


def refusal(status: int, body: bytes) -> SupplierError | None:
    """The documented refusal that an answer is; None when it is none.

    422 is validation, a used ``external_id``, no stock or no balance, told apart by its words (2026-11). A
    used ``external_id`` is no refusal but the news that an earlier request arrived, so any doubt goes there.
    """
    try:
        said = msgspec.json.decode(body, type=wire.Failure)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if said.success:
        return None
    detail = clean_text(said.message or _words(said.error) or "refused without a reason")
    if status in (401, 403):
        return NotAuthorised(detail, status=status)
    if status == 404:  # noqa: PLR2004 - the status itself
        return NotFound(detail, status=status)
    refused = _refusal_by_words(f"{detail} {_words(said.error)} {_words(said.errors)}".casefold(), detail, status)
    if status in (400, 422) or status < 300 or isinstance(refused, DuplicateReference):  # noqa: PLR2004 - the HTTP classes
        return refused
    return None


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
        if isinstance(value, list):
            value = ", ".join(str(part) for part in value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            words = clean_text(str(value), _LONGEST_LIST)
            if words:
                return words
    return ""


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


def _data_in(words: str) -> tuple[DataAllowance | None, tuple[SetAsideReason, str] | None]:
    if not words:
        return None, None
    data = units.declared_from_text(_english(words))
    if data is not None:
        return data, None
    # "10" alone states no unit, "Flex" states no amount.
    counted = any(character.isdigit() for character in words)
    return None, (SetAsideReason.UNKNOWN_UNIT if counted else SetAsideReason.UNKNOWN_DATA_TYPE, words)


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


def _coverage(said: Sequence[Said]) -> tuple[str, ...]:
    """The countries that the first source to speak of a place names, unless another names others."""
    speaking = [one for one in said if one.place is not None]
    if not speaking:
        words = [one.place_words for one in said if one.place_words]
        if words:
            raise Unmapped(SetAsideReason.NO_SUCH_COUNTRY, f"not understood: {', '.join(words)}")
        raise Unmapped(SetAsideReason.COVERAGE_UNKNOWN, "no source names a place")
    first = speaking[0]
    kind, codes = (first.place.kind, first.place.codes) if first.place is not None else (None, ())
    if kind is PlaceKind.NO_COUNTRY:
        raise Unmapped(SetAsideReason.NO_SUCH_COUNTRY, f"no country: {first.place_words}")
    if kind is PlaceKind.REGION:
        listed = places.supplier_region(PROVIDER, first.place_words)
        if listed is None:
            raise Unmapped(SetAsideReason.COVERAGE_UNKNOWN, f"a region without its countries: {first.place_words}")
        codes = listed
    for other in speaking[1:]:
        if other.place is not None and other.place.codes and other.place.codes != codes:
            raise _contradiction("place", first, first.place_words, other, other.place_words)
    return codes


def _data(said: Sequence[Said]) -> DataAllowance:
    stated = [(one, one.data) for one in said if one.data is not None]
    if not stated:
        raise _nothing_stated([one.unclear_data for one in said], SetAsideReason.NO_DATA_AMOUNT, "no amount of data")
    first, data = stated[0]
    for other, theirs in stated[1:]:
        if (theirs.mb, theirs.unlimited, theirs.reset) != (data.mb, data.unlimited, data.reset):
            raise _contradiction("data", first, data.declared, other, theirs.declared)
        mine, also = _fair_use(data), _fair_use(theirs)
        if None not in (mine, also) and mine != also:
            raise _contradiction("fair use", first, str(mine), other, str(also))
        if mine is None and theirs.fair_use is not None:
            data = theirs  # the same amount, said with what limits it
    return data


def _fair_use(data: DataAllowance) -> str | None:
    if data.fair_use is None or data.fair_use.allowance_mb is None:
        return None
    return f"{data.fair_use.allowance_mb} MB{' a day' if data.fair_use.per_day else ''}"


def _days(said: Sequence[Said]) -> int:
    stated = [(one, one.days) for one in said if one.days is not None]
    if not stated:
        raise _nothing_stated([one.unclear_days for one in said], SetAsideReason.NO_VALIDITY, "no number of days")
    first, days = stated[0]
    for other, theirs in stated[1:]:
        if theirs != days:
            raise _contradiction("days", first, str(days), other, str(theirs))
    return days


def _cost(price: wire.Price | None, denomination: str | None) -> Money | None:
    """What we pay. None where the price list has no row, and for an amount that the buyer chooses."""
    if price is None or (price.denomination_type or denomination) == CUSTOM:
        return None
    currency = (price.currency or "").strip().upper()
    if not _CURRENCY.fullmatch(currency):
        raise Unmapped(SetAsideReason.NO_PRICE, f"currency {clean_text(price.currency)!r}")
    return cost_of(price.price, currency, MAX_COST)


def _stock(price: wire.Price | None) -> int | None:
    """How many can be bought; None when the supplier does not say."""
    if price is None or price.stock is None:
        return None
    if price.max_per_order is not None and price.max_per_order < 1:
        return 0
    return max(0, min(price.stock, MAX_STOCK))


def _name(product: str, sku: str) -> str:
    """The SKU's name, after its product's where it names no place itself ("Japan 3 GB 30 Days")."""
    if not sku or (product and product.casefold() in sku.casefold()):
        return sku or product
    return sku if said_by_name(SKU_NAME, sku).place else clean_text(f"{product} {sku}")


def _english(words: str) -> str:
    if not words.isascii():
        for pattern, english in _RUSSIAN:
            words = pattern.sub(english, words)
    return words


def _stated(name: str) -> str:
    if not name:
        raise Unmapped(SetAsideReason.NO_NAME, "neither the SKU nor its product has a name")
    return name


def _nothing_stated(
    unclear: Sequence[tuple[SetAsideReason, str] | None], otherwise: SetAsideReason, detail: str
) -> Unmapped:
    for reason, words in filter(None, unclear):
        return Unmapped(reason, f"not understood: {words}")
    return Unmapped(otherwise, detail)


def _contradiction(field: str, one: Said, its: str, other: Said, theirs: str) -> Unmapped:
    detail = f"{field}: {one.source} says {its[:100]}, {other.source} says {theirs[:100]}"
    return Unmapped(SetAsideReason.CONTRADICTORY, clean_text(detail, 400))


def _as_it_came(product: wire.Product, price: wire.Price | None, raw: Raw) -> Raw:
    """The SKU's own JSON with what was joined to it."""
    joined = {
        "product": {"id": product.id, "name": product.name, "attributes": product.attributes},
        "sku": raw,
        "price": price,
    }
    return Raw(msgspec.json.encode(joined))


def _refusal_by_words(words: str, detail: str, status: int) -> SupplierError:
    if any(word in words for word in ("external_id", "external id", "duplicate", "already")):
        return DuplicateReference(detail, status=status)
    if any(word in words for word in ("out of stock", "out_of_stock", "insufficient stock", "not enough stock")):
        return OutOfStock(detail, status=status)
    if any(word in words for word in ("balance", "funds", "overdraft")):
        return InsufficientBalance(detail, status=status)
    return InvalidRequest(detail, status=status) if status in (400, 422) else Refused(detail, status=status)


def _words(error: object) -> str:
    if isinstance(error, str):
        return error
    return "" if error is None else msgspec.json.encode(error).decode()
