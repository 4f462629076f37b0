"""S2S's SKUs in the gateway's words, and its refusals. Pure.

Each field of a SKU comes from the first of its sources that states it. Sources that contradict each other
set it aside; nothing is guessed between them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

import msgspec
from msgspec import Raw

from providers import places
from providers.places import PlaceKind
from providers.s2s import wire
from providers.s2s.sources import (
    PRODUCT_NAME,
    SKU_NAME,
    AttributeCodes,
    Said,
    said_by_attributes,
    said_by_name,
)
from providers.text import DESCRIPTION_LENGTH, NAME_LENGTH, clean_text
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
_CURRENCY = re.compile(r"[A-Z]{3,5}")


class Described(msgspec.Struct, frozen=True):
    """A product with its texts made harmless and read, once for all of its SKUs."""

    product: wire.Product
    name: str
    description: str
    said: Said


def described(product: wire.Product) -> Described:
    """What a product says of every SKU in it."""
    name = clean_text(product.name)
    return Described(
        product, name, clean_text(product.description, DESCRIPTION_LENGTH), said_by_name(PRODUCT_NAME, name)
    )


def offer_or_reason(
    of: Described, sku: wire.Sku, price: wire.Price | None, codes: AttributeCodes, raw: Raw
) -> Offer | SetAside:
    """The offer that a SKU of a product is, or why it is none. ``raw`` is the SKU's own JSON.

    Without a row of the price list the cost is None, as it is for a custom denomination.
    """
    sku_name = clean_text(sku.name)
    by_name = said_by_name(SKU_NAME, sku_name)
    name = _name(of.name, sku_name, by_name)
    said = (said_by_attributes(of.product.attributes, sku.attributes, codes), by_name, of.said)
    try:
        return Offer(
            supplier_plan_id=clean_text(sku.id),
            name=_stated(name),
            coverage=_coverage(said),
            data=_data(said),
            validity=Validity(_days(said)),
            cost=_cost(price, of.product.denomination_type),
            stock=_stock(price),
            description=of.description,
        )
    except Unmapped as why:
        return why.row(_as_it_came(of.product, price, raw), clean_text(sku.id), name)


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


def _name(product: str, sku: str, said_by_sku: Said) -> str:
    """The SKU's name, after its product's where it names no place itself ("Japan 3 GB 30 Days")."""
    if not sku or not product:
        return sku or product
    if said_by_sku.place is not None or product.casefold() in sku.casefold():
        return sku
    return f"{product} {sku}"[:NAME_LENGTH]


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
    detail = f"{field}: {its[:100]} by {one.source}, {theirs[:100]} by {other.source}"
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
