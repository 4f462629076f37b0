"""S2S's SKUs in the gateway's words, and its refusals. Pure.

Each field of a SKU comes from the first of its sources that states it. Sources that contradict each other
set it aside; nothing is guessed between them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from itertools import combinations

import msgspec
from msgspec import Raw

from providers.kit import places, plan_facts, units
from providers.kit.mapping_overrides import MappingOverrides
from providers.kit.places import PlaceKind
from providers.kit.product_kinds import require_new_esim
from providers.kit.text import DESCRIPTION_LENGTH, NAME_LENGTH, clean_text
from providers.kit.unmapped import Unmapped, amount_of, cost_of, id_of, id_or_none
from providers.s2s import attribute_facts, wire
from providers.s2s.sources import (
    PRODUCT_NAME,
    SKU_NAME,
    AttributeCodes,
    SourceTerms,
    Unclear,
    strange_codes,
    terms_of_attributes,
    terms_of_name,
)
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
from schemas.plan import DAYS_PER_MONTH, About, DataAllowance, Features, Offer, SetAside, SetAsideReason, Validity

CUSTOM = "custom"
MAX_STOCK = 2**31 - 1
_LONGEST_ID = 100
MAX_COST = Decimal(10**9)  # of any currency, and some count in hundred thousands
PROVIDER = "s2s"
_CURRENCY = re.compile(r"[A-Z]{3,5}")
_NOT_STATED = {
    SetAsideReason.NO_DATA_AMOUNT: "no amount of data",
    SetAsideReason.NO_VALIDITY: "no number of days",
}
_UNSTATED = frozenset({*_NOT_STATED, SetAsideReason.COVERAGE_UNKNOWN})
_SKU = msgspec.json.Decoder(wire.Sku, strict=False)


class Described(msgspec.Struct, frozen=True):
    """A product with its texts made harmless and read, once for all of its SKUs."""

    product: wire.Product
    name: str
    description: str
    terms: SourceTerms


class Joined(msgspec.Struct, frozen=True):
    """A SKU as a set-aside row keeps it: with its product and its row of the price list."""

    product: wire.Product
    sku: Raw
    price: wire.Price | None = None


_JOINED = msgspec.json.Decoder(Joined, strict=False)


def described(product: wire.Product, overrides: MappingOverrides | None = None) -> Described:
    """What a product says of every SKU in it."""
    name = clean_text(product.name)
    return Described(
        product, name, clean_text(product.description, DESCRIPTION_LENGTH), terms_of_name(PRODUCT_NAME, name, overrides)
    )


def offer_or_reason(
    of: Described,
    sku: wire.Sku,
    price: wire.Price | None,
    codes: AttributeCodes,
    raw: Raw,
    overrides: MappingOverrides | None = None,
) -> Offer | SetAside:
    """The offer that a SKU of a product is, or why it is none. ``raw`` is the SKU's own JSON.

    Without a row of the price list the cost is None, as it is for a custom denomination.
    """
    sku_name = clean_text(sku.name)
    by_name = terms_of_name(SKU_NAME, sku_name, overrides)
    name = _name(of.name, sku_name, by_name)
    attributes = of.product.attributes, sku.attributes
    sources = (terms_of_attributes(*attributes, codes, overrides), by_name, of.terms)
    try:
        require_new_esim(sku_name, of.name)
        covered = _coverage(sources, overrides)
        return Offer(
            supplier_plan_id=id_of(sku.id, "a SKU without an id"),
            name=_stated(name),
            coverage=covered,
            data=_data(sources),
            validity=Validity(_days(sources)),
            cost=_cost(price, of.product.denomination_type),
            networks=attribute_facts.networks(sources[0].networks, covered),
            features=_features(sources),
            stock=_stock(price),
            description=of.description,
            supplier_product_id=_product_id(of.product),
            provider=PROVIDER,
        )
    except Unmapped as why:
        if not why.words and why.reason in _UNSTATED:
            # Perhaps it is stated under a code of which nobody said what it means.
            codes_unknown = strange_codes(*attributes, codes, overrides)
            why = Unmapped(why.reason, why.detail, About.ATTRIBUTE if codes_unknown else why.about, codes_unknown)
        cost = _cost_if_any(price, of.product.denomination_type)
        return why.row(_as_it_came(of.product, price, raw), id_or_none(sku.id), name, cost)


def kept(raw: bytes, codes: AttributeCodes, overrides: MappingOverrides | None) -> Offer | SetAside | None:
    """A set-aside row's JSON mapped once more; None when it is no SKU that was joined with its product."""
    try:
        joined = _JOINED.decode(raw)
        sku = _SKU.decode(joined.sku)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return offer_or_reason(described(joined.product, overrides), sku, joined.price, codes, joined.sku, overrides)


