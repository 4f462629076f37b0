"""S2S's vouchers and recharges in the gateway's words, and the categories they stand in. Pure.

Whatever a product says in words is lax and made harmless; what it costs is exact, or the SKU is unmapped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Raw

from providers.kit import places
from providers.kit.amounts import is_amount
from providers.kit.places import PlaceKind
from providers.kit.text import DESCRIPTION_LENGTH, clean_text, is_supplier_id
from providers.kit.unmapped import Unmapped, cost_of, id_or_none
from providers.s2s import wire
from providers.s2s.settings import Goods
from schemas.good import CustomPrice, Good, GoodAttribute, GoodCategory, GoodField
from schemas.money import Money
from schemas.plan import SetAside, SetAsideReason

FIXED = "fixed"
OURS = "quantity"
MAX_STOCK = 2**31 - 1
MAX_COST = Decimal(10**9)
# The page's two examples of attributes: what a card is worth, and in which currency.
WORTH, WORTH_CURRENCY = "denomination", "denomination_currency"

_MOST_ATTRIBUTES, _MOST_FIELDS, _MOST_OPTIONS = 40, 20, 200
_LONGEST_CODE = 60
_LONGEST_ID = 100
_LONGEST_IMAGE = 500
_MOST_RATE = Decimal(10**6)
_LEAST_PERCENT, _MOST_PERCENT = Decimal(-100), Decimal(1000)
_CURRENCY = re.compile(r"[A-Z]{3,5}")
_IMAGE = re.compile(r"https://[!-~]{1,480}")
# One class or character after another, each counted at most: no groups, so nothing that could run away. Nor does the
# look at the pattern itself: what it has taken it does not try again in another way.
_ATOM = r"(?:\[\^?+(?:\\[dwsDWS.\-+/()\[\]]|[^\\\[\]])++\]|\\[dwsDWS.\-+/()\[\]{}?*$^|]|[^\\\[\](){}?*+|^$.]|\.)"
_PLAIN = re.compile(rf"\^?(?:{_ATOM}(?:\{{\d{{1,3}}(?:,\d{{0,3}})?\}}|[?*+])?+)++\$?")
# Each of these multiplies the ways to try, as does a beginning anywhere: three of them on 200 characters are a million,
# and done at once.
_VARIABLE = re.compile(r"(?<!\\)[*+?]|\{\d+,\d*\}")
_MOST_VARIABLE = 3
_LONGEST_PATTERN = 120

_numbers = msgspec.json.Decoder(dict[str, Raw])
_decimal = msgspec.json.Decoder(Decimal, strict=False)
_sku = msgspec.json.Decoder(wire.Sku, strict=False)
_row = msgspec.json.Decoder(wire.Price, strict=False)
_BROKEN = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)


class Named(msgspec.Struct, frozen=True):
    """A SKU of one product in one language, without its price."""

    product: wire.Product
    sku: wire.Sku
    raw: Raw
    locale: str


def good_or_reason(named: Named, price: Raw | None, terms: Goods, cost_currency: str) -> Good | SetAside:
    """The good that a SKU is, by its row of the price list, or why it cannot be sold.

    ``cost_currency`` is our account's: a denomination of one's choice is charged in it.
    """
    product, sku = named.product, named.sku
    name = clean_text(sku.name) or clean_text(product.name)
    try:
        _named(name, sku.id, product.id)
        row = _price_row(price)
        attributes = _attributes(product.attributes) | _attributes(sku.attributes)
        custom = _is_custom(row, product)
        category = product.category
        return Good(
            sku=sku.id,
            product_id=product.id,
            type=clean_text(product.type, _LONGEST_CODE) or "other",
            name=name,
            product_name=clean_text(product.name),
            denomination="custom" if custom else "fixed",
            cost=None if custom else _cost(row),
            custom=_custom(row, (price or Raw(b"{}"), named.raw), terms, cost_currency) if custom else None,
            face_value=None if custom else _face_value(attributes),
            stock=_stock(row),
            max_per_order=row.max_per_order if row.max_per_order and row.max_per_order > 0 else None,
            category_id=None if category is None else str(category.id),
            category=None if category is None else clean_text(category.name) or None,
            description=clean_text(product.description, DESCRIPTION_LENGTH),
            image=_image(sku.image) or _image(product.image),
            attributes=attributes,
            countries=_countries(attributes, terms.country, product.name),
            fields=_fields(product.fields, terms.amount, custom=custom),
            locale=named.locale,
        )
    except Unmapped as why:
        return why.row(_as_it_came(named, price), id_or_none(sku.id), name)


def of_product(product: wire.Product, sku_id: str, terms: Goods, cost_currency: str) -> Good | SetAside | None:
    """One SKU from the answer about its product, in which each carries its own price; None when it is not there.

    Raises what msgspec raises for a SKU that cannot be read.
    """
    for raw in product.skus or ():
        sku = _sku.decode(raw)
        if sku.id == sku_id:
            own = msgspec.json.encode({"sku_id": sku.id, "denomination_type": product.denomination_type})
            row = Raw(msgspec.json.encode(_numbers.decode(raw) | _numbers.decode(own)))
            return good_or_reason(Named(product, sku, raw, ""), row, terms, cost_currency)
    return None


def categories(nodes: Iterable[wire.CategoryNode]) -> list[GoodCategory]:
    """The tree of categories; 0 for a parent is none."""
    return [
        GoodCategory(
            id=str(node.id),
            name=clean_text(node.name),
            parent_id=str(node.parent_id) if node.parent_id else None,
            attributes=tuple(
                GoodAttribute(
                    clean_text(attribute.code, _LONGEST_CODE),
                    clean_text(attribute.name),
                    clean_text(attribute.type, 20),
                    attribute.target,
                )
                for attribute in (node.attributes or [])[:_MOST_ATTRIBUTES]
                if attribute.target in {"product", "sku"} and clean_text(attribute.code)
            ),
        )
        for node in nodes
    ]


def _is_custom(row: wire.Price, product: wire.Product) -> bool:
    """Whether the buyer chooses the amount. Any word but "fixed" means it, if there is a rate to price it by."""
    word = (row.denomination_type or product.denomination_type or "").casefold()
    if word not in {"", FIXED} and row.price is not None:
        raise Unmapped(SetAsideReason.CONTRADICTORY, f"a denomination called {clean_text(word, 30)} that has a price")
    return word != FIXED and row.rate is not None and row.price is None


def _named(name: str, *ids: str) -> None:
    if not name:
        raise Unmapped(SetAsideReason.NO_NAME, "neither the SKU nor its product has a name")
    for supplier_id in ids:
        if not is_supplier_id(supplier_id, _LONGEST_ID):
            raise Unmapped(SetAsideReason.NO_NAME, "an id that cannot be one")


def _price_row(price: Raw | None) -> wire.Price:
    if price is None:
        raise Unmapped(SetAsideReason.NO_PRICE, "in no price list")
    try:
        return _row.decode(price)
    except _BROKEN as error:
        raise Unmapped(SetAsideReason.NO_PRICE, f"not readable: {error}") from None


def _cost(row: wire.Price) -> Money:
    return cost_of(row.price, _currency(row.currency), MAX_COST)


def _currency(text: str | None) -> str:
    currency = (text or "").strip().upper()
    if not _CURRENCY.fullmatch(currency):
        raise Unmapped(SetAsideReason.NO_PRICE, f"currency {clean_text(text)!r}")
    return currency


def _custom(row: wire.Price, raws: tuple[Raw, ...], terms: Goods, cost_currency: str) -> CustomPrice:
    rate, percent, fixed = row.rate, row.markup_percent or Decimal(0), row.markup_fixed or Decimal(0)
    if rate is None or not _within(rate, Decimal(0), _MOST_RATE) or not _within(percent, _LEAST_PERCENT, _MOST_PERCENT):
        raise Unmapped(SetAsideReason.NO_PRICE, f"rate {rate}, markup {percent} %")
    if not is_amount(fixed) or abs(fixed) > MAX_COST:
        raise Unmapped(SetAsideReason.NO_PRICE, f"fixed markup {fixed}")
    least, most = _bound(raws, terms.least), _bound(raws, terms.most)
    if least is not None and most is not None and least > most:
        raise Unmapped(SetAsideReason.CONTRADICTORY, f"denominations from {least} to {most}")
    return CustomPrice(_currency(row.currency), rate, cost_currency, percent, fixed, least, most)


def _within(number: Decimal, least: Decimal, most: Decimal) -> bool:
    return number.is_finite() and least < number <= most


def _bound(raws: tuple[Raw, ...], name: str) -> Decimal | None:
    """A bound of the denomination under the name that the settings give it; None where nothing fit stands there."""
    for raw in raws:
        try:
            bound_raw = _numbers.decode(raw).get(name)
            bound = None if bound_raw is None or bytes(bound_raw) == b"null" else _decimal.decode(bound_raw)
        except _BROKEN:
            continue
        if bound is not None and _within(bound, Decimal(0), MAX_COST):
            return bound
    return None


def _stock(row: wire.Price) -> int | None:
    if row.max_per_order is not None and row.max_per_order < 1:
        return 0
    return None if row.stock is None else max(0, min(row.stock, MAX_STOCK))


def _face_value(attributes: Mapping[str, str]) -> Money | None:
    """What a card is worth to its holder; None where the attributes do not say so plainly."""
    currency = attributes.get(WORTH_CURRENCY, "").upper()
    try:
        amount = Decimal(attributes.get(WORTH, ""))
    except ArithmeticError:
        return None
    fits = _CURRENCY.fullmatch(currency) and amount.is_finite() and is_amount(amount) and amount > 0
    return Money(amount, currency) if fits else None


def _attributes(attributes: wire.Attributes) -> dict[str, str]:
    if not isinstance(attributes, dict):
        return {}
    read: dict[str, str] = {}
    for code, value in list(attributes.items())[:_MOST_ATTRIBUTES]:
        name, text = clean_text(code, _LONGEST_CODE), _text(value)
        if name and text:
            read[name] = text
    return read


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return clean_text(", ".join(filter(None, (_text(part) for part in value[:_MOST_OPTIONS]))))
    return clean_text(str(value)) if isinstance(value, str | int | float | Decimal) else ""


def _image(text: str | None) -> str | None:
    return text if text and len(text) <= _LONGEST_IMAGE and _IMAGE.fullmatch(text) else None


def _countries(attributes: Mapping[str, str], code: str, product_name: str | None) -> tuple[str, ...]:
    """Where a good is accepted: by its attribute, else by the country behind the bar in "Apple gift card | USA"."""
    name = attributes.get(code)
    if name is None:
        _, bar, name = clean_text(product_name).rpartition("|")
        if not bar:
            return ()
    found = places.place(name.strip())
    return found.codes if found.kind in {PlaceKind.COUNTRY, PlaceKind.COUNTRIES} else ()


def _fields(described: Any, amount: str, *, custom: bool) -> tuple[GoodField, ...]:
    """What a product asks for. Raises ``Unmapped`` for what is required and cannot be told: such an order fails."""
    if not described:
        return ()
    if isinstance(described, dict):
        described = [
            {"name": name, **(value if isinstance(value, dict) else {"label": value})}
            for name, value in described.items()
        ]
    if not isinstance(described, list) or len(described) > _MOST_FIELDS:
        raise Unmapped(SetAsideReason.UNKNOWN_FIELDS, "the fields have another shape")
    fields = [_field(value) for value in described]
    # These two we write ourselves, whether or not the product asks for them.
    written = {OURS, amount}
    named = [field for field in fields if field.name not in written]
    if not custom and any(field.name == amount for field in fields):
        # What a customer writes there could be taken for the denomination, and only the fixed price would be paid.
        raise Unmapped(SetAsideReason.UNKNOWN_FIELDS, f"a field {amount!r} beside a fixed price")
    if len({field.name for field in named}) < len(named):
        raise Unmapped(SetAsideReason.UNKNOWN_FIELDS, "two fields of one name")
    return tuple(named)


def _field(field: Any) -> GoodField:
    members: Mapping[str, Any] = {"name": field} if isinstance(field, str) else field if isinstance(field, dict) else {}
    name = next((members[key] for key in ("name", "code", "key", "id") if isinstance(members.get(key), str)), "")
    if not is_supplier_id(name, _LONGEST_CODE):
        raise Unmapped(SetAsideReason.UNKNOWN_FIELDS, f"a field without a name: {clean_text(str(field))[:80]}")
    label = next((_text(members[key]) for key in ("label", "title", "name") if _text(members.get(key))), name)
    listed = (members.get(key) for key in ("options", "values", "enum"))
    options: list[Any] = next((choices for choices in listed if isinstance(choices, list)), [])
    pattern = next((members[key] for key in ("pattern", "regex", "mask") if isinstance(members.get(key), str)), None)
    return GoodField(
        name=name,
        label=label,
        required=members.get("required", True) not in (False, 0, "0", "false"),
        pattern=plain_pattern(pattern),
        options=tuple(filter(None, (_option(option) for option in options[:_MOST_OPTIONS]))),
    )


def _option(option: Any) -> str:
    if isinstance(option, dict):
        return next((_text(option[key]) for key in ("value", "id", "code", "name") if _text(option.get(key))), "")
    return _text(option)


def plain_pattern(text: str | None) -> str | None:
    """A supplier's pattern if it is one that is safe to run; None otherwise, and the supplier checks by itself.

    Delimiters of other languages (slashes around it) are taken off.
    """
    if not text or len(text) > _LONGEST_PATTERN:
        return None
    if len(text) > 1 and text[0] == text[-1] == "/":
        text = text[1:-1]
    variable = len(_VARIABLE.findall(text)) + (not text.startswith("^"))
    if not _PLAIN.fullmatch(text) or variable > _MOST_VARIABLE:
        return None
    try:
        re.compile(text)
    except re.error:
        return None
    return text


def _as_it_came(named: Named, price: Raw | None) -> Raw:
    product = named.product
    product_fields = {"id": product.id, "type": product.type, "name": product.name, "fields": product.fields}
    return Raw(msgspec.json.encode({"product": product_fields, "sku": named.raw, "price": price}))