def of_product(
    product: wire.Product, sku_id: str, codes: AttributeCodes, overrides: MappingOverrides | None
) -> Offer | SetAside | None:
    """One SKU from the answer about its product, in which each carries its own price; None when it is not there.

    Raises what msgspec raises for a SKU that cannot be read.
    """
    for raw in product.skus or ():
        sku = _SKU.decode(raw)
        if sku.id == sku_id:
            price = wire.Price(
                sku_id=sku.id,
                denomination_type=product.denomination_type,
                price=sku.price,
                currency=sku.currency,
                stock=sku.stock,
                max_per_order=sku.max_per_order,
            )
            return offer_or_reason(described(product, overrides), sku, price, codes, raw, overrides)
    return None


def refusal(status: int, body: bytes) -> SupplierError | None:
    """The documented refusal that an answer is; None when it is none.

    422 is validation, a used ``external_id``, no stock or no balance, told apart by its words (2026-11). A
    used ``external_id`` is no refusal but the news that an earlier request arrived, so any doubt goes there.
    """
    try:
        failure = msgspec.json.decode(body, type=wire.Failure)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if failure.success:
        return None
    detail = clean_text(failure.message or _text_of(failure.error) or "refused without a reason")
    if status in (401, 403):
        return NotAuthorised(detail, status=status)
    if status == 404:  # noqa: PLR2004 - the status itself
        return NotFound(detail, status=status)
    refused = _refusal_by_words(
        f"{detail} {_text_of(failure.error)} {_text_of(failure.errors)}".casefold(), detail, status
    )
    if status in (400, 422) or status < 300 or isinstance(refused, DuplicateReference):  # noqa: PLR2004 - the HTTP classes
        return refused
    return None


def _coverage(sources: Sequence[SourceTerms], overrides: MappingOverrides | None = None) -> tuple[str, ...]:
    """The countries that the first source to speak of a place names, unless another names others.

    Codes in the attributes and the names beside them are one statement (see ``places.reconciled``).
    """
    speaking = [source for source in sources if source.place is not None]
    if not speaking:
        unknown = [source.place_words for source in sources if source.place_words]
        if unknown:
            detail = f"not understood: {', '.join(unknown)}"
            raise Unmapped(SetAsideReason.NO_SUCH_COUNTRY, detail, About.PLACE, dict.fromkeys(unknown))
        raise Unmapped(SetAsideReason.COVERAGE_UNKNOWN, "no source names a place", About.PLACE)
    first = speaking[0]
    kind, codes = (first.place.kind, first.place.codes) if first.place is not None else (None, ())
    if kind is PlaceKind.NO_COUNTRY:
        raise Unmapped(
            SetAsideReason.NO_SUCH_COUNTRY, f"no country: {first.place_words}", About.PLACE, (first.place_words,)
        )
    if kind is PlaceKind.REGION:
        listed = places.supplier_region(PROVIDER, first.place_words, overrides)
        if listed is None:
            detail = f"a region without its countries: {first.place_words}"
            raise Unmapped(SetAsideReason.COVERAGE_UNKNOWN, detail, About.PLACE, (first.place_words,))
        codes = listed
    named = [(other, other.place.codes) for other in speaking[1:] if other.place is not None and other.place.codes]
    meant = _reconciled(codes, named[0][1]) or codes if first.coded and named else codes
    for other, theirs in named:
        if (_reconciled(codes, theirs) if first.coded else theirs) != meant:
            raise _contradiction(About.PLACE, first, first.place_words, other, other.place_words)
    return meant


def _reconciled(codes: tuple[str, ...], named: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(places.reconciled(codes, named) or ()))


def _data(sources: Sequence[SourceTerms]) -> DataAllowance:
    days = next((source.days for source in sources if source.days is not None), DAYS_PER_MONTH)
    stated = [(source, amount_of(source.data, days)) for source in sources if source.data is not None]
    if not stated:
        raise _nothing_stated([source.unclear_data for source in sources], SetAsideReason.NO_DATA_AMOUNT, About.DATA)
    first, data = stated[0]
    for other, theirs in stated[1:]:
        both = units.completed(data, theirs)
        if both is None:
            raise _contradiction(About.DATA, first, _said(data), other, _said(theirs))
        data = both
    return data


def _features(sources: Sequence[SourceTerms]) -> Features:
    """What the first source to state a feature says; of minutes and SMS no other may say otherwise."""
    for first, other in combinations(sources, 2):
        if plan_facts.contradict(first.features, other.features):
            its, theirs = (", ".join(source.features.included) or "none" for source in (first, other))
            raise _contradiction(About.NOTHING, first, its, other, theirs)
    found = plan_facts.NOTHING
    for source in sources:
        found = plan_facts.completed(found, source.features)
    return found


def _said(data: DataAllowance) -> str:
    allowance = data.allowance
    stated = "" if allowance is None or allowance.mb is None else f", {units.declared_text(allowance.mb)} at full speed"
    return f"{data.declared}{stated}" + (f", {data.tier}" if data.tier else "")


def _days(sources: Sequence[SourceTerms]) -> int:
    stated = [(source, source.days) for source in sources if source.days is not None]
    if not stated:
        raise _nothing_stated([source.unclear_days for source in sources], SetAsideReason.NO_VALIDITY, About.DAYS)
    first, days = stated[0]
    for other, theirs in stated[1:]:
        if theirs != days:
            raise _contradiction(About.DAYS, first, str(days), other, str(theirs))
    return days


def _cost(price: wire.Price | None, denomination: str | None) -> Money | None:
    """What we pay. None where the price list has no row, and for an amount that the buyer chooses."""
    if price is None or (price.denomination_type or denomination) == CUSTOM:
        return None
    currency = (price.currency or "").strip().upper()
    if not _CURRENCY.fullmatch(currency):
        raise Unmapped(SetAsideReason.NO_PRICE, f"currency {clean_text(price.currency)!r}")
    return cost_of(price.price, currency, MAX_COST)


def _cost_if_any(price: wire.Price | None, denomination: str | None) -> Money | None:
    try:
        return _cost(price, denomination)
    except Unmapped:
        return None


def _stock(price: wire.Price | None) -> int | None:
    """How many can be bought; None when the supplier does not say."""
    if price is None or price.stock is None:
        return None
    if price.max_per_order is not None and price.max_per_order < 1:
        return 0
    return max(0, min(price.stock, MAX_STOCK))


def _product_id(product: wire.Product) -> str | None:
    """The id by which the product can be asked for again; None for one that no address can carry as it is."""
    return product.id if product.id and clean_text(product.id, _LONGEST_ID) == product.id else None


def _name(product: str, sku: str, terms_of_sku: SourceTerms) -> str:
    """The SKU's name, after its product's where it names no place itself ("Japan 3 GB 30 Days")."""
    if not sku or not product:
        return sku or product
    if terms_of_sku.place is not None or product.casefold() in sku.casefold():
        return sku
    return f"{product} {sku}"[:NAME_LENGTH]


def _stated(name: str) -> str:
    if not name:
        raise Unmapped(SetAsideReason.NO_NAME, "neither the SKU nor its product has a name")
    return name


def _nothing_stated(unclear: Sequence[Unclear | None], otherwise: SetAsideReason, about: About) -> Unmapped:
    for reading in filter(None, unclear):
        return Unmapped(reading.reason, f"not understood: {reading.text}", reading.about, reading.strange)
    return Unmapped(otherwise, _NOT_STATED[otherwise], about)


def _contradiction(about: About, first: SourceTerms, its: str, other: SourceTerms, theirs: str) -> Unmapped:
    detail = f"{about or 'minutes and SMS'}: {its[:100]} by {first.source}, {theirs[:100]} by {other.source}"
    return Unmapped(SetAsideReason.CONTRADICTORY, clean_text(detail, 400), about)


def _as_it_came(product: wire.Product, price: wire.Price | None, raw: Raw) -> Raw:
    """The SKU's own JSON with what was joined to it."""
    joined = {
        "product": {
            "id": product.id,
            "type": product.type,
            "name": product.name,
            "denomination_type": product.denomination_type,
            "attributes": product.attributes,
        },
        "sku": raw,
        "price": price,
    }
    return Raw(msgspec.json.encode(joined))


def _refusal_by_words(text: str, detail: str, status: int) -> SupplierError:
    if any(word in text for word in ("external_id", "external id", "duplicate", "already")):
        return DuplicateReference(detail, status=status)
    if any(word in text for word in ("out of stock", "out_of_stock", "insufficient stock", "not enough stock")):
        return OutOfStock(detail, status=status)
    if any(word in text for word in ("balance", "funds", "overdraft")):
        return InsufficientBalance(detail, status=status)
    return InvalidRequest(detail, status=status) if status in (400, 422) else Refused(detail, status=status)


def _text_of(error: object) -> str:
    if isinstance(error, str):
        return error
    return "" if error is None else msgspec.json.encode(error).decode()
